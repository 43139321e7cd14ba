"""docs/assessment-rules.md: every rule has a problem that exists, and a test that exists and tries to break it."""

import ast
import re
from functools import cache

import pytest

from app.web.problem_types import PROBLEM_TYPES
from tests.conftest import PROJECT

PAGE = PROJECT / "docs" / "assessment-rules.md"


def list_rows() -> list[tuple[str, str, str]]:
    """Rule, problems, tests: the cells of every row of the page's tables."""
    rows = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("|")]
    return [(rule.strip(), problems.strip(), tests.strip()) for rule, problems, tests in rows if set(rule) - set(" -")][
        1:
    ]


@cache
def list_tests(path: str) -> frozenset[str]:
    tree = ast.parse((PROJECT / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_the_page_has_the_rules() -> None:
    assert len(list_rows()) >= 17


@pytest.mark.parametrize(("rule", "problems", "tests"), list_rows())
def test_rule_has_a_problem_and_a_test(rule: str, problems: str, tests: str) -> None:
    codes = re.findall(r"`([a-z_]+)`", problems)
    assert codes, rule
    assert [code for code in codes if code not in PROBLEM_TYPES] == []
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests)
    assert named, rule
    assert [f"{path}::{name}" for path, name in named if name not in list_tests(path)] == []
