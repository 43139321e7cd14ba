"""The processes that judge for the VC-API, and can be killed: as those of `app.verification.judge`, with other questions.

A question and its answer are JSON: {"verb": …, …} -> {"answer": …} or {"refused": {code, detail, faults}}.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from app.contexts import load_contexts, load_resources
from app.errors import AssayError, Broken, Fault, InvalidInput
from app.openbadges.conformance import LintFault
from app.proofs.data_integrity import proofs_of
from app.proofs.ecdsa_sd_2023 import CRYPTOSUITE, derive
from app.proofs.open_contexts import OpenContexts
from app.vcapi.errors import MalformedCredential, MalformedPresentation, NotDerivable, UnreadableTerms
from app.vcapi.judging import Knowledge, judge_credential, judge_presentation
from app.vcapi.lint import lint_credential, lint_presentation
from app.vcapi.problems import Finding
from app.verification.gathered import Gathered
from app.verification.judge import JudgePool, decode_request, encode_request, serve

MODULE = "app.vcapi.judge"

_REFUSALS: Mapping[str, type[AssayError]] = {
    each.code: each for each in (MalformedCredential, MalformedPresentation, UnreadableTerms, NotDerivable)
}
_OVER_BUDGET = Finding("work_budget_exceeded", "It takes more work than any real document does.")
_FAILED = Finding("judge_failed", "Report this document to us.")


class VcApiJudges:
    """Asks the processes of a pool that was opened with MODULE. Every method raises Unavailable when too many are waiting."""

    def __init__(self, pool: JudgePool) -> None:
        self._pool = pool

    async def lint(self, document: Mapping[str, Any], *, is_generic: bool, is_presentation: bool = False) -> None:
        """Whether signing `document` would be refused, found where it can take no more than its time.

        Raises what `lint_credential` and `lint_presentation` raise.
        """
        verb = "lint_presentation" if is_presentation else "lint_credential"
        await self._ask({"verb": verb, "document": document, "generic": is_generic}, UnreadableTerms)

    async def derive(self, document: Mapping[str, Any], pointers: Sequence[str], *, is_generic: bool) -> dict[str, Any]:
        """A derived credential. Raises NotDerivable, UnreadableTerms."""
        question = {"verb": "derive", "document": document, "pointers": list(pointers), "generic": is_generic}
        answer: dict[str, Any] = await self._ask(question, NotDerivable)
        return answer

    async def judge_credential(self, gathered: Gathered, now: datetime, *, is_generic: bool) -> list[Finding]:
        """What `judging.judge_credential` finds."""
        [found] = await self._judge({"verb": "credential"}, [gathered], now, is_generic)
        return found

    async def judge_presentation(
        self,
        gathered: Sequence[Gathered],
        options: Mapping[str, Any],
        now: datetime,
        *,
        is_generic: bool,
    ) -> list[list[Finding]]:
        """What `judging.judge_presentation` finds: `gathered` is the presentation, then the credentials in it."""
        return await self._judge({"verb": "presentation", "options": options}, gathered, now, is_generic)

    async def _judge(
        self, question: Mapping[str, Any], gathered: Sequence[Gathered], now: datetime, is_generic: bool
    ) -> list[list[Finding]]:
        parts = [json.loads(encode_request(each, now)) for each in gathered]
        answers = await self._pool.ask([json.dumps({**question, "gathered": parts, "generic": is_generic}).encode()])
        if not answers:
            return [[_OVER_BUDGET]] + [[]] * (len(gathered) - 1)
        return [[Finding(**each) for each in found] for found in json.loads(answers[0])["answer"]]

    async def _ask(self, question: Mapping[str, Any], over_budget: type[InvalidInput]) -> Any:
        answers = await self._pool.ask([json.dumps(question).encode()])
        if not answers:
            raise over_budget(_OVER_BUDGET.detail, faults=[Fault("", _OVER_BUDGET.detail)])
        told = json.loads(answers[0])
        if "refused" in told:
            raise _refusal_of(told["refused"])
        return told["answer"]


def _refusal_of(told: Mapping[str, Any]) -> AssayError:
    if told["code"] not in _REFUSALS:
        return Broken("A document could not be judged.")
    return _REFUSALS[told["code"]](told["detail"], faults=[LintFault(**fault) for fault in told["faults"]])


# The child


def main(contexts_directory: Path) -> None:
    bundled = load_resources(contexts_directory)
    closed = Knowledge(load_contexts(contexts_directory), bundled)
    opened = Knowledge(OpenContexts(load_contexts(contexts_directory, catch_alls=True)), bundled)
    serve(partial(_answer, {False: closed, True: opened}))


def _answer(knowledge: Mapping[bool, Knowledge], request: bytes) -> bytes:
    question = json.loads(request)
    try:
        answer = _VERBS[question["verb"]](question, knowledge[question["generic"]])
    except InvalidInput as error:
        return _refused(error)
    except RecursionError:
        answer = _nothing_but(_OVER_BUDGET, question)
    except MemoryError:
        os._exit(3)  # what is left may be in any state; the parent starts another
    except Exception as error:  # noqa: BLE001  a mistake of ours over one document must not cost the next one its judge
        print("judge:", type(error).__name__, file=sys.stderr, flush=True)
        answer = _nothing_but(_FAILED, question)
    return json.dumps({"answer": answer}).encode()


def _refused(error: InvalidInput) -> bytes:
    faults = [{"rule": "", **asdict(fault)} for fault in error.faults]
    return json.dumps({"refused": {"code": error.code, "detail": error.detail, "faults": faults}}).encode()


def _nothing_but(finding: Finding, question: Mapping[str, Any]) -> Any:
    if "gathered" not in question:
        os._exit(4)  # the parent says that it took too much
    return [[asdict(finding)], *([] for _ in question["gathered"][1:])]


def _lint_credential(question: Mapping[str, Any], known: Knowledge) -> None:
    lint_credential(
        question["document"], contexts=known.contexts, bundled=known.bundled, is_generic=question["generic"]
    )


def _lint_presentation(question: Mapping[str, Any], known: Knowledge) -> None:
    lint_presentation(question["document"], contexts=known.contexts, bundled=known.bundled)


def _judge_credential(question: Mapping[str, Any], known: Knowledge) -> list[list[Any]]:
    gathered, now = _decode(question["gathered"][0])
    return [[asdict(each) for each in judge_credential(gathered, now, known)]]


def _judge_presentation(question: Mapping[str, Any], known: Knowledge) -> list[list[Any]]:
    [(presented, now), *credentials] = map(_decode, question["gathered"])
    found = judge_presentation(presented, [each for each, _ in credentials], question["options"], now, known)
    return [[asdict(each) for each in findings] for findings in found]


def _decode(sent: Any) -> tuple[Gathered, datetime]:
    return decode_request(json.dumps(sent).encode())


def _derive(question: Mapping[str, Any], known: Knowledge) -> dict[str, Any]:
    document = question["document"]
    proof = next(
        (each for each in proofs_of(document) if isinstance(each, dict) and each.get("cryptosuite") == CRYPTOSUITE),
        None,
    )
    if proof is None:
        raise NotDerivable(
            f"The credential has no proof of {CRYPTOSUITE}.", faults=[Fault("/proof", "is not of this kind")]
        )
    try:
        return derive(document, proof, question["pointers"], contexts=known.contexts)
    except InvalidInput as error:
        refusal = UnreadableTerms if error.code in ("unsafe_document", "unknown_context") else NotDerivable
        raise refusal(error.detail, faults=error.faults or [Fault("", error.detail)]) from error


_VERBS: Mapping[str, Callable[[Mapping[str, Any], Knowledge], Any]] = {
    "lint_credential": _lint_credential,
    "lint_presentation": _lint_presentation,
    "credential": _judge_credential,
    "presentation": _judge_presentation,
    "derive": _derive,
}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
