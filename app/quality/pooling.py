"""What versions of an achievement pool, and what may be told of it. PURE.

The report of a version also counts the pairs of earlier versions, for criteria whose text is unchanged. Versions follow each
other, so the reports of two of them may differ by a few submissions of the later one alone: what could be told apart that way is
withheld as if it were reported by itself.
"""

import json
from collections.abc import Sequence

from app.achievements.lineage import pool_keys
from app.achievements.rubric import Rubric

SMALL = 10
"""Nothing is told of fewer submissions than this, unless there are none."""


def rule_key(rubric: Rubric) -> str:
    """Equal where a decision would mean the same: the criteria with their text and passing levels, and the rule."""
    pools = pool_keys(rubric)
    criteria = sorted((each["key"], pools[each["key"]], each["passing_level"]) for each in rubric["criteria"])
    return json.dumps([criteria, rubric["decision_rule"]], sort_keys=True)


def may_be_told(counts: Sequence[int]) -> bool:
    """Whether the last of some versions, oldest first, may tell what it pools of all of them.

    `counts` are the submissions that each version adds. What a version tells differs from what an earlier one told by no
    submission, or by `SMALL` and more.
    """
    told = total = 0
    is_told = True
    for count in counts:
        total += count
        is_told = total == told or total - told >= SMALL
        told = total if is_told else told
    return is_told
