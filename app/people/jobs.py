"""The job that follows from what becomes of people. Who reads does it (`app.readings`): that room stands above this one."""

RECHECK_PERSON_JOB = "recheck_readings_of_person"
"""Somebody stopped, lost a role, or turned out to be a learner: readings that they may not do any more go to somebody else.
Payload: issuer_id, person_id."""
