"""Programs: what educators enroll in, cohort by cohort, and by which scoring policy their work is judged.

A scoring policy is versioned data: a submission is judged by the version that was in force when it was submitted, to the end.
An enrollment ties a learner to a program with a goal and a local context. Affiliations say who stands too close to a learner to
judge their work.
Rejected: hours anywhere as a condition; settings in code.
"""
