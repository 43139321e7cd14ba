"""Problems: verification and the outside."""

from app.web.catalog import Row

TYPES: tuple[Row, ...] = (
    # -- verification and the outside
    ("malformed_status_list", 422, "The status list cannot be read",
     "Its encoded list is not a base64url multibase of one gzip stream, or it is shorter or longer than allowed.",
     "Tell whoever publishes the list."),
    ("status_index_out_of_range", 422, "The status list has no such entry",
     "`statusListIndex` is not a place in the list that the badge names.", "Tell the issuer of the badge."),
    ("too_many_fetches", 422, "The badge needs too many documents",
     "Verifying one badge fetches a handful of documents at most.", "Ask its issuer for a simpler badge."),
    ("fetch_refused", 422, "The address may not be fetched",
     "Only https URLs on port 443 of public addresses are fetched, without redirects.",
     "Publish the document at such a URL, or send it in the request."),
    ("fetch_failed", 502, "The document could not be fetched", "The other server did not answer with the document.",
     "Try again later, or send the document in the request."),
)  # fmt: skip
