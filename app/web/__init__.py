"""The HTTP edge that every room's router shares.

`dependencies` hands a route its session, clock and resources as typed aliases; `problems` is the one map from a domain error
to an RFC 9457 answer; `bodies` refuses what is too big, too deep or ambiguous before any route sees it; `observation` gives every
request an id, a log line without secrets, and a place in the metrics; `pagination` pages lists by cursor.
Rejected: middleware from a framework of our own, and validation inside routes.
"""
