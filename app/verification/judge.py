"""Judging in processes that can be killed.

Canonicalizing a document can be made to cost anything by whoever writes it, and nothing inside Python can stop it
reliably. So documents are judged in child processes that live on, hold the contexts and nothing else (no database, no
key, no need of a network), and are killed and replaced when a document takes too long or too much memory.

    parent (JudgePool)                        child (python -m app.verification.judge DIRECTORY)
      4 bytes big-endian length, JSON   ->      Gathered and the moment
                                        <-      the list of checks; first of all, one frame when it is ready
"""

import asyncio
import contextlib
import json
import math
import os
import resource
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from app.contexts import CONTEXTS_DIRECTORY, load_contexts
from app.errors import Broken, Unavailable
from app.proofs.jose_keys import TokenKey
from app.proofs.multikey import decode_multikey
from app.proofs.verification_method import VerificationMethod
from app.verification.checks import judge
from app.verification.gathered import Gathered, Missing
from app.verification.verdict import NAMES, Check
from app.verification.verdicts import check, not_checked

DEADLINE_SECONDS = 2.0
START_SECONDS = 30.0
QUEUE_SECONDS = 10.0
BATCH = 8
MEMORY_BYTES = 256 << 20
MAX_FRAME_BYTES = 16 << 20

_LENGTH = struct.Struct(">I")
_PACKAGE_ROOT = Path(__file__).resolve().parent.parent.parent


def over_budget() -> list[Check]:
    """What is said of a document that takes too long: its proof failed, the rest is not known."""
    return _proof_only("work_budget_exceeded")


def _proof_only(code: str) -> list[Check]:
    return [check(code) if name == "proof" else not_checked([name])[0] for name in NAMES]


# The pool


class JudgePool:
    """`size` children, at most `max_waiting` documents waiting for one.

    Used between `start` (or `start_lazily`) and `close`, on one event loop.
    """

    def __init__(
        self,
        *,
        size: int = 2,
        max_waiting: int = 32,
        contexts_directory: Path = CONTEXTS_DIRECTORY,
        deadline_seconds: float = DEADLINE_SECONDS,
        module: str = "app.verification.judge",
    ) -> None:
        self._module = module
        self._size = size
        self._max_waiting = max_waiting
        self._contexts_directory = contexts_directory.resolve()
        self._deadline_seconds = deadline_seconds
        self._waiting = 0
        self._closed = False
        self._idle: asyncio.Queue[_Child | None] = asyncio.Queue()
        self._replacements: set[asyncio.Task[None]] = set()
        self._children: set[_Child] = set()

    async def start(self) -> None:
        """Start the children. Raises Broken when they do not come up (a context file altered, say)."""
        try:
            opened = await asyncio.gather(*(self._open_child() for _ in range(self._size)), return_exceptions=True)
            for child in opened:
                if isinstance(child, BaseException):
                    raise child
                self._idle.put_nowait(child)
        except BaseException:
            await self.close()
            raise

    def start_lazily(self) -> None:
        """Start each child with the first document it gets."""
        for _ in range(self._size):
            self._idle.put_nowait(None)

    async def judge(self, gathered: Gathered, now: datetime) -> list[Check]:
        """The checks of `gathered` at `now`, or those of `over_budget` when they took too long.

        Raises Unavailable when too many documents are waiting already.
        """
        [checks] = await self._judge_together([gathered], now)
        return checks

    async def judge_all(self, gathered: Sequence[Gathered], now: datetime) -> list[list[Check]]:
        """The checks of each. BATCH of them have the time of one document, and after one that took too long no more are judged:
        whoever composed the whole decides what is in it."""
        judged: list[list[Check]] = []
        for start in range(0, len(gathered), BATCH):
            batch = gathered[start : start + BATCH]
            checks = await self._judge_together(batch, now)
            judged += checks
            if over_budget() in checks:
                break
        return [*judged, *(over_budget() for _ in gathered[len(judged) :])]

    async def _judge_together(self, gathered: Sequence[Gathered], now: datetime) -> list[list[Check]]:
        """One deadline for all of them; what is not judged by then is answered as over budget."""
        requests = [encode_request(each, now) for each in gathered]
        answers = await self.ask(requests)
        judged = [[Check(**each) for each in json.loads(answer)] for answer in answers]
        return [*judged, *(over_budget() for _ in requests[len(answers) :])]

    async def ask(self, requests: Sequence[bytes]) -> list[bytes]:
        """What a child answers to each request, within one deadline; fewer when the time or its memory was up.

        Raises Unavailable when too many documents are waiting already.
        """
        child = await self._acquire()
        answers: list[bytes] = []
        try:
            async with asyncio.timeout(self._deadline_seconds):
                for request in requests:
                    answers.append(await child.ask(request))  # noqa: PERF401  those there are count if the next is late
        except (TimeoutError, OSError, EOFError):
            pass
        finally:
            # Also when the caller went away: its answer must not be read as that of the next document.
            if len(answers) < len(requests):
                self._replace(child)
            else:
                self._idle.put_nowait(child)
        return answers

    async def close(self) -> None:
        """End every child. What is being judged is answered as over budget; what waits, as unavailable."""
        self._closed = True
        for _ in range(self._waiting):
            self._idle.put_nowait(None)
        for task in self._replacements:
            task.cancel()
        await asyncio.gather(*self._replacements, return_exceptions=True)
        await asyncio.gather(*(child.close() for child in self._children))

    async def _acquire(self) -> "_Child":
        if self._closed or self._waiting >= self._max_waiting:
            raise _busy()
        self._waiting += 1
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                child = await self._idle.get()
        except TimeoutError:
            raise _busy() from None
        finally:
            self._waiting -= 1
        if self._closed:
            raise _busy()
        return child if child is not None and child.is_alive else await self._reopen(child)

    async def _reopen(self, dead: "_Child | None") -> "_Child":
        """A child in the place of one that ended while idle, or was never started. Raises Broken when it will not."""
        fresh: _Child | None = None
        try:
            await self._end(dead)
            fresh = await self._open_child()
        finally:
            if fresh is None:
                self._idle.put_nowait(None)
        return fresh

    def _replace(self, child: "_Child") -> None:
        child.kill()
        task = asyncio.create_task(self._refill(child))
        self._replacements.add(task)
        task.add_done_callback(self._replacements.discard)

    async def _refill(self, dead: "_Child") -> None:
        with contextlib.suppress(Broken, Unavailable):  # the next document in this place tries again, and says so
            self._idle.put_nowait(await self._reopen(dead))

    async def _open_child(self) -> "_Child":
        if self._closed:
            raise _busy()
        child = await _Child.open(self._contexts_directory, self._module)
        self._children.add(child)
        return child

    async def _end(self, child: "_Child | None") -> None:
        if child is not None:
            await child.close()
            self._children.discard(child)


def _busy() -> Unavailable:
    return Unavailable("Too many badges are being verified.", cure="Try again in a few seconds.")


class _Child:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._reading = asyncio.Lock()

    @classmethod
    async def open(cls, contexts_directory: Path, module: str) -> "_Child":
        """A child that has said it is ready. Raises Broken."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            str(contexts_directory),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=_PACKAGE_ROOT,
            # Settings hold secrets, and they are in the environment.
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            # Ctrl-C in a terminal is for the server, which then closes its children.
            start_new_session=True,
        )
        child = cls(process)
        try:
            async with asyncio.timeout(START_SECONDS):
                await child._read()
        except (TimeoutError, OSError, EOFError):
            await child.close()
            raise Broken("The process that judges badges did not start.") from None
        except BaseException:
            await child.close()
            raise
        return child

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, request: bytes) -> bytes:
        """The answer to one request. Raises EOFError or OSError when the child has ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(_LENGTH.pack(len(request)) + request)
        await self._process.stdin.drain()
        return await self._read()

    async def _read(self) -> bytes:
        assert self._process.stdout is not None
        async with self._reading:
            (length,) = _LENGTH.unpack(await self._process.stdout.readexactly(_LENGTH.size))
            if length > MAX_FRAME_BYTES:
                raise EOFError
            return await self._process.stdout.readexactly(length)

    def kill(self) -> None:
        # There is nothing in it to save.
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def close(self) -> None:
        """Kill the child and wait until it and both pipes are gone. Whoever waits for its answer gets EOFError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.kill()
        self._process.stdin.close()
        async with self._reading:
            await self._process.stdout.read()
        await self._process.wait()


# Both ends


def encode_request(gathered: Gathered, now: datetime) -> bytes:
    return json.dumps(
        {
            "credential": gathered.credential,
            "methods": {
                name: asdict(method) if isinstance(method, Missing) else _encode_method(method)
                for name, method in gathered.methods.items()
            },
            "status_lists": _encode_documents(gathered.status_lists),
            "documents": _encode_documents(gathered.documents),
            "token_keys": {name: _encode_token_key(key) for name, key in gathered.token_keys.items()},
            "now": now.isoformat(),
        }
    ).encode()


def decode_request(request: bytes) -> tuple[Gathered, datetime]:
    sent = json.loads(request)
    gathered = Gathered(
        credential=sent["credential"],
        methods={name: _decode_method(name, each) for name, each in sent["methods"].items()},
        status_lists={url: _decode_document(each) for url, each in sent["status_lists"].items()},
        documents={url: _decode_document(each) for url, each in sent["documents"].items()},
        token_keys={name: _decode_token_key(each) for name, each in sent["token_keys"].items()},
    )
    return gathered, datetime.fromisoformat(sent["now"])


def _encode_token_key(key: TokenKey | Missing) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(key).items()}


def _decode_token_key(sent: Mapping[str, Any]) -> TokenKey | Missing:
    if "code" in sent:
        return Missing(**sent)
    times = {name: sent[name] and datetime.fromisoformat(sent[name]) for name in ("expires", "revoked")}
    return TokenKey(**{**sent, **times})


def _encode_documents(documents: Mapping[str, Mapping[str, Any] | Missing]) -> dict[str, Any]:
    return {url: asdict(each) if isinstance(each, Missing) else {"document": each} for url, each in documents.items()}


def _encode_method(method: VerificationMethod) -> dict[str, str | None]:
    return {
        "controller": method.controller,
        "public_key_multibase": method.public_key_multibase,
        "expires": method.expires.isoformat() if method.expires else None,
        "revoked": method.revoked.isoformat() if method.revoked else None,
    }


def _decode_method(name: str, sent: Mapping[str, Any]) -> VerificationMethod | Missing:
    if "code" in sent:
        return Missing(**sent)
    multibase = sent["public_key_multibase"]
    expires, revoked = (sent[member] and datetime.fromisoformat(sent[member]) for member in ("expires", "revoked"))
    return VerificationMethod(name, sent["controller"], decode_multikey(multibase), multibase, expires, revoked)


def _decode_document(sent: Mapping[str, Any]) -> Mapping[str, Any] | Missing:
    if "code" in sent:
        return Missing(**sent)
    document: Mapping[str, Any] = sent["document"]
    return document


# The child


def main(contexts_directory: Path) -> None:
    """Judge what comes on stdin until it ends."""
    contexts = load_contexts(contexts_directory)
    serve(lambda request: json.dumps([asdict(each) for each in _answer(request, contexts)]).encode())


def serve(answer: Callable[[bytes], bytes]) -> None:
    """The loop of a child: within its limits, an answer to each request."""
    # Whatever prints by accident must not end up between two frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit_resources()
    _write_frame(answers, b"[]")
    while (request := _read_frame(sys.stdin.buffer)) is not None:
        _limit_processor_time()
        _write_frame(answers, answer(request))


def _answer(request: bytes, contexts: Mapping[str, dict[str, Any]]) -> list[Check]:
    try:
        gathered, now = decode_request(request)
        return judge(gathered, now, contexts=contexts)
    except RecursionError:
        return over_budget()
    except MemoryError:
        os._exit(3)  # what is left may be in any state; the parent starts another
    except Exception as error:  # noqa: BLE001  a mistake of ours over one document must not cost the next one its judge
        print("judge:", type(error).__name__, file=sys.stderr, flush=True)
        return _proof_only("judge_failed")


def _limit_resources() -> None:
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),  # a dump would hold what learners were awarded
        (resource.RLIMIT_FSIZE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # not every system has every limit
            resource.setrlimit(limit, (value, value))


def _limit_processor_time() -> None:
    """Should the parent die before it can kill: the system ends the process soon after the deadline."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(used.ru_utime + used.ru_stime + 2 * DEADLINE_SECONDS) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame, None when the stream has ended."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    frame = stream.read(length) if length <= MAX_FRAME_BYTES else b""
    return frame if len(frame) == length else None


def _write_frame(stream: BinaryIO, frame: bytes) -> None:
    stream.write(_LENGTH.pack(len(frame)) + frame)
    stream.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
