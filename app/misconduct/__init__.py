"""Misconduct: a track of its own, apart from scoring.

Notice to the learner, their answer, a panel's vote, an appeal to a panel of others; then the case is dismissed, the badge
suspended, or the submission void and the badge revoked. Meanwhile the submission is on hold. Nothing of a case reaches an
assessor or a badge.
Rejected: codes of misconduct as levels of a rubric; one person deciding alone.
"""
