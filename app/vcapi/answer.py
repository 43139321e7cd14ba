"""What verifying is answered with."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.vcapi.bodies import CredentialResult, ProblemDetail, VerificationAnswer
from app.vcapi.problems import Finding, title_of, type_of
from app.vcapi.verify import Found, is_verified


def answer_credential(found: Found, credential: Any, options: Mapping[str, Any]) -> VerificationAnswer:
    answer = _answer(found.is_verified, found.document, options)
    if options.get("returnCredential"):
        answer.credential = credential
    return answer


def answer_presentation(found: Found, presentation: Any, options: Mapping[str, Any]) -> VerificationAnswer:
    """The problems of the presentation and of the credentials in it, and each by itself."""
    everything = [*found.document, *(each for findings in found.credentials for each in findings)]
    answer = _answer(found.is_verified, everything, options)
    answer.presentationResult = _result(found.document)
    answer.credentialResults = [_result(findings) for findings in found.credentials]
    if options.get("returnPresentation"):
        answer.presentation = presentation
    return answer


def _answer(verified: bool, findings: Sequence[Finding], options: Mapping[str, Any]) -> VerificationAnswer:
    answer = VerificationAnswer(verified=verified)
    if options.get("returnProblemDetails", True):
        answer.problemDetails = [_problem(each) for each in findings if not each.is_warning]
        answer.warnings = [_problem(each) for each in findings if each.is_warning]
    if not verified:
        answer.errors = [f"{each.code}: {each.detail}" for each in findings if not each.is_warning]
    return answer


def _result(findings: Sequence[Finding]) -> CredentialResult:
    problems = [_problem(each) for each in findings if not each.is_warning]
    return CredentialResult(verified=is_verified(findings), problemDetails=problems)


def _problem(finding: Finding) -> ProblemDetail:
    return ProblemDetail(type=type_of(finding), title=title_of(finding), detail=finding.detail, pointer=finding.pointer)
