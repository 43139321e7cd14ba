"""Every problem the service can answer with, a file per area: code, HTTP status, title, cause, cure (`app.web.problem_types`)."""

Row = tuple[str, int, str, str, str]
