import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.contexts import CONTEXTS_DIRECTORY
from app.errors import Broken, Unavailable
from app.proofs.jose_keys import TokenKey
from app.verification.checks import judge
from app.verification.gathered import Gathered, Missing
from app.verification.judge import JudgePool, decode_request, encode_request
from app.verification.verdict import NAMES, Check, is_valid
from tests.verification.badges import (
    CONTEXTS,
    LIST_URL,
    NOW,
    badge,
    did_key_issuer,
    sign,
    status_entry,
    status_list,
)

ISSUER = did_key_issuer()
METHODS = {ISSUER.method_id: ISSUER.method}
GOOD = Gathered(
    sign(badge(ISSUER, credentialStatus=status_entry()), ISSUER), METHODS, {LIST_URL: sign(status_list(ISSUER), ISSUER)}
)
REVOKED = replace(GOOD, status_lists={LIST_URL: sign(status_list(ISSUER, ones=[7]), ISSUER)})


def entangled(size: int) -> Gathered:
    """Nodes without an id, each of which names all of them: what tells them apart is tried in every order."""
    everything = [{"id": f"_:n{number}", "type": ["Evidence"]} for number in range(size)]
    nodes = [node | {"evidence": everything} for node in everything]
    return Gathered(badge(ISSUER, evidence=nodes))


@asynccontextmanager
async def pool(*, size: int = 1, max_waiting: int = 32, deadline_seconds: float = 2.0) -> AsyncIterator[JudgePool]:
    judges = JudgePool(size=size, max_waiting=max_waiting, deadline_seconds=deadline_seconds)
    await judges.start()
    try:
        yield judges
    finally:
        await judges.close()


def children() -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == os.getpid() and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def read_process(child: int) -> tuple[bytes, str]:
    """Its environment and its limits."""
    directory = Path(f"/proc/{child}")
    return (directory / "environ").read_bytes(), (directory / "limits").read_text()


def freeze(child: int) -> None:
    """From now on the child is alive and takes for ever: what a document does that no budget foresaw."""
    os.kill(child, signal.SIGSTOP)


def proof_codes(checks: list[Check]) -> list[str]:
    return [each.code for each in checks if each.name == "proof"]


def test_a_child_judges_as_the_pure_function_does() -> None:
    async def story() -> None:
        async with pool() as judges:
            for gathered in (GOOD, REVOKED, replace(GOOD, methods={}), Gathered({})):
                assert await judges.judge(gathered, NOW) == judge(gathered, NOW, contexts=CONTEXTS)
            assert is_valid(await judges.judge(GOOD, NOW))
            assert not is_valid(await judges.judge(GOOD, NOW + timedelta(days=1000)))

    asyncio.run(story())


def test_everything_gathered_crosses_the_pipe() -> None:
    method = replace(ISSUER.method, expires=NOW, revoked=NOW + timedelta(days=1))
    missing = Missing("status_list_refused", "Why.")
    gathered = Gathered(
        {"a": ["b", 1, None, "ü"]},
        {"a": method, "b": Missing("verification_method_invalid", "Why.")},
        {"https://a.example/": missing, "https://b.example/": {"id": "c"}},
        {"https://c.example/": {"id": "d"}, "https://d.example/": missing},
        {"k": TokenKey("did:example:a", {"kty": "EC"}, "host", NOW, None), "l": missing},
    )
    decoded, now = decode_request(encode_request(gathered, NOW))
    assert now == NOW
    assert decoded.credential == gathered.credential
    assert decoded.status_lists == gathered.status_lists
    assert decoded.documents == gathered.documents
    assert decoded.token_keys == gathered.token_keys
    assert decoded.methods["b"] == gathered.methods["b"]
    again = decoded.methods["a"]
    assert not isinstance(again, Missing)
    assert (again.controller, again.public_key_multibase, again.expires, again.revoked) == (
        method.controller,
        method.public_key_multibase,
        method.expires,
        method.revoked,
    )


def test_a_document_over_the_deadline_is_answered_and_the_pool_recovers() -> None:
    async def story() -> None:
        async with pool(deadline_seconds=0.5) as judges:
            assert is_valid(await judges.judge(GOOD, NOW))
            [child] = children()
            freeze(child)
            # The frozen process never answers: without the deadline this would not end.
            checks = await judges.judge(GOOD, NOW)
            assert [(each.name, each.code) for each in checks] == [
                (name, "work_budget_exceeded" if name == "proof" else "not_checked") for name in NAMES
            ]
            assert not is_valid(checks)
            assert is_valid(await judges.judge(GOOD, NOW))
            assert child not in children()

    asyncio.run(story())


@pytest.mark.parametrize("size", [4, 8, 12, 40])
def test_entangled_nodes_end_within_the_deadline(size: int) -> None:
    async def story() -> None:
        async with pool() as judges:
            checks = await judges.judge(entangled(size), NOW)
            assert not is_valid(checks)
            assert is_valid(await judges.judge(GOOD, NOW))

    asyncio.run(story())


def test_a_child_survives_garbage() -> None:
    frames = [
        b"",
        b"garbage",
        b"[]",
        b"{}",
        b'{"credential": 5, "methods": {}, "status_lists": {}, "now": "x"}',
        b"\xff",
    ]
    frames.append(encode_request(GOOD, NOW))
    sent = b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "app.verification.judge", str(CONTEXTS_DIRECTORY)]
    done = subprocess.run(command, input=sent, capture_output=True, timeout=60, cwd=root, check=True)
    answers, rest = [], done.stdout
    while rest:
        (length,) = struct.unpack(">I", rest[:4])
        answers.append([Check(**each) for each in json.loads(rest[4 : 4 + length])])
        rest = rest[4 + length :]
    ready, *wrong, good = answers
    assert ready == []
    assert len(wrong) == len(frames) - 1
    assert all(proof_codes(each) == ["judge_failed"] for each in wrong)
    assert is_valid(good)


def test_a_child_that_dies_while_idle_costs_nobody_a_verdict() -> None:
    async def story() -> None:
        async with pool() as judges:
            [child] = children()
            os.kill(child, signal.SIGKILL)
            await asyncio.sleep(0.2)
            assert is_valid(await judges.judge(GOOD, NOW))

    asyncio.run(story())


def test_a_caller_that_goes_away_does_not_leave_its_answer_to_the_next() -> None:
    async def story() -> None:
        async with pool() as judges:
            freeze(*children())
            task = asyncio.create_task(judges.judge(REVOKED, NOW))
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert is_valid(await judges.judge(GOOD, NOW))

    asyncio.run(story())


def test_many_at_once_get_their_own_answers() -> None:
    async def story() -> None:
        async with pool(size=2) as judges:
            asked = [GOOD, REVOKED] * 8
            answers = await asyncio.gather(*(judges.judge(each, NOW) for each in asked))
            assert [is_valid(each) for each in answers] == [True, False] * 8

    asyncio.run(story())


def test_the_queue_is_bounded() -> None:
    async def story() -> None:
        async with pool(max_waiting=2) as judges:
            tasks = [asyncio.create_task(judges.judge(GOOD, NOW)) for _ in range(6)]
            results = await asyncio.gather(*tasks, return_exceptions=True)
            served = [each for each in results if isinstance(each, list)]
            refused = [each for each in results if isinstance(each, Unavailable)]
            assert (len(served), len(refused)) == (3, 3) or (len(served), len(refused)) == (2, 4)
            assert is_valid(await judges.judge(GOOD, NOW))

    asyncio.run(story())


def test_children_are_limited_and_know_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_KEY_ENCRYPTION_KEY", "a secret")

    async def story() -> None:
        async with pool() as judges:
            await judges.judge(GOOD, NOW)
            environment, limits = read_process(*children())
            assert b"ASSAY" not in environment
            [memory] = [line for line in limits.splitlines() if line.startswith("Max address space")]
            assert memory.split()[3] == str(256 << 20)
            [processor] = [line for line in limits.splitlines() if line.startswith("Max cpu time")]
            assert int(processor.split()[3]) < 30

    asyncio.run(story())


def test_closing_leaves_no_process_and_takes_no_more() -> None:
    async def story() -> None:
        judges = JudgePool(size=2)
        await judges.start()
        assert len(children()) == 2
        for child in children():
            freeze(child)
        slow = asyncio.create_task(judges.judge(GOOD, NOW))
        await asyncio.sleep(0.05)
        await judges.close()
        assert children() == set()
        assert not is_valid(await slow)
        with pytest.raises(Unavailable):
            await judges.judge(GOOD, NOW)
        await judges.close()

    asyncio.run(story())


def test_a_pool_without_contexts_does_not_start(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(Broken):
            await JudgePool(size=1, contexts_directory=tmp_path).start()
        assert children() == set()

    asyncio.run(story())
