"""docs/assessment-rules.md: every rule has a problem that exists, and a test that exists and tries to break it."""

import ast
import re
from collections.abc import Mapping
from functools import cache

import pytest

from app.web.problem_types import PROBLEM_TYPES
from tests.conftest import PROJECT

PAGE = PROJECT / "docs" / "assessment-rules.md"


def list_rows() -> list[tuple[str, str, str]]:
    """Rule, problems, tests: the cells of every row of the page's tables, without their heads."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text().splitlines()
        if line[:1] == "|"
    ]
    return [(rule, problems, tests) for rule, problems, tests in rows if rule != "Rule" and set(rule) != {"-"}]


@cache
def list_tests(path: str) -> Mapping[str, str]:
    """Name -> source of every test of a file, with its parameters."""
    text = (PROJECT / path).read_text()
    lines = text.splitlines()
    return {
        node.name: "\n".join(
            lines[min([node.lineno, *(each.lineno for each in node.decorator_list)]) - 1 : node.end_lineno]
        )
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_the_page_has_the_rules() -> None:
    assert len(list_rows()) >= 17


@pytest.mark.parametrize(("rule", "problems", "tests"), list_rows())
def test_rule_has_problems_and_tests_that_meet_them(rule: str, problems: str, tests: str) -> None:
    codes = re.findall(r"`([a-z_]+)`", problems)
    assert codes, rule
    assert [code for code in codes if code not in PROBLEM_TYPES] == []
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests)
    assert named, rule
    assert [f"{path}::{name}" for path, name in named if name not in list_tests(path)] == []
    source = "".join(list_tests(path)[name] for path, name in named)
    assert [code for code in codes if f'"{code}"' not in source] == [], "no test meets it"
