"""Open Badges 3.0 documents built from facts.

Plain dicts, members in the order of the specification's tables. Nothing is looked up, drawn or timed here:
identifiers, salts and moments are arguments, so the same facts always compose to the same document, which is how an
interrupted edition is finished.
"""

from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import Fault, InvalidInput
from app.openbadges.datatypes import EXTENSIONS_CONTEXT, OB_CONTEXT, REFRESH_TYPE, VC_CONTEXT, format_date_time_z

OUTCOME_FRAGMENT = "outcome"
"""The fragment of the Status result description; no criterion may have this key."""

_SHA2_256_MULTIHASH = bytes((0x12, 0x20))


class FragmentTaken(InvalidInput):
    """Two criteria or levels of a rubric would get the same URI."""

    code = "achievement_fragment_taken"


@dataclass(frozen=True, slots=True)
class TranslationFacts:
    """A published version of another achievement that is the same in another language."""

    version_uri: str
    version: int
    in_language: str | None


@dataclass(frozen=True, slots=True)
class AchievementFacts:
    """One version of an achievement, as our API holds it.

    `uri` is the unversioned achievement URI, `version` counts from 1, `previous_version` is the published one
    before it. `content` is the validated snake_case body of the achievement (name, description, criteria, rubric,
    …). `mandatory` holds the keys of the criteria that every award must have at their passing level: only these get
    a `requiredLevel`, because a verifier refuses a badge whose result is below one.
    """

    uri: str
    version: int
    content: Mapping[str, Any]
    mandatory: Collection[str] = ()
    previous_version: int | None = None
    image_uri: str | None = None
    translations: tuple[TranslationFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultFacts:
    """The level reached on one criterion: URIs from the achievement's document, and the name of the level."""

    criterion_uri: str
    level_uri: str
    level_name: str


@dataclass(frozen=True, slots=True)
class EvidenceFacts:
    """One piece of evidence. `id` is its URL, or an IRI such as `urn:uuid:…` where only a digest is known; `digest` is
    `sha256:` and 64 hex digits."""

    id: str | None = None
    name: str | None = None
    genre: str | None = None
    narrative: str | None = None
    description: str | None = None
    audience: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class BadgeFacts:
    """Everything a badge says.

    `issuer` and `source` are Profile dicts (the panel that assessed is the source), `achievement` is the stored
    document of a published version (`compose_achievement`). The recipient is `recipient_id` (a DID),
    `identity_objects` (`compose_identity_objects`), or both. `status_entry` is the BitstringStatusListEntry
    (`compose_status_entry`). `valid_from` is the moment of this edition; `awarded_date` that of the decision. `refresh_url` is
    where the newest edition is had, if the badge is to say so.
    """

    id: str
    issuer: Mapping[str, Any]
    achievement: Mapping[str, Any]
    results: tuple[ResultFacts, ...]
    status_entry: Mapping[str, Any]
    valid_from: datetime
    awarded_date: datetime
    name: str
    recipient_id: str | None = None
    identity_objects: tuple[Mapping[str, Any], ...] = ()
    evidence: tuple[EvidenceFacts, ...] = ()
    source: Mapping[str, Any] | None = None
    description: str | None = None
    image_uri: str | None = None
    narrative: str | None = None
    role: str | None = None
    activity_start: datetime | None = None
    activity_end: datetime | None = None
    valid_until: datetime | None = None
    refresh_url: str | None = None


def compose_credential(facts: BadgeFacts) -> dict[str, Any]:
    """The unsecured OpenBadgeCredential (Open Badges 3.0)."""
    return _present(
        {
            "@context": [VC_CONTEXT, OB_CONTEXT, *([EXTENSIONS_CONTEXT] if facts.refresh_url else [])],
            "id": facts.id,
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": facts.name,
            "description": facts.description,
            "image": _image(facts.image_uri),
            "issuer": dict(facts.issuer),
            "validFrom": format_date_time_z(facts.valid_from),
            "validUntil": _moment(facts.valid_until),
            "awardedDate": format_date_time_z(facts.awarded_date),
            "credentialSubject": _subject(facts),
            "evidence": [_evidence(piece) for piece in facts.evidence],
            "credentialStatus": dict(facts.status_entry),
            "refreshService": _refresh_service(facts.refresh_url),
        }
    )


def compose_achievement(facts: AchievementFacts) -> dict[str, Any]:
    """The Achievement document of one version (Open Badges 3.0).

    Each criterion of the rubric becomes a ResultDescription with its levels low to high; the outcome is one more,
    of type Status. Raises FragmentTaken if two keys of the rubric lead to one URI.
    """
    content = facts.content
    uri = version_uri(facts.uri, facts.version)
    criteria = content["rubric"]["criteria"]
    require_distinct_fragments(criteria)
    descriptions = [_result_description(uri, criterion, criterion["key"] in facts.mandatory) for criterion in criteria]
    return _present(
        {
            "id": uri,
            "type": ["Achievement"],
            "name": content["name"],
            "description": content["description"],
            "achievementType": content.get("achievement_type"),
            "criteria": _criteria(content["criteria"]),
            "creator": _creator(content.get("creator")),
            "image": _image(facts.image_uri, content.get("image_caption")),
            "version": str(facts.version),
            "inLanguage": content.get("in_language"),
            "fieldOfStudy": content.get("field_of_study"),
            "specialization": content.get("specialization"),
            "humanCode": content.get("human_code"),
            "creditsAvailable": content.get("credits_available"),
            "tag": list(content.get("tags") or ()),
            "alignment": _alignments(content.get("alignments")),
            "otherIdentifier": _identifier_entries(content.get("other_identifiers")),
            "related": _related(facts),
            "resultDescription": [*descriptions, _outcome_description(uri)],
        }
    )


def add_translations(document: Mapping[str, Any], translations: Iterable[TranslationFacts]) -> dict[str, Any]:
    """The Achievement document with `related` entries for translations that it does not name yet."""
    related = list(document.get("related", ()))
    known = {entry["id"] for entry in related}
    related += [_translation(each) for each in translations if each.version_uri not in known]
    return {**document, "related": related} if related else dict(document)


def compose_profile(
    *,
    id: str,
    name: str,
    url: str | None = None,
    description: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    image_uri: str | None = None,
    official: str | None = None,
    parent_org: Mapping[str, Any] | None = None,
    other_identifiers: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """A Profile (Open Badges 3.0): of an issuer, of an assessment panel, of an achievement's creator.

    For an issuer `id` is its DID; `official` is the name of the organization's official representative, not a flag.
    """
    return _present(
        {
            "id": id,
            "type": ["Profile"],
            "name": name,
            "url": url,
            "phone": phone,
            "description": description,
            "image": _image(image_uri),
            "email": email,
            "otherIdentifier": _identifier_entries(other_identifiers),
            "official": official,
            "parentOrg": dict(parent_org) if parent_org is not None else None,
        }
    )


def compose_status_entry(*, status_list_id: str, index: int, purpose: str) -> dict[str, Any]:
    """A BitstringStatusListEntry (Bitstring Status List v1.0, section 2.1): an id of its own and the index as text."""
    return {
        "id": f"{status_list_id}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": purpose,
        "statusListIndex": str(index),
        "statusListCredential": status_list_id,
    }


def version_uri(achievement_uri: str, version: int) -> str:
    """The URI of one version of an achievement."""
    return f"{achievement_uri}/v{version}"


def criterion_uri(version_uri: str, criterion_key: str) -> str:
    """The URI of a criterion's ResultDescription."""
    return f"{version_uri}#{criterion_key}"


def quality_uri(version_uri: str, window: str) -> str:
    """The URI of an achievement version's quality report of one window."""
    return f"{version_uri}/quality/{window}"


def level_uri(version_uri: str, criterion_key: str, level_key: str) -> str:
    """The URI of one RubricCriterionLevel of a criterion."""
    return f"{version_uri}#{criterion_key}-{level_key}"


def outcome_uri(version_uri: str) -> str:
    """The URI of the Status ResultDescription."""
    return f"{version_uri}#{OUTCOME_FRAGMENT}"


def digest_multibase(digest: str) -> str:
    """`sha256:<hex>` as `digestMultibase`: the sha2-256 multihash in base64url without padding, marked `u`.

    Raises ValueError for any other algorithm or length.
    """
    algorithm, _, hexadecimal = digest.partition(":")
    value = bytes.fromhex(hexadecimal)
    if algorithm != "sha256" or len(value) != 32:
        raise ValueError("a digest is sha256: and 64 hex digits")
    return "u" + urlsafe_b64encode(_SHA2_256_MULTIHASH + value).rstrip(b"=").decode("ascii")


def _subject(facts: BadgeFacts) -> dict[str, Any]:
    return _present(
        {
            "id": facts.recipient_id,
            "type": ["AchievementSubject"],
            "identifier": [dict(identity_object) for identity_object in facts.identity_objects],
            "activityStartDate": _moment(facts.activity_start),
            "activityEndDate": _moment(facts.activity_end),
            "narrative": facts.narrative,
            "role": facts.role,
            "source": dict(facts.source) if facts.source is not None else None,
            "achievement": dict(facts.achievement),
            "result": [*map(_result, facts.results), _outcome(facts.achievement["id"])],
        }
    )


def _refresh_service(url: str | None) -> dict[str, Any] | None:
    """1EdTech VC Credential Refresh 1.0. Its type is defined by the extensions context alone."""
    return {"id": url, "type": REFRESH_TYPE} if url is not None else None


def _result(result: ResultFacts) -> dict[str, Any]:
    return {
        "type": ["Result"],
        "resultDescription": result.criterion_uri,
        "achievedLevel": result.level_uri,
        "value": result.level_name,
    }


def _outcome(achievement_version_uri: str) -> dict[str, Any]:
    return {"type": ["Result"], "resultDescription": outcome_uri(achievement_version_uri), "status": "Completed"}


def _evidence(piece: EvidenceFacts) -> dict[str, Any]:
    return _present(
        {
            "id": piece.id,
            "type": ["Evidence"],
            "name": piece.name,
            "description": piece.description,
            "narrative": piece.narrative,
            "genre": piece.genre,
            "audience": piece.audience,
            "digestMultibase": digest_multibase(piece.digest) if piece.digest is not None else None,
        }
    )


def _result_description(uri: str, criterion: Mapping[str, Any], is_mandatory: bool) -> dict[str, Any]:
    key = criterion["key"]
    return _present(
        {
            "id": criterion_uri(uri, key),
            "type": ["ResultDescription"],
            "name": criterion["name"],
            "resultType": "RubricCriterionLevel",
            "requiredLevel": level_uri(uri, key, criterion["passing_level"]) if is_mandatory else None,
            "rubricCriterionLevel": [_rubric_criterion_level(uri, key, level) for level in criterion["levels"]],
            "alignment": _alignments(criterion.get("alignments")),
        }
    )


def _rubric_criterion_level(uri: str, criterion_key: str, level: Mapping[str, Any]) -> dict[str, Any]:
    return _present(
        {
            "id": level_uri(uri, criterion_key, level["key"]),
            "type": ["RubricCriterionLevel"],
            "name": level["name"],
            "level": level["name"],
            "points": level.get("points"),
            "description": level.get("description"),
        }
    )


def _outcome_description(uri: str) -> dict[str, Any]:
    return {"id": outcome_uri(uri), "type": ["ResultDescription"], "name": "Outcome", "resultType": "Status"}


def require_distinct_fragments(criteria: Iterable[Mapping[str, Any]]) -> None:
    """Raises FragmentTaken when keys of criteria and levels would give two things the same URI."""
    taken = {OUTCOME_FRAGMENT}
    faults: list[Fault] = []

    def claim(fragment: str, pointer: str) -> None:
        if fragment in taken:
            faults.append(Fault(pointer, f"#{fragment} already names something else", "choose another key"))
        taken.add(fragment)

    for number, criterion in enumerate(criteria):
        pointer = f"/rubric/criteria/{number}"
        claim(criterion["key"], f"{pointer}/key")
        for place, level in enumerate(criterion["levels"]):
            claim(f"{criterion['key']}-{level['key']}", f"{pointer}/levels/{place}/key")
    if faults:
        raise FragmentTaken("keys of the rubric lead to the same URI", faults=faults)


def _alignments(alignments: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    return [
        _present(
            {
                "type": ["Alignment"],
                "targetCode": alignment.get("target_code"),
                "targetDescription": alignment.get("target_description"),
                "targetName": alignment["target_name"],
                "targetFramework": alignment.get("target_framework"),
                "targetType": alignment.get("target_type"),
                "targetUrl": alignment["target_url"],
            }
        )
        for alignment in alignments or ()
    ]


def _identifier_entries(identifiers: Iterable[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    return [
        {"type": "IdentifierEntry", "identifier": entry["identifier"], "identifierType": entry["identifier_type"]}
        for entry in identifiers or ()
    ]


def _related(facts: AchievementFacts) -> list[dict[str, Any]]:
    translations = [_translation(each) for each in facts.translations]
    if facts.previous_version is None:
        return translations
    previous = version_uri(facts.uri, facts.previous_version)
    return [{"id": previous, "type": ["Related"], "version": str(facts.previous_version)}, *translations]


def _translation(facts: TranslationFacts) -> dict[str, Any]:
    return _present(
        {
            "id": facts.version_uri,
            "type": ["Related"],
            "inLanguage": facts.in_language,
            "version": str(facts.version),
        }
    )


def _criteria(criteria: Mapping[str, Any]) -> dict[str, Any]:
    return _present({"id": criteria.get("id"), "narrative": criteria.get("narrative")})


def _creator(creator: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if creator is None:
        return None
    parent = creator.get("parent_org")
    return compose_profile(
        id=creator["id"],
        name=creator["name"],
        url=creator.get("url"),
        description=creator.get("description"),
        email=creator.get("email"),
        phone=creator.get("phone"),
        image_uri=creator.get("image"),
        official=creator.get("official"),
        other_identifiers=creator.get("other_identifiers", ()),
        parent_org=compose_profile(**parent) if parent is not None else None,
    )


def _image(uri: str | None, caption: str | None = None) -> dict[str, Any] | None:
    return None if uri is None else _present({"id": uri, "type": "Image", "caption": caption})


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else format_date_time_z(moment)


def _present(members: dict[str, Any]) -> dict[str, Any]:
    """Open Badges leaves absent members out: no nulls, no empty arrays, no empty text."""
    return {name: value for name, value in members.items() if value not in (None, [], "")}
