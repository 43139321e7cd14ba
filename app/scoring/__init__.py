"""Scoring: an assessor's decision, and what it does to the badge.

Decisions are append-only; a correction is a new decision that supersedes one, with a reason. The register keeps ids, levels
and outcome; rationales, evidence and narrative are personal data, sealed under the learner's key. Readings, second readings
and resolution will join this room; the decision is what they end in.
"""
