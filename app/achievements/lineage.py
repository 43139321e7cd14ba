"""Which criteria of different versions are the same one, so that statistics may be pooled over them. PURE."""

import hashlib
import json

from app.achievements.rubric import Rubric


def pool_keys(rubric: Rubric) -> dict[str, str]:
    """Criterion key -> key of its pool: `lineage_id:digest`, equal where a criterion has the same lineage and the same text.

    The text is what a reader judges by: name, description, and name and description of each level from the lowest to the
    highest. Another wording is another measurement, even under the same lineage. Keys, order of the criteria, points, alignments
    and passing level are no part of it: with the same levels, a score means the same under another bar. Who pools whether a
    criterion was met compares the passing levels too.
    """
    return {
        criterion["key"]: f"{criterion['lineage_id']}:{_digest_text(criterion)}" for criterion in rubric["criteria"]
    }


def _digest_text(criterion: Rubric) -> str:
    levels = [[level["name"], level.get("description")] for level in criterion["levels"]]
    text = json.dumps([criterion["name"], criterion.get("description"), levels], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
