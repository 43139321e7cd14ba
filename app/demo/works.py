"""What fellows write beside their evidence: the parts of the performance task, and the claim of impact.

Templates whose slots are filled from a case (`app.demo.cases`) and a fellow's figures; each fits any case.
"""

from collections.abc import Mapping
from typing import Any

_PARTS: Mapping[str, Mapping[str, str]] = {
    "equity": {
        "context": "{narrative} I drew on {sources}, and listened: {voices}. What stood behind the numbers was {cause_in_full}.",
        "practice": "We replaced what we had with {practice_in_full}. The documents below show it as students and colleagues met "
        "it, and what we adjusted on the way.",
        "reflection": "I had seen {focus} as a matter of individual cases. Looking at {cause} as something that we ourselves had "
        "made was the step that counted, and I would take it earlier now. Colleagues need {practice} to be theirs; where I "
        "pushed, it stayed mine.",
        "impact": "We followed {measure}. It stood at {before} before the change and at {after} when I wrote this, for {n} "
        "students.",
    },
    "improvement": {
        "problem": "{narrative} We began with {users} and found {cause_in_full}. Our theory was that {change} would do "
        "what everything before it had not.",
        "cycles": "The record below has every cycle of {change} with its prediction, its data and what we decided. The {team} "
        "met weekly and kept it together.",
        "results": "We plotted {measure} every week; it went from {before} to {after}. Beside it we kept {signal}, and watched "
        "{balance}. The figures are of {n} students.",
        "reflection": "I used to begin with the solution. To write a prediction down, and to be wrong about {change}, taught the "
        "{team} more than any of our plans. What I keep is the small test; what I let go of is the launch.",
    },
}

_UNFINISHED: Mapping[str, Mapping[str, str]] = {
    "equity": {
        "context": "{narrative}",
        "practice": "The documents below are where we stand with {focus}.",
        "reflection": "The work on {focus} took longer to begin than I had thought. I have learned whom to ask, and have not "
        "finished asking.",
        "impact": "What can be said about {focus} so far is in the summary below.",
    },
    "improvement": {
        "problem": "{narrative}",
        "cycles": "The file below collects what we did about {focus}, in order of date.",
        "results": "What can be reported about {focus} so far is below.",
        "reflection": "We have begun with {focus}. I notice how quickly a team asks for the next idea instead of the next "
        "question, and that I do it too.",
    },
}
"""For work that fell short: it says only what it is, so that no assessor's reason contradicts it."""


def compose_work(
    achievement: str, slots: Mapping[str, str], *, narrative: str, role: str, band: str, finished: bool
) -> dict[str, Any]:
    """Parts by key, impact claim and local context. `narrative` is already filled."""
    templates = (_PARTS if finished else _UNFINISHED)[achievement]
    return {
        "parts": {key: text.format(narrative=narrative, **slots) for key, text in templates.items()},
        "impact": {
            "indicator": slots["measure"][0].upper() + slots["measure"][1:],
            "baseline": slots["before"],
            "follow_up": slots["after"] if finished else "not measured yet",
            "n": int(slots["n"]),
            "level": "student",
        },
        "context": {"role": role, "school_type": f"{band.capitalize()} school"},
    }
