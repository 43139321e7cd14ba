"""From a framework to an amended badge, over HTTP: everything that is judged is judged by people who have signed in.

The server runs in a process of its own, with its jobs, and its mail goes into the outbox of the data directory.
"""

import base64
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from app.access.principals import TENANT_SCOPES
from app.settings import Settings
from tests.builders import achievement_body, panel_body
from tests.frameworks.packages import STATEMENT as STANDARD
from tests.frameworks.packages import whole_package
from tests.interop.openbadgeslib_verifier import verify_with_openbadgeslib
from tests.interop.verifier_core import verify_with_verifier_core
from tests.journeys.test_journey import Caller, create_operator_token, serving, verdict
from tests.people.signing_in import link_in, read_mails
from tests.serving import free_port
from tests.submissions.attempts import AS_PDF, PDF, STATEMENT

Document = dict[str, Any]
Found = TypeVar("Found")

MASTERS = ("Mia Master", "Max Master", "Moe Master")
READERS = {"A-01": "Ann Reader", "A-02": "Abe Reader", "L-01": "Lea Lead", "L-02": "Lou Lead"}
LEADS = ("L-01", "L-02")
APPROVERS = ("Pia Approver", "Paz Approver")
LEARNER = "Ada Example"

POLICY = {"qualification": {"minimum_ratings": 4, "minimum_sets": 2}}
SHORT = {"problem": "demonstrated", "evidence": "developing"}
MET = {"problem": "demonstrated", "evidence": "demonstrated"}
ABOVE = {"problem": "demonstrated", "evidence": "exemplary"}


def address_of(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@schools.example.org"


def until(find: Callable[[], Found | None], what: str) -> Found:
    """What `find` finds, once the jobs of the server have come so far."""
    deadline = time.monotonic() + 60
    while (found := find()) is None:
        assert time.monotonic() < deadline, f"{what} is still to come"
        time.sleep(0.1)
    return found


@dataclass
class Story:
    """The partner's system, everybody who has signed in (by name or assessor's code), and what there is by now."""

    settings: Settings
    open: ExitStack
    anyone: Caller
    partner: Caller
    people: dict[str, Caller] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def version(self) -> Document:
        return {"achievement_id": self.ids["achievement"], "version": 1}

    @property
    def path(self) -> str:
        return f"/v1/submissions/{self.ids['submission']}"


def found_issuer(settings: Settings) -> str:
    """The operator's part: an issuer, and a token for its system."""
    with Caller(settings.public_url, create_operator_token(settings)) as operator:
        issuer = operator.post("/v1/issuers", {"slug": "academy", "profile": {"name": "The Academy"}})
        wanted = {"name": "records", "scopes": sorted(scope.value for scope in TENANT_SCOPES)}
        return str(operator.post(f"/v1/issuers/{issuer['id']}/api-clients", wanted)["token"])


def define(story: Story) -> None:
    """A framework, an achievement aligned to it with a level above the bar, and the program with its policy."""
    story.partner.post("/v1/frameworks", whole_package())
    body = achievement_body()
    for criterion in body["rubric"]["criteria"]:
        beyond = {"key": "exemplary", "name": "Exemplary", "description": "Others learn from it.", "points": "3"}
        criterion["levels"] = [*criterion["levels"], beyond]
        criterion["alignments"] = [{"statement": STANDARD}]
    achievement = story.partner.post("/v1/achievements", body)
    story.partner.post(f"/v1/achievements/{achievement['id']}/versions/1/publish")
    panel = story.partner.post("/v1/panels", panel_body(members=list(READERS)))
    program = story.partner.post(
        "/v1/programs",
        {"name": "Leadership", "panel_id": panel["id"], "achievement_ids": [achievement["id"]], "policy": POLICY},
    )
    story.ids |= {"achievement": str(achievement["id"]), "program": str(program["id"])}


def enroll(story: Story) -> None:
    wanted = {
        "program_id": story.ids["program"],
        "recipient": {"name": LEARNER, "email": address_of(LEARNER)},
        "school": "school-12",
        "goal": "Fewer referrals",
        "context": {"role": "Principal", "grade_band": "6-8"},
    }
    enrollment = story.partner.post("/v1/enrollments", wanted)
    story.ids |= {"enrollment": str(enrollment["id"]), "learner": str(enrollment["learner_id"])}


def enter_people(story: Story) -> None:
    """Everybody is entered by the partner's system and invited, and then signs in by a link from the mail."""
    roles: dict[str, list[str]] = {name: ["lead"] for name in MASTERS}
    roles |= {name: ["lead" if code in LEADS else "assessor"] for code, name in READERS.items()}
    roles |= {name: ["approver"] for name in APPROVERS} | {LEARNER: ["learner"]}
    for name, held in roles.items():
        learner = {"learner_id": story.ids["learner"]} if held == ["learner"] else {}
        person = {"name": name, "email": address_of(name), "roles": held, "invite": True, **learner}
        story.ids[name] = str(story.partner.post("/v1/people", person)["id"])
    for code, name in READERS.items():
        story.ids[code] = str(
            story.partner.post("/v1/assessors", {"person_id": story.ids[name], "code": code, "school": "school-40"})[
                "id"
            ]
        )
    sign_in(story, list(roles))
    for code, name in READERS.items():
        story.people[code] = story.people[name]


def sign_in(story: Story, names: list[str]) -> None:
    """Each in a browser of their own: the address of the page is in the invitation, the link in the mail that one asks for."""
    base_url = story.settings.public_url
    page = f"{base_url}/sign-in/academy"
    browsers = {
        address_of(name): story.open.enter_context(
            httpx.Client(base_url=base_url, headers={"Accept": "text/html", "Origin": base_url}, timeout=60)
        )
        for name in names
    }
    for address, browser in browsers.items():
        until(lambda address=address: find_mail(story, address, page), f"the invitation of {address}")
        assert browser.post(page, data={"email": address}).status_code == 200
    for name in names:
        address = address_of(name)
        mail = until(lambda address=address: find_mail(story, address, "/sign-in/links/"), f"the link of {address}")
        signed_in = browsers[address].post(link_in(mail))
        assert (signed_in.status_code, signed_in.headers["Location"]) == (303, f"{base_url}/home"), signed_in.text
        made = browsers[address].post("/v1/me/tokens", json={"name": "journey", "expires_in_days": 1})
        story.people[name] = story.open.enter_context(Caller(base_url, made.raise_for_status().json()["token"]))
        assert story.people[name].get("/v1/me").json()["name"] == name


def find_mail(story: Story, address: str, text: str) -> Any:
    mails = read_mails(story.settings.data_directory)
    return next((each for each in mails if each["To"] == address and text in each.get_content()), None)


def make_anchors(story: Story) -> list[str]:
    """Two qualification anchors, read by three masters who reconcile their scores."""
    anchors = []
    for number, levels in enumerate((MET, SHORT), 1):
        work = {"parts": [{"key": "overview", "text": f"Work {number} of somebody unknown."}]}
        anchor = story.partner.post("/v1/anchors", {**story.version, "role": "qualification", "content": work})
        for name in MASTERS:
            story.people[name].post(f"/v1/anchors/{anchor['id']}/master-readings", {"levels": levels})
        agreed = {"levels": levels, "rationales": dict.fromkeys(levels, "As the masters agreed.")}
        story.people[MASTERS[0]].post(f"/v1/anchors/{anchor['id']}/reconcile", agreed)
        anchors.append(str(anchor["id"]))
    return anchors


def qualify(story: Story, anchors: list[str]) -> None:
    """Everybody of the panel passes a round, and gets a badge for it."""
    truth = dict(zip(anchors, (MET, SHORT), strict=True))
    for code in READERS:
        body = {**story.version, "program_id": story.ids["program"], "assessor_id": story.ids[code]}
        story.people[MASTERS[0]].post("/v1/qualification-rounds", {**body, "sets": [[each] for each in anchors]})
        [own] = story.people[code].get("/v1/me/anchor-sessions").json()["items"]
        for anchor_id in anchors:
            place = f"/v1/anchor-sessions/{own['id']}/anchors/{anchor_id}"
            assert story.people[code].get(place).json()["work"]["parts"]
            answer = story.people[code].post(f"{place}/responses", {"levels": truth[anchor_id]})
            assert answer["true_scores"] is None
    certifications = story.partner.get("/v1/certifications").json()["items"]
    assert [each["state"] for each in certifications] == ["certified"] * len(READERS)


def all_have_certification_badges(story: Story) -> bool | None:
    certifications = story.partner.get("/v1/certifications").json()["items"]
    return all(each["decision_id"] for each in certifications) or None


def submit(story: Story) -> None:
    """The learner hands in: words, an address, and a file that the badge may name."""
    ada = story.people[LEARNER]
    begun = {"enrollment_id": story.ids["enrollment"], "achievement_id": story.ids["achievement"]}
    story.ids["submission"] = str(ada.post("/v1/submissions", begun)["id"])
    ada.put(f"{story.path}/statement", json=STATEMENT)
    url = {"part": "artifacts", "name": "Equity audit", "url": "https://evidence.example.org/17"}
    ada.post(f"{story.path}/artifacts", url)
    file = {"part": "artifacts", "name": "Lesson plan", "genre": "Plan", "consent": True}
    artifact = ada.post(f"{story.path}/artifacts", file)
    ada.put(f"{story.path}/artifacts/{artifact['id']}/file", content=PDF, headers=AS_PDF)
    assert ada.post(f"{story.path}/submit")["state"] == "submitted"


def screen(story: Story) -> None:
    lead = story.people[MASTERS[1]]
    [waiting] = lead.get("/v1/screenings/waiting").json()["items"]
    assert waiting["submission_id"] == story.ids["submission"]
    assert LEARNER.split()[0] not in lead.get(f"{story.path}/work").text
    lead.post(f"{story.path}/screenings", {"outcome": "accepted"})


def readings_of(story: Story, code: str) -> list[Document]:
    """The readings that this assessor has to do."""
    held: list[Document] = story.people[code].get("/v1/readings").json()["items"]
    return [each for each in held if each["state"] == "assigned"]


def find_readings(story: Story, count: int) -> list[tuple[str, Document]] | None:
    """Who has to read what, once so many have."""
    held = [(code, reading) for code in READERS for reading in readings_of(story, code)]
    return held if len(held) == count else None


def read(story: Story, code: str, reading: Document, levels: dict[str, str]) -> None:
    """Start, look at the work with its file, and score it."""
    path, reader = f"/v1/readings/{reading['id']}", story.people[code]
    work = reader.post(f"{path}/start")["work"]
    assert isinstance(work, dict)
    assert [part["key"] for part in work["parts"]] == ["overview", "reflection"]
    assert LEARNER not in json.dumps(work)
    [file] = [each for each in work["artifacts"] if each["url"] is None]
    assert reader.get(f"{path}/artifacts/{file['id']}").content == PDF
    results = [
        {"criterion": key, "level": level, "rationale": f"Why it is {level}.", "feedback": f"What comes after {level}."}
        for key, level in levels.items()
    ]
    reader.post(f"{path}/submission", {"results": results})


def read_twice_and_adjudicate(story: Story) -> None:
    """Two assessors come to different decisions; each has only their own reading. A lead settles it."""
    [first, second] = until(lambda: find_readings(story, 2), "two readings")
    assert {first[0], second[0]} == {"A-01", "A-02"}
    read(story, *first, SHORT)
    for hidden in (f"/v1/readings/{first[1]['id']}", f"{story.path}/readings"):
        assert httpx.get(story.settings.public_url + hidden, headers=story.people[second[0]].headers).status_code in (
            403,
            404,
        )
    read(story, *second, MET)
    [adjudication] = until(lambda: find_readings(story, 1), "the adjudication")
    assert adjudication[0] in LEADS
    read(story, *adjudication, MET)


def decide(story: Story) -> Document:
    """The first approver finds what waits, looks and awards."""
    approver = story.people[APPROVERS[0]]

    def find_waiting() -> Document | None:
        return next(iter(approver.get("/v1/recommendations/waiting").json()["items"]), None)

    waiting = until(find_waiting, "the recommendation")
    assert waiting["submission_id"] == story.ids["submission"]
    recommended = approver.get(f"{story.path}/recommendation").json()
    assert (recommended["method"], recommended["outcome"]) == ("expert_judgment", "awarded")
    decision = approver.post(f"{story.path}/decision", {"outcome": "awarded"})
    assert find_waiting() is None
    return decision


def appeal(story: Story, decision: Document) -> Document:
    """The learner reads the feedback and appeals; who has not read yet reads again; the other approver amends."""
    ada, approver = story.people[LEARNER], story.people[APPROVERS[1]]
    feedback = ada.get(f"{story.path}/feedback").json()
    told = [(each["criterion"], each["level"], each["feedback"]) for each in feedback["criteria"]]
    assert told == [(key, level, f"What comes after {level}.") for key, level in MET.items()]
    filed = ada.post("/v1/appeals", {"decision_id": decision["id"], "grounds": "Three schools use our plan by now."})
    [reading] = until(lambda: find_readings(story, 1), "the reading for the appeal")
    assert reading[0] in LEADS
    read(story, *reading, ABOVE)

    def find_read() -> Document | None:
        appeals = approver.get("/v1/appeals").json()["items"]
        return next((each for each in appeals if each["state"] == "read"), None)

    found = until(find_read, "the new levels of record")
    assert (found["id"], found["grounds"]) == (filed["id"], "Three schools use our plan by now.")
    answer = {"outcome": "changed", "answer": "Read again: others learn from it."}
    answered = approver.post(f"/v1/appeals/{filed['id']}/decision", answer)
    assert (answered["state"], ada.get(f"/v1/appeals/{filed['id']}").json()["answer"]) == ("decided", answer["answer"])
    amended: Document = approver.get(f"/v1/decisions/{answered['new_decision_id']}").json()
    assert (amended["supersedes"], amended["reason_code"]) == (decision["id"], "appeal")
    return amended


def levels_in(badge: Document) -> list[str]:
    """The names of the levels that the results refer to, in the order of the criteria."""
    names = {
        level["id"]: level["name"]
        for description in badge["credentialSubject"]["achievement"]["resultDescription"]
        for level in description.get("rubricCriterionLevel", [])
    }
    achieved = [each.get("achievedLevel") for each in badge["credentialSubject"]["result"]]
    return [names[each] for each in achieved if each in names]


def strings_in(value: object) -> Iterator[str]:
    """Every text in a document, names of members among them."""
    if isinstance(value, dict):
        yield from (text for pair in value.items() for part in pair for text in strings_in(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in strings_in(part))
    else:
        yield str(value)


def require_discreet(story: Story, badge: Document) -> None:
    """Evidence is what was consented to; nothing tells who read, how often, or at which attempt."""
    [evidence] = badge["evidence"]
    assert evidence["name"] == "Lesson plan"
    multihash = b"\x12\x20" + hashlib.sha256(PDF).digest()
    assert evidence["digestMultibase"] == "u" + base64.urlsafe_b64encode(multihash).decode().rstrip("=")
    assert badge["credentialSubject"]["source"]["name"] == panel_body()["name"]
    texts = list(strings_in(badge))
    everybody = [LEARNER, *MASTERS, *READERS.values(), *READERS, *APPROVERS]
    hidden = [*everybody, "evidence.example.org", "Why it is", "What comes after", "Three schools", "attempt", "appeal"]
    assert [word for word in hidden if any(word.casefold() in text.casefold() for text in texts)] == []


def require_accepted_by_others(anyone: Caller, before: Document, after: Document) -> None:
    def download(url: str) -> bytes:
        return anyone.get(url).content

    assert verify_with_openbadgeslib(after, download=download).accepted
    assert not verify_with_openbadgeslib(before, download=download).accepted
    old, new = verify_with_verifier_core([before, after])
    assert (old["steps"]["valid_signature"], old["steps"]["revocation_status"]) == (True, False)
    assert (new["steps"]["valid_signature"], new["steps"]["revocation_status"]) == (True, True), new
    assert new["steps"].get("schema_check", True) is True, new


def require_sound_for_strict_consumers(badge: Document, shared: Path, directory: Path) -> None:
    file = directory / "badge.json"
    file.write_text(json.dumps(badge))
    checked = subprocess.run(
        [sys.executable, shared / "tools" / "check_badge.py", file], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_submit_read_adjudicate_award_appeal_amend(
    settings: Settings, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    settings = settings.model_copy(update={"public_url": f"http://127.0.0.1:{free_port()}"})
    with serving(settings), ExitStack() as stack:
        anyone = stack.enter_context(Caller(settings.public_url))
        partner = stack.enter_context(Caller(settings.public_url, found_issuer(settings)))
        story = Story(settings, stack, anyone, partner)
        define(story)
        enroll(story)
        enter_people(story)
        qualify(story, make_anchors(story))
        submit(story)
        screen(story)
        read_twice_and_adjudicate(story)
        decision = decide(story)
        before = decision["credential"]["document"]
        assert verdict(anyone, before) == (True, [])
        assert levels_in(before) == ["Demonstrated", "Demonstrated"]

        amended = appeal(story, decision)
        after = anyone.get(before["id"], headers={"Accept": "application/vc+ld+json"}).json()
        assert after == amended["credential"]["document"]
        assert levels_in(after) == ["Demonstrated", "Exemplary"]
        assert (after["id"], after["awardedDate"]) == (before["id"], before["awardedDate"])
        assert after["validFrom"] > before["validFrom"]
        assert verdict(anyone, after) == (True, [])
        assert verdict(anyone, before) == (False, ["revoked"])
        require_discreet(story, after)
        until(lambda: all_have_certification_badges(story), "the badges of the assessors")
        # The story is told; what is missing here of other people's checks skips these alone.
        require_accepted_by_others(anyone, before, after)
        require_sound_for_strict_consumers(after, request.getfixturevalue("shared"), tmp_path)
