"""docs/problems.md, the catalog of every problem. `python -m tests.house.problems_page` writes it anew."""

import json
from pathlib import Path

from app.web.problem_types import PROBLEM_TYPES, ProblemType, example_of
from tests.house.record_examples import BASE_URL

PAGE = Path(__file__).resolve().parents[2] / "docs" / "problems.md"

HEAD = """# Problems

Every failure is answered with a problem document (RFC 9457, `application/problem+json`). Its `code` is one of these and is
stable; rely on it. `detail` and `cure` are for people and may be reworded; `errors` names each place in the request, by
JSON Pointer, with its own cure. `request_id` is what the operator finds the request by. `/problems/{code}` shows each problem
on a page of its own, as data to whoever asks for JSON.

Where a request stands above an example, the example is what the service really answered to it.

"""


def compose_page() -> str:
    problems = sorted(PROBLEM_TYPES.values(), key=lambda problem: problem.code)
    rows = [f"| [`{each.code}`](#{each.code}) | {each.status} | {each.title} |" for each in problems]
    overview = ["| Code | HTTP | |", "| --- | --- | --- |", *rows]
    return HEAD + "\n".join(overview) + "\n" + "".join(map(_section, problems))


def _section(problem: ProblemType) -> str:
    example = example_of(problem, BASE_URL)
    led_to_it = f" `{example.request}`" if example.request else ""
    answer = json.dumps(example.answer, ensure_ascii=False, indent=2)
    return (
        f"\n## {problem.code}\n\n{problem.title} (HTTP {problem.status}).\n\n**Cause.** {problem.cause}\n\n"
        f"**Cure.** {problem.cure}\n\n**Example.**{led_to_it}\n\n```json\n{answer}\n```\n"
    )


if __name__ == "__main__":
    PAGE.write_text(compose_page())
