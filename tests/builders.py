"""Plain functions that make what tests need, in the shapes of our API."""

from typing import Any


def achievement_body(**changes: Any) -> dict[str, Any]:
    """A small sound achievement: two criteria with three levels, both mandatory."""
    levels = [
        {"key": "not-evident", "name": "Not evident", "description": "The evidence does not show it.", "points": "0"},
        {"key": "developing", "name": "Developing", "description": "The evidence shows some of it.", "points": "1"},
        {"key": "demonstrated", "name": "Demonstrated", "description": "The evidence shows it.", "points": "2"},
    ]
    criteria = [
        {"key": key, "name": name, "passing_level": "demonstrated", "levels": levels}
        for key, name in (("problem", "Frames the problem of practice"), ("evidence", "Uses evidence"))
    ]
    return {
        "name": "Implementing Equitable Practices",
        "description": "Changes a practice so that every group of learners benefits.",
        "criteria": {"narrative": "Both criteria at the level Demonstrated."},
        "rubric": {"criteria": criteria, "decision_rule": {"type": "all"}},
        **changes,
    }


def badge_class(**changes: Any) -> dict[str, Any]:
    """An Open Badges 2.0 BadgeClass with every member that has a place in an achievement, as a platform would export it."""
    return {
        "@context": "https://w3id.org/openbadges/v2",
        "type": "BadgeClass",
        "id": "https://old.example.com/classes/17",
        "@language": "en-us",
        "name": "Robotics",
        "description": "Builds a robot that finds its way.",
        "criteria": {"id": "https://old.example.com/classes/17/criteria", "narrative": "Builds **one** robot."},
        "image": {"id": "https://old.example.com/classes/17/image", "caption": "A robot."},
        "alignment": {
            "targetName": "Uses sensors",
            "targetUrl": "https://standards.example.org/3",
            "targetCode": "S-3",
            "targetDescription": "What sensors are for.",
            "targetFramework": "Standards",
        },
        "tags": ["robots", "sensors"],
        "issuer": {
            "type": "Issuer",
            "id": "https://old.example.com/issuers/3",
            "name": "The robot club",
            "url": "https://robots.example.org",
            "description": "A club.",
            "email": "office@robots.example.org",
            "telephone": "+1 555 0100",
            "image": "https://robots.example.org/logo.png",
        },
        **changes,
    }


def panel_body(**changes: Any) -> dict[str, Any]:
    return {"name": "Academy assessors", "description": "Certified assessors.", "members": ["A-01", "A-02"], **changes}


def decision_body(achievement_id: str, panel_id: str, **changes: Any) -> dict[str, Any]:
    """An award with both criteria demonstrated."""
    return {
        "achievement_id": achievement_id,
        "recipient": {"name": "Ada Example", "email": "ada.example@schools.example.org"},
        "outcome": "awarded",
        "decided_at": "2026-04-09T14:00:00Z",
        "assessment": {"panel_id": panel_id, "assessors": ["A-01"]},
        "results": results(),
        "evidence": [
            {"url": "https://evidence.example.org/17", "name": "Equity audit cycle", "genre": "Performance task"},
            {
                "digest": "sha256:" + "ab" * 32,
                "name": "Reflection",
                "genre": "Reflection",
                "narrative": "What changed.",
            },
        ],
        **changes,
    }


def results(problem: str = "demonstrated", evidence: str = "demonstrated") -> list[dict[str, str]]:
    return [
        {"criterion": "problem", "level": problem, "rationale": "Three data sources agree on the problem."},
        {"criterion": "evidence", "level": evidence, "rationale": "The change is measured against a baseline."},
    ]
