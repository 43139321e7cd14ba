"""The Open Badges API (Open Badges 3.0, section "Open Badges API"), on both sides.

As a host: software that a learner let at their badges (`app.oauth`) reads them, puts others beside them, and reads and changes
the learner's profile, under `/ims/ob/v3p0`. What was issued here and what was put here are one list. What was put here is kept to
the byte, sealed under the learner's key; that it was verified when it came, and with which result, is kept as information: a
learner may keep whatever badge they have.
As a client: a learner's badge is pushed to another host (`hosts.py`, `push.py`).
Rejected: letting a profile that was put here change who the learner is (badges say what the institution knows), and storing a
badge of this service a second time.
"""
