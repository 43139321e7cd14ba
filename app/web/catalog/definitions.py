"""Problems: achievements and frameworks."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    # -- achievements
    ("version_not_draft", 409, "The version can no longer change",
     "A published version is immutable, because badges carry it.", "Make a new version."),
    ("version_not_published", 409, "The version is not published",
     "Decisions are recorded against a published version of an achievement.", "Publish a version first."),
    ("draft_exists", 409, "There is already a draft", "An achievement has at most one draft version.",
     "Edit that draft or publish it."),
    ("invalid_achievement", 422, "The achievement is not sound",
     "A reference inside it leads nowhere, or it could not become a valid Open Badges 3.0 Achievement.",
     "Mend the places that `errors` names."),
    ("achievement_fragment_taken", 422, "Two parts of the achievement would have the same address",
     "Criteria, levels and the outcome have addresses inside the achievement, made from their keys, and two of them coincide.",
     "Rename one of the keys that `errors` names."),
    ("invalid_badge_class", 422, "The BadgeClass cannot become an achievement",
     "What was sent is not a BadgeClass of Open Badges 2.0, or a member of it is missing, not of its type, or too long.",
     "Mend the places that `errors` names in the BadgeClass, and send it again."),
    # -- frameworks
    ("invalid_framework", 422, "The framework cannot be taken",
     "What was sent is not a CFPackage of CASE 1.0 or 1.1, or something in it is missing, not of its kind, there twice, or leads "
     "nowhere.", "Mend the places that `errors` names, with the tool that the framework is kept in, and send it again."),
    ("framework_not_newer", 409, "The framework is not newer than what is there",
     "The framework was imported before with other content, and no `lastChangeDateTime` in what was sent is later.",
     "Export the framework from where it is kept; or, if this is its newest state, raise the CFDocument's lastChangeDateTime."),
    ("invalid_image", 422, "The image cannot be used", "See `detail`.",
     "Send a PNG of 90 to 4,096 pixels a side, or a plain SVG."),
    ("not_baked", 422, "No badge can be read from or written into the picture", "See `detail`.",
     "Use the picture as it was given out: editing or converting it loses the badge inside."),
)  # fmt: skip
