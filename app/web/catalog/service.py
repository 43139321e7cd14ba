"""Problems: the service itself."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    # -- the service itself
    ("unavailable", 503, "The service is busy", "It cannot take this on just now.", "Try again in a few seconds."),
    ("lint_token_misused", 500, "Something was to be signed that was not linted",
     "A promise of this service did not hold. Nothing was released.", "Tell the operator the request id."),
    ("self_verification_failed", 500, "The signed badge did not verify",
     "A promise of this service did not hold. Nothing was released.", "Tell the operator the request id."),
    ("internal_error", 500, "Something went wrong on our side",
     "A fault of this service. Nothing was half done.", "Tell the operator the request id."),
)  # fmt: skip
