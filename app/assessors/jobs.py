"""The jobs that follow from what becomes of assessors and certifications. Rooms above do all but the last, this one that."""

RECHECK_ASSESSOR_JOB = "recheck_conflicts_of_assessor"
"""An assessor moved to another school, stopped, or is not certified any more: readings they may not do any more are taken away.
Payload: issuer_id, assessor_id."""

RECHECK_PANEL_JOB = "recheck_readings_of_panel"
"""Somebody left a panel: what they were to read for its programs goes to somebody else. Payload: issuer_id, panel_id."""

ISSUE_BADGE_JOB = "issue_certification_badge"
"""Somebody was certified: they get the badge for it, or its renewal. Payload: issuer_id, certification_id."""

REVOKE_BADGE_JOB = "revoke_certification_badge"
"""A certification was revoked: so is its badge. Payload: issuer_id, certification_id."""

EVALUATE_ASSESSORS_JOB = "evaluate_assessors"
"""A calibration session was closed: the rules of drift and severity are applied. Payload: issuer_id, program_id."""

EXPIRE_JOB = "expire_certification"
"""A certification may have run out. Payload: issuer_id, certification_id."""
