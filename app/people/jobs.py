"""The jobs that follow from what becomes of people. The rooms that do them (`app.readings`, `app.oauth`) stand above this one."""

RECHECK_PERSON_JOB = "recheck_readings_of_person"
"""Somebody stopped, lost a role, or turned out to be a learner: readings that they may not do any more go to somebody else.
Payload: issuer_id, person_id."""

END_GRANTS_JOB = "end_oauth_grants"
"""Somebody was signed out everywhere: what they let other software do ends as well. Payload: issuer_id, person_id, until (what
they consented to later stays)."""
