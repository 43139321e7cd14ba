"""`assay import` as an operator types it, in a process of its own that may be killed."""

import asyncio
import csv
import random
import signal
from collections import Counter
from pathlib import Path

import pytest
from fastapi import FastAPI

from app.operation.check import Tally, check_badges, check_lists
from app.resources import Resources
from app.settings import Settings
from tests.builders import achievement_body
from tests.conftest import PROJECT, Partner
from tests.imports.importing import DAY, csv_of, lines_of, person, source_of
from tests.issuing import count_rows, list_all_editions, world_of
from tests.journeys.test_journey import ASSAY, environment
from tests.web.test_bad_input import on_sqlite


def everyday_rows(count: int) -> bytes:
    """Every third without an id of its own; people with several awards among them."""
    rows = [
        {"email": f"p{n % (count * 2 // 3)}@schools.example.org", "awarded_at": f"20{10 + n % 15}-05-{1 + n % 28:02}",
         "external_id": f"C-{n}" if n % 3 else ""}
        for n in range(count)
    ]  # fmt: skip
    return csv_of(rows)


class Command:
    """`assay import …` on the partner's issuer, with its report."""

    def __init__(self, settings: Settings, partner: Partner, directory: Path) -> None:
        self.settings = settings
        self.partner = partner
        self.report = directory / "report.csv"

    async def start(self, *arguments: str, stdin: bytes | None = None) -> asyncio.subprocess.Process:
        self.report.unlink(missing_ok=True)
        process = await asyncio.create_subprocess_exec(
            *ASSAY, "import", *arguments, cwd=PROJECT,
            env=environment(self.settings) | {"ASSAY_LOG_LEVEL": "warning"},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(stdin or b"")
        process.stdin.close()
        return process

    async def run(self, *arguments: str, stdin: bytes | None = None) -> tuple[int, str]:
        """Exit code and all that was said, in one line."""
        process = await self.start(*arguments, stdin=stdin)
        output, errors = await process.communicate()
        assert b"Traceback" not in errors, errors.decode()
        assert process.returncode is not None
        return process.returncode, " ".join((output + errors).decode().split())

    async def arguments(self, file: str = "-") -> list[str]:
        source = await source_of(self.partner)
        return [
            "awards", file, "--issuer", "academy", "--source", source, "--achievement", self.partner.achievement_id,
            "--report", str(self.report),
        ]  # fmt: skip

    def outcomes(self) -> Counter[str]:
        """As the report tells so far; a line that is being written does not count."""
        if not self.report.exists():
            return Counter()
        with self.report.open(newline="") as file:
            return Counter(row[1] for row in list(csv.reader(file))[1:] if len(row) == 6)


@pytest.fixture
def command(settings: Settings, partner: Partner, tmp_path: Path) -> Command:
    return Command(settings, partner, tmp_path)


async def kill_midway(command: Command, file: Path, issued: int) -> None:
    """Run the import and kill it at a random moment after it has issued so many."""
    process = await command.start(*await command.arguments(str(file)))
    while command.outcomes()["issued"] < issued:
        assert process.returncode is None, "it ended before it could be killed"
        await asyncio.sleep(0.02)
    await asyncio.sleep(random.uniform(0, 0.15))
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    assert process.returncode == -signal.SIGKILL


async def require_exactly(world: Resources, count: int) -> None:
    """So many badges, every one valid, and nothing begun, doubled or given up beside them."""
    counts = await count_rows(world)
    names = ("decision", "award", "credential", "edition", "representation", "drawn")
    assert {name: counts[name] for name in names} == dict.fromkeys(names, count)
    assert {edition.state for edition in await list_all_editions(world)} == {"issued"}
    tally = Tally()
    async for _ in check_badges(world, tally):
        pass
    async for _ in check_lists(world, tally):
        pass
    assert (tally.badges, tally.pending, tally.burned, tally.bad_badges, tally.bad_lists) == (count, 0, 0, [], [])


async def import_though_killed(command: Command, world: Resources, directory: Path, count: int) -> None:
    file = directory / "awards.csv"
    file.write_bytes(everyday_rows(count))
    for _ in range(3):
        await kill_midway(command, file, random.randint(1, count // 5))
    code, said = await command.run(*await command.arguments(str(file)))
    assert code == 0, said
    told = command.outcomes()
    assert told["issued"] > 0
    assert told["issued"] + told["already there"] == told.total() == count
    await require_exactly(world, count)
    code, said = await command.run(*await command.arguments(str(file)))
    assert (code, command.outcomes()) == (0, {"already there": count}), said
    await require_exactly(world, count)


async def test_killed_three_times_it_ends_with_each_badge_once(app: FastAPI, command: Command, tmp_path: Path) -> None:
    await import_though_killed(command, world_of(app), tmp_path, 60)


@pytest.mark.slow
@pytest.mark.timeout(5400)
async def test_five_thousand_awards_killed_three_times(app: FastAPI, command: Command, tmp_path: Path) -> None:
    await import_though_killed(command, world_of(app), tmp_path, 5_000)


@on_sqlite
async def test_ctrl_c_ends_after_the_row_at_hand(app: FastAPI, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "awards.csv"
    file.write_bytes(everyday_rows(60))
    process = await command.start(*await command.arguments(str(file)))
    while not command.outcomes()["issued"]:
        await asyncio.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()
    assert process.returncode == 130, errors.decode()
    assert b"Run the same command again" in errors
    issued = command.outcomes()["issued"]
    assert 0 < issued < 60
    await require_exactly(world_of(app), issued)
    assert (await command.run(*await command.arguments(str(file))))[0] == 0
    await require_exactly(world_of(app), 60)


async def test_refused_rows_are_told_and_the_others_are_in(app: FastAPI, command: Command) -> None:
    rows = [person(0), {"email": "x"}, person(1)]
    arguments = await command.arguments()
    before = await count_rows(world_of(app))
    code, said = await command.run(*arguments, "--dry-run", stdin=lines_of(rows))
    assert (code, command.outcomes()) == (1, {"would be issued": 2, "refused": 1}), said
    assert await count_rows(world_of(app)) == before
    code, said = await command.run(*arguments, stdin=lines_of(rows))
    assert (code, command.outcomes()) == (1, {"issued": 2, "refused": 1}), said
    assert "line 2: awarded_at is missing: say when it was awarded; email does not have the form" in said
    assert command.report.stat().st_mode & 0o777 == 0o600
    assert "schools.example.org" not in command.report.read_text()
    await require_exactly(world_of(app), 2)


@on_sqlite
async def test_what_cannot_begin_says_why_and_does_nothing(app: FastAPI, command: Command, tmp_path: Path) -> None:
    world, sound = world_of(app), lines_of([person(0)])
    arguments = await command.arguments()
    latin = tmp_path / "latin.csv"
    latin.write_bytes("email,awarded_at,name\nr@s.example.org,2019-01-01,René\n".encode("cp1252"))
    bracketed = tmp_path / "bracketed.csv"
    bracketed.write_bytes(b"email,awarded_at,Name [last],Date [/day]\nr@s.example.org,2019-01-01,,\n")
    before = await count_rows(world)

    def without(name: str) -> list[str]:
        place = arguments.index(name)
        return arguments[:place] + arguments[place + 2 :]

    for given, words in (
        ([*without("--issuer"), "--issuer", "nobody"], "There is no issuer with this slug"),
        (without("--source"), "It is not said who judged these awards"),
        ([*without("--source"), "--source", command.partner.panel_id], "There is no external source called"),
        ([*without("--achievement"), "--achievement", "nothing"], "There is no such achievement"),
        ([*without("--report"), "--report", str(tmp_path / "no" / "report.csv")], "cannot be written"),
        (["awards", str(latin), *without("--report")[2:], "--report", str(latin)], "would overwrite the file"),
        (["awards", str(bracketed), *arguments[2:]], "no fields of ours: Name [last], Date [/day]."),
        (["awards", str(latin), *arguments[2:]], "Line 2 is not UTF-8: byte 31 is 0xE9"),
    ):
        code, said = await command.run(*given, stdin=sound)
        assert (code, words in said) == (2, True), said
    assert await count_rows(world) == before
    assert (await command.run(*arguments, stdin=sound))[0] == 0


@on_sqlite
async def test_a_pipe_is_read_by_its_path(app: FastAPI, command: Command) -> None:
    """As a shell gives it for `<(gunzip -c awards.csv.gz)`."""
    code, said = await command.run(*await command.arguments("/dev/stdin"), stdin=lines_of([person(0)]))
    assert (code, command.outcomes()) == (0, {"issued": 1}), said


@on_sqlite
async def test_a_whole_program_moves_in(app: FastAPI, command: Command, tmp_path: Path) -> None:
    """Achievements, people, a source, and then what they were awarded: all by command, all by the partner's own ids."""
    academy = ("--issuer", "academy")
    definition = lines_of([achievement_body(external_id="data", name="Leading with data")])
    assert (await command.run("achievements", "-", *academy, "--publish", stdin=definition))[0] == 0
    people = csv_of([{"external_id": "L-1", "name": "Ada", "email": "ada@schools.example.org"}])
    assert (await command.run("roster", "-", *academy, stdin=people))[0] == 0
    code, said = await command.run("source", "Old platform", *academy, "--external-id", "old", "--url", "nonsense")
    assert (code, "/url" in said) == (2, True), said
    code, source_id = await command.run("source", "Old platform", *academy, "--external-id", "old")
    assert code == 0
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('source = "Old platform"\nachievement = "data"\ncolumns.learner_external_id = "Who"\n'
                       'columns.awarded_at = "When"\n')  # fmt: skip
    awards = csv_of([{"Who": "L-1", "When": DAY}])
    code, said = await command.run("awards", "-", *academy, "--mapping", str(mapping), stdin=awards)
    assert (code, "issued" in said) == (0, True), said
    [decision] = (await command.partner.client.get("/v1/decisions")).json()["items"]
    assert decision["panel_id"] == source_id
    actions = [event["type"] for event in (await command.partner.client.get("/v1/events?limit=500")).json()["items"]]
    assert {"achievement.published", "learner.created", "panel.created", "credential.issued"} <= set(actions)
