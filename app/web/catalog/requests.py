"""Problems: what is wrong with a request as such, and who may."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    # -- the request as such
    ("malformed_json", 400, "The body is not acceptable JSON",
     "The body is not valid UTF-8 JSON, or is ambiguous: a member given twice, NaN or Infinity, a number beyond 2^53, or "
     "nesting deeper than 64.",
     "Mend the place that `errors` names. Send large numbers as strings."),
    ("invalid_cursor", 400, "The cursor cannot be read",
     "`cursor` is not a value that this list returned as `next_cursor`.",
     "Begin without a cursor, then pass each page's `next_cursor` unchanged."),
    ("body_too_large", 413, "The body is too large",
     "JSON may have 1 MiB, a competency framework 8 MiB, an image 2 MiB, a baked badge that is to be verified 4 MiB.",
     "Split the request or shrink the image."),
    ("unsupported_media_type", 415, "The media type is not read here",
     "The Content-Type of the body is missing or not one this service reads.",
     "Send application/json, or image/png or image/svg+xml where an image is wanted."),
    ("invalid_body", 422, "The request does not fit the API",
     "A member, parameter or header is missing, unknown, or not of its type. `errors` names each place.",
     "Compare with the schema of the operation in /docs."),
    ("range_not_satisfiable", 416, "The range is behind the end of the file",
     "`Range` asks for bytes none of which the file has; `Content-Range` of the answer tells its size.",
     "Ask for a range within the file, or leave `Range` out."),
    ("method_not_allowed", 405, "The method is not allowed here", "The path exists, but not with this method.",
     "Look the operation up in /docs."),
    ("not_acceptable", 406, "No representation fits the Accept header", "None of the offered media types is accepted.",
     "Accept application/json or */*."),
    ("invalid_idempotency_key", 400, "The Idempotency-Key is not usable",
     "An Idempotency-Key is 1 to 200 printable ASCII characters.", "Send a fresh UUID for each new operation."),
    ("idempotency_key_reused", 422, "The Idempotency-Key belongs to another request",
     "The same key came earlier with another path, query or body.",
     "Use a new key for a new request; repeat the old one byte for byte to get its answer again."),
    ("request_in_progress", 409, "The same request is still at work",
     "A request with this Idempotency-Key has begun and has not finished.", "Send it again, unchanged, in a few seconds."),
    # -- who may
    ("unauthenticated", 401, "A valid token is needed",
     "The Authorization header is missing, or its token is unknown, expired or revoked.",
     "Send `Authorization: Bearer assay_…` with a token that is still valid."),
    ("forbidden", 403, "The token does not permit this", "The token lacks the scope that the operation needs.",
     "Ask the operator for an API client with the scope named in `detail`."),
)  # fmt: skip
