"""A partner's columns as our fields."""

import io
from datetime import UTC, datetime

import pytest

from app.imports.awards import FIELDS
from app.imports.mapping import FieldMapping, InvalidMapping, RefusedRow, fit, read_mapping_file
from app.imports.reading import Row, UnreadableFile, inspect, read_rows

MAPPING = """
date_format = "%d.%m.%Y"
time_zone = "America/Chicago"
[columns]
email = "E-mail"
awarded_at = "Date of award"
[constants]
role = "Principal"
[levels]
problem = "Part 1"
evidence = "Part 2"
[level_names]
"Meets standard" = "demonstrated"
[[evidence]]
url = "Portfolio"
name = "Portfolio of practice"
"""
CSV = (
    b"E-mail;Date of award;Part 1;Part 2;Portfolio;Room\n"
    b"ada@s.example.org;31.05.2019;Meets standard;developing;https://p.example.org/1;#N/A\n"
    b"bob@s.example.org;31.11.2019;;;;\n"
)


def fitted(mapping: str, data: bytes) -> tuple[FieldMapping, list[Row]]:
    stream = io.BytesIO(data)
    sheet = inspect(stream)
    return fit(read_mapping_file(mapping.encode()), sheet, FIELDS), list(read_rows(stream, sheet))


def test_columns_become_fields() -> None:
    mapping, [ada, bob] = fitted(MAPPING, CSV)
    values, faults = mapping.values(ada)
    assert values == {"email": "ada@s.example.org", "awarded_at": "31.05.2019", "role": "Principal"}
    assert faults == []  # the error of the spreadsheet stands in a column that nobody asked for
    assert mapping.results(ada) == [
        {"criterion": "problem", "level": "demonstrated"},
        {"criterion": "evidence", "level": "developing"},
    ]
    assert mapping.pieces(ada) == [{"url": "https://p.example.org/1", "name": "Portfolio of practice"}]
    assert mapping.moment("awarded_at", "31.05.2019") == datetime(2019, 5, 31, 5, tzinfo=UTC)
    assert mapping.results(bob) == mapping.pieces(bob) == []
    with pytest.raises(RefusedRow) as refused:
        mapping.moment("awarded_at", "31.11.2019")
    assert refused.value.faults[0].detail == "is not a date in the format %d.%m.%Y"
    assert mapping.name_of("awarded_at") == "awarded_at (Date of award)"


def test_json_says_the_same_as_toml() -> None:
    assert read_mapping_file(b'{"columns": {"email": "E-mail"}}') == read_mapping_file(b'columns.email = "E-mail"')


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2019-05-31", datetime(2019, 5, 31, tzinfo=UTC)),
        ("2019-05-31T10:00:00+02:00", datetime(2019, 5, 31, 8, tzinfo=UTC)),
        ("2019-05-31 10:00", datetime(2019, 5, 31, 10, tzinfo=UTC)),
    ],
)
def test_dates_are_iso_8601_in_utc_unless_it_is_said_otherwise(written: str, moment: datetime) -> None:
    mapping, _ = fitted("", b"email,awarded_at\na@s.example.org,x\n")
    assert mapping.moment("awarded_at", written) == moment


@pytest.mark.parametrize("written", ["31/05/2019", "45000", "yesterday", "", 45000, None, "0001-01-01T00:00:00+23:59"])
def test_what_is_no_date_is_refused(written: object) -> None:
    mapping, _ = fitted("", b"email,awarded_at\na@s.example.org,x\n")
    with pytest.raises(RefusedRow):
        mapping.moment("awarded_at", written)


def test_without_columns_the_files_names_are_ours() -> None:
    mapping, [row] = fitted("", b"email,level.problem,awarded_at,\na@s.example.org,developing,2019-01-01,\n")
    assert mapping.values(row)[0] == {"email": "a@s.example.org", "awarded_at": "2019-01-01"}
    assert mapping.results(row) == [{"criterion": "problem", "level": "developing"}]
    with pytest.raises(UnreadableFile, match="no fields of ours: E-Mail"):
        fitted("", b"E-Mail,awarded_at\na@s.example.org,2019-01-01\n")
    mapping, [row] = fitted("", b'{"email": "a@s.example.org", "mail": "x"}\n')
    assert [fault.pointer for fault in mapping.values(row)[1]] == ["/mail"]
    mapping, [row] = fitted('columns.email = "email"', b'{"email": "a@s.example.org", "mail": "x"}\n')
    assert mapping.values(row) == ({"email": "a@s.example.org"}, [])


@pytest.mark.parametrize("name", ["=x", "+x", "-x", " @x", "\t=x"])
def test_a_name_like_a_formula_is_never_meant(name: str) -> None:
    mapping, _ = fitted("", b"email\na@s.example.org\n")
    _, faults = mapping.values(Row(2, {"name": name, "email": "a@s.example.org"}))
    assert [fault.pointer for fault in faults] == ["/name"]
    assert mapping.values(Row(2, {"narrative": name, "name": "x"}))[1] == []


@pytest.mark.parametrize(
    ("mapping", "detail"),
    [
        ("columns = 3", "The mapping does not fit."),
        ("colums.email = 'x'", "The mapping does not fit."),
        ("columns.mail = 'E-mail'", "The mapping names no field of ours: mail."),
        ("constants.mail = 'E-mail'", "The mapping names no field of ours: mail."),
        ("time_zone = 'Mars/Olympus'", "The time zone 'Mars/Olympus' is not known here."),
        ("time_zone = '../etc/passwd'", "The time zone '../etc/passwd' is not known here."),
        ("a = ", "The mapping is neither TOML nor JSON"),
        ("{", "The mapping is neither TOML nor JSON"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(mapping: str, detail: str) -> None:
    with pytest.raises(InvalidMapping) as raised:
        fitted(mapping, b"email,awarded_at\na@s.example.org,2019-01-01\n")
    assert raised.value.detail.startswith(detail)


def test_a_mapping_to_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="columns that the file has not: Mail"):
        fitted("columns.email = 'Mail'", b"E-mail\na@s.example.org\n")
