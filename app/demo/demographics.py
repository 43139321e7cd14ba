"""What the fellows of the demonstration say of themselves. Invented, and the same everywhere."""

import random
from collections.abc import Mapping
from typing import Any

from app.demographics.vocabulary import PREFER_NOT_TO_SAY

VOCABULARY: Mapping[str, Any] = {
    "dimensions": [
        {
            "key": "school-setting",
            "label": "Where the school is",
            "values": [
                {"key": "city", "label": "In a city"},
                {"key": "elsewhere", "label": "In a town or the country"},
            ],
        },
        {
            "key": "first-generation",
            "label": "First of the family to finish college",
            "values": [{"key": "yes", "label": "Yes"}, {"key": "no", "label": "No"}],
        },
        {
            "key": "years-in-schools",
            "label": "Years of work in schools",
            "values": [
                {"key": "under-ten", "label": "Less than ten"},
                {"key": "ten-and-more", "label": "Ten and more"},
            ],
        },
    ]
}
"""Body of PUT /v1/demographics/vocabulary."""

_OFTEN: Mapping[str, Mapping[str, int]] = {
    "school-setting": {"city": 50, "elsewhere": 42, PREFER_NOT_TO_SAY: 3},
    "first-generation": {"yes": 38, "no": 52, PREFER_NOT_TO_SAY: 6},
    "years-in-schools": {"under-ten": 40, "ten-and-more": 54, PREFER_NOT_TO_SAY: 2},
}
"""Of a hundred fellows so many say this; the rest leave the question out."""
_DECLARING = 0.9
"""The share of the fellows who say anything."""


def declarations(external_id: str) -> dict[str, str]:
    """The values that a fellow declares, by dimension; none of who says nothing."""
    rng = random.Random(f"{external_id}/demographics")  # noqa: S311 - the same everywhere
    if rng.random() >= _DECLARING:
        return {}
    said = {}
    for dimension, often in _OFTEN.items():
        answer = rng.choices([*often, None], [*often.values(), 100 - sum(often.values())])[0]
        if answer is not None:
            said[dimension] = answer
    return said
