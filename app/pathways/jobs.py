"""The names of the jobs that this room does; that of a change of what somebody holds is `app.credentials.jobs`."""

PROPOSE_JOB = "propose_pathway"
"""Follows the publication of a version: {issuer_id, pathway_id}."""
