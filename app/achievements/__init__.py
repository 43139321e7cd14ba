"""Achievements: what can be earned, against which rubric, with which evidence.

A version is draft, then published (immutable, content-hashed, its Open Badges 3.0 document stored), then retired; a change is
a new version that points back at the one before. Issuance settings belong to the achievement and not to the content, so they
can change without a new version. Spec: Open Badges 3.0 sections B.1.2 (Achievement), B.1.13 (ResultDescription).
Rejected: editing what badges already carry, and rewriting issued badges when a definition changes.
"""
