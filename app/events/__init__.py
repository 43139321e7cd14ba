"""The outbox made readable: every change of an issuer's objects, in the order it was committed.

`record_event` notes a change in the session. Just before the commit the events draw their positions from the issuer's counter
row, whose lock is then held until the commit: positions are without gaps and in commit order, so a reader that asks
`after=<last seen>` never misses one. (A database sequence could not promise that: its numbers are drawn before commits.)
Events carry ids and states, never personal data.
"""
