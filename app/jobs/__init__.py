"""Background work. `queue.py` is the port: a job is enqueued in the transaction of the fact that caused it.

`embedded.py` runs jobs from the same database, on SQLite and PostgreSQL alike: a lease marks a job as taken, a worker that
dies loses it when the lease ends. Handlers are idempotent: a job may run twice, its effect happens once.
"""
