"""How a partner's columns become our fields: a small TOML or JSON file, or nothing where the columns have our names.

source = "state-registry"
date_format = "%d.%m.%Y"
time_zone = "America/Chicago"
[columns]                       # our field = their column
email = "E-mail"
awarded_at = "Date of award"
[constants]                     # our field = the same for every row
role = "Principal"
[levels]                        # criterion = their column
problem = "Part 1"
[level_names]                   # what stands in those columns = level
"Meets standard" = "demonstrated"
[[evidence]]
url = "Link to portfolio"       # their column
name = "Portfolio"              # as it is
"""

import json
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, TypeAdapter, ValidationError

from app.errors import Fault, InvalidInput
from app.imports.reading import Delimiter, Row, Sheet, UnreadableFile, pointer_to
from app.web.fields import Body, ExternalId, Key, Line
from app.web.problems import faults_of

LEVEL_PREFIX = "level."
"""A column `level.problem` holds the level of the criterion `problem`, where no mapping says otherwise."""

_EXTERNAL_ID: TypeAdapter[str] = TypeAdapter(ExternalId)

_LIKE_A_FORMULA = ("=", "+", "-", "@")
_NOT_LIKE_A_FORMULA = ("name", "email", "did", "external_id", "learner_external_id")
"""Fields in which a value that a spreadsheet would execute is never what was meant."""


class InvalidMapping(InvalidInput):
    """The mapping file cannot be used."""


class RefusedRow(InvalidInput):
    """A row cannot be taken as it stands; `faults` point into its fields."""


def refuse(faults: Iterable[Fault]) -> None:
    """Raises RefusedRow when there are any: the first for each place, since what follows in one place follows from it."""
    first: dict[str, Fault] = {}
    for fault in faults:
        first.setdefault(fault.pointer, fault)
    if first:
        raise RefusedRow("The row does not fit.", faults=first.values())


class EvidenceMapping(Body):
    """A piece of evidence in each row that has its URL: `url` names the column, the rest is said of each."""

    url: Line
    name: Line
    genre: Line | None = None


class MappingFile(Body):
    source: Line | None = None
    achievement: Line | None = None
    delimiter: Delimiter | None = None
    date_format: Line | None = None
    time_zone: Line = "UTC"
    columns: dict[str, Line] = Field(default_factory=dict)
    constants: dict[str, Line] = Field(default_factory=dict)
    levels: dict[Key, Line] = Field(default_factory=dict)
    level_names: dict[str, Key] = Field(default_factory=dict)
    evidence: list[EvidenceMapping] = Field(default_factory=list, max_length=20)


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """A mapping made fit for one file: every column it names is there."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    levels: Mapping[str, str]
    level_names: Mapping[str, str]
    evidence: Sequence[EvidenceMapping]
    date_format: str | None
    time_zone: ZoneInfo
    known: frozenset[str] | None = None
    """The only members a row may have; None where what is not mapped is ignored."""

    def values(self, row: Row) -> tuple[dict[str, Any], list[Fault]]:
        """Our fields of a row, those that are empty left out, and what is wrong with them. Raises RefusedRow when it has none."""
        if row.faults and not row.fields:
            raise RefusedRow("The row cannot be read.", faults=row.faults)
        faults = list(self._cell_faults(row))
        if self.known is not None:
            cure = "leave it out, or give a mapping with [columns]: other members are then ignored"
            surplus = [name for name in row.fields if name not in self.known]
            faults += [Fault(pointer_to(name), "is no field of ours", cure) for name in surplus]
        found = {field: row.fields[column] for field, column in self.columns.items() if column in row.fields}
        values = {**self.constants, **{field: value for field, value in found.items() if value not in ("", None)}}
        faults += [
            Fault(f"/{field}", "looks like a formula of a spreadsheet", "write the value itself, or leave it out")
            for field in _NOT_LIKE_A_FORMULA
            if str(values.get(field, "")).lstrip().startswith(_LIKE_A_FORMULA)
        ]
        return values, faults

    def own_id(self, row: Row) -> str:
        """The partner's own id of a row, taken or not; "" where there is none."""
        return as_external_id(row.fields.get(self.columns.get("external_id", "")))

    def _cell_faults(self, row: Row) -> Iterator[Fault]:
        """What was wrong with the cells as they were read, at our fields. A column that is ignored may hold anything."""
        field_of = {pointer_to(column): f"/{field}" for field, column in self.columns.items()}
        others = {pointer_to(column) for column in (*self.levels.values(), *(piece.url for piece in self.evidence))}
        for fault in row.faults:
            if fault.pointer in field_of or fault.pointer in others:
                yield replace(fault, pointer=field_of.get(fault.pointer, fault.pointer))

    def results(self, row: Row) -> list[dict[str, Any]]:
        """The levels that stand in the columns for them, as results without rationale."""
        return [
            {"criterion": criterion, "level": self.level_names.get(str(row.fields[column]), row.fields[column])}
            for criterion, column in self.levels.items()
            if row.fields.get(column) not in ("", None)
        ]

    def pieces(self, row: Row) -> list[dict[str, Any]]:
        """The evidence whose URL stands in the columns for it."""
        return [
            {**piece.model_dump(exclude_none=True), "url": row.fields[piece.url]}
            for piece in self.evidence
            if row.fields.get(piece.url) not in ("", None)
        ]

    def moment(self, field: str, value: object) -> datetime:
        """A date, or date and time, in the mapping's format; without an offset it is in the mapping's time zone.

        A date alone is its midnight. Raises RefusedRow.
        """
        wanted = f"in the format {self.date_format}" if self.date_format else "as of ISO 8601"
        try:
            if not isinstance(value, str):
                raise ValueError
            moment = (
                datetime.strptime(value, self.date_format)  # noqa: DTZ007 - its zone follows
                if self.date_format
                else datetime.fromisoformat(value)
            )
            aware = moment if moment.tzinfo else moment.replace(tzinfo=self.time_zone)
            return aware.astimezone(UTC)
        except (ValueError, OverflowError):
            cure = "write it like 2019-05-31, or say date_format in the mapping"
            raise RefusedRow(
                "A date cannot be read.", faults=[Fault(f"/{field}", f"is not a date {wanted}", cure)]
            ) from None

    def name_of(self, field: str) -> str:
        """How the partner knows a field of ours: by their column."""
        column = self.columns.get(field)
        return field if column in (None, field) else f"{field} ({column})"


def as_external_id(value: object) -> str:
    """The value if it can be an external id, else "": what stands in its place may be a name or an e-mail address."""
    try:
        return _EXTERNAL_ID.validate_python(value)
    except ValidationError:
        return ""


def read_mapping_file(data: bytes) -> MappingFile:
    """TOML, or JSON where it begins with a brace. Raises InvalidMapping."""
    try:
        text = data.decode("utf-8-sig")
        document = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (UnicodeDecodeError, ValueError) as error:  # both parsers' errors are ValueErrors
        raise InvalidMapping(f"The mapping is neither TOML nor JSON: {error}.") from None
    try:
        return MappingFile.model_validate(document)
    except ValidationError as error:
        raise InvalidMapping("The mapping does not fit.", faults=faults_of(error, document)) from None


def fit(mapping: MappingFile, sheet: Sheet, fields: Collection[str]) -> FieldMapping:
    """The mapping for a file whose rows have these `fields` of ours.

    Without `columns` in it the file's columns must have our names: one that has not is refused, never ignored. Raises
    InvalidMapping, UnreadableFile.
    """
    unknown = [name for name in (*mapping.columns, *mapping.constants) if name not in fields]
    if unknown:
        cure = f"The fields are {', '.join(sorted(fields))}."
        raise InvalidMapping(f"The mapping names no field of ours: {', '.join(unknown)}.", cure=cure)
    levels = dict(mapping.levels)
    columns = dict(mapping.columns) or {field: field for field in fields if field not in mapping.constants}
    if sheet.form == "csv":
        named = [name for name in sheet.columns if name]
        if mapping.columns:
            wanted = [*mapping.columns.values(), *mapping.levels.values(), *(piece.url for piece in mapping.evidence)]
            _require_columns(wanted, named)
        else:
            taken = {*columns, *levels.values(), *(piece.url for piece in mapping.evidence)}
            if "results" in fields:
                prefixed = [name for name in named if name.startswith(LEVEL_PREFIX)]
                levels |= {name.removeprefix(LEVEL_PREFIX): name for name in prefixed}
                taken.update(prefixed)
            _require_our_names([name for name in named if name not in taken], fields)
    evidence_columns = {piece.url for piece in mapping.evidence}
    return FieldMapping(
        columns=columns,
        constants=mapping.constants,
        levels=levels,
        level_names=mapping.level_names,
        evidence=mapping.evidence,
        date_format=mapping.date_format,
        time_zone=_time_zone(mapping.time_zone),
        known=None if mapping.columns else frozenset({*columns, *levels.values(), *evidence_columns}),
    )


def _require_columns(wanted: Collection[str], named: Collection[str]) -> None:
    missing = [column for column in wanted if column not in named]
    if missing:
        cure = f"The columns are {', '.join(named)}."
        raise UnreadableFile(f"The mapping names columns that the file has not: {', '.join(missing)}.", cure=cure)


def _require_our_names(surplus: Collection[str], fields: Collection[str]) -> None:
    if surplus:
        cure = (
            "Give a mapping with [columns] (other columns are then ignored), or call them by our fields: "
            f"{', '.join(sorted(fields))}."
        )
        raise UnreadableFile(f"These columns are no fields of ours: {', '.join(surplus)}.", cure=cure)


def _time_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        cure = "Use a name of the IANA time zone database, like Europe/Berlin."
        raise InvalidMapping(f"The time zone {name!r} is not known here.", cure=cure) from None
