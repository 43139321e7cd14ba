"""Small documents made to take for ever run out of a budget that is counted, not timed, and honest ones do not."""

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import pytest

from app.contexts import load_contexts
from app.proofs import rdfc
from app.proofs.errors import UnsafeDocument, WorkBudgetExceeded
from app.proofs.rdfc import Quad, Term

CONTEXTS = load_contexts()
OB = ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]
LINK = Term("IRI", "urn:example:link")


def blank(index: int) -> Term:
    return Term("blank node", f"_:n{index}")


def clique(size: int) -> list[Quad]:
    return [Quad(blank(one), LINK, blank(two)) for one, two in permutations(range(size), 2)]


def ring(size: int) -> list[Quad]:
    return [Quad(blank(index), LINK, blank((index + 1) % size)) for index in range(size)]


def star(size: int) -> list[Quad]:
    return [Quad(blank(0), LINK, blank(index + 1)) for index in range(size)]


@pytest.mark.parametrize("dataset", [clique(8), clique(12), clique(60), ring(3000), star(4000)], ids=len)
def test_entangled_blank_nodes_run_out_of_budget(dataset: list[Quad]) -> None:
    with pytest.raises(WorkBudgetExceeded):
        rdfc.canonicalize_dataset(dataset)


@pytest.mark.parametrize("dataset", [clique(4), ring(20), star(5)], ids=len)
def test_a_little_entanglement_is_within_budget(dataset: list[Quad]) -> None:
    form = rdfc.canonicalize_dataset(dataset)
    renamed = [
        Quad(Term("blank node", q.subject.value + "x"), q.predicate, Term("blank node", q.object.value + "x"))
        for q in dataset
    ]
    assert rdfc.canonicalize_dataset(renamed[::-1]) == form


def document(**members: Any) -> dict[str, Any]:
    return {"@context": OB, "id": "urn:example:1", "type": ["VerifiableCredential", "OpenBadgeCredential"]} | members


def tree(depth: int, width: int) -> dict[str, Any]:
    children = [tree(depth - 1, width) for _ in range(width)] if depth else []
    return {"type": ["Profile"]} | ({"parentOrg": children} if children else {})


def chain(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"type": ["Profile"], "name": "end"}
    for level in range(depth):
        node = {"type": ["Profile"], "name": str(level), "parentOrg": node}
    return node


def chain_of_equals(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = {"type": ["Profile"]}
    for _ in range(depth):
        node = {"type": ["Profile"], "parentOrg": node}
    return node


def linked_by_id(size: int) -> list[dict[str, Any]]:
    names = [{"id": f"_:n{index}"} for index in range(size)]
    return [{**name, "type": ["Profile"], "parentOrg": [other for other in names if other != name]} for name in names]


def looped() -> dict[str, Any]:
    profile: dict[str, Any] = {"type": ["Profile"]}
    profile["parentOrg"] = profile
    return profile


BOMBS: dict[str, Callable[[], Any]] = {
    "chain of equals": lambda: chain_of_equals(60),
    "list of equals": lambda: {
        "type": ["ResultDescription"],
        "allowedValue": ["a"] * 2000,
    },
    "deep chain": lambda: chain(400),
    "very deep chain": lambda: chain(5000),
    "binary tree of equals": lambda: tree(9, 2),
    "wide tree of equals": lambda: tree(2, 12),
    "two thousand equals": lambda: [{"type": ["Profile"]} for _ in range(2100)],
    "too many statements": lambda: [{"id": f"urn:example:{index}", "name": "n"} for index in range(2600)],
    "too many values": lambda: {"type": ["Profile"], "name": [str(index) for index in range(20_000)]},
    "too many contexts": lambda: [{"@context": OB, "type": ["Profile"], "name": str(index)} for index in range(100)],
    "itself": looped,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_runs_out_of_budget(name: str) -> None:
    bomb = document(issuer=BOMBS[name]())
    with pytest.raises(WorkBudgetExceeded):
        rdfc.canonicalize(bomb, contexts=CONTEXTS)


@pytest.mark.parametrize(
    "value",
    [{f"member{index}": "v" for index in range(9000)}, [f"relative{index}" for index in range(9000)]],
    ids=["undefined members", "relative ids"],
)
def test_of_thousands_of_faults_a_number_is_told(value: Any) -> None:
    with pytest.raises(UnsafeDocument) as refused:
        rdfc.canonicalize(document(issuer=value), contexts=CONTEXTS)
    assert len(refused.value.faults) == rdfc.MAX_FAULTS


def test_blank_nodes_cannot_be_linked_by_hand() -> None:
    with pytest.raises(UnsafeDocument):
        rdfc.canonicalize(document(issuer=linked_by_id(9)), contexts=CONTEXTS)


def honest() -> Iterator[Any]:
    yield pytest.param(chain(25), id="chain")
    yield pytest.param([{"type": ["Result"], "value": "3"} for _ in range(200)], id="200 equal results")
    yield pytest.param(
        [{"id": f"urn:example:r{i}", "type": ["Result"], "value": "3"} for i in range(1000)], id="1000 results"
    )


@pytest.mark.parametrize("value", list(honest()))
def test_large_honest_documents_are_within_budget(value: Any) -> None:
    member = (
        {"issuer": value}
        if isinstance(value, dict)
        else {"credentialSubject": {"type": ["AchievementSubject"], "result": value}}
    )
    assert rdfc.canonicalize(document(**member), contexts=CONTEXTS).nquads


def test_nesting_up_to_the_limit_is_accepted() -> None:
    # The document and the innermost object are two of the 64 levels.
    assert rdfc.canonicalize(document(issuer=chain(61)), contexts=CONTEXTS).nquads
    with pytest.raises(WorkBudgetExceeded, match="64 deep"):
        rdfc.canonicalize(document(issuer=chain(63)), contexts=CONTEXTS)
