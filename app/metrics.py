"""What Prometheus is told. Labels are bounded: route templates, methods, statuses; never ids."""

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()
REQUESTS = Counter("assay_http_requests_total", "Requests answered", ["method", "route", "status"], registry=REGISTRY)
DURATION = Histogram("assay_http_request_seconds", "Time to answer", ["method", "route"], registry=REGISTRY)
ISSUED = Counter("assay_editions_issued_total", "Editions of credentials signed and stored", registry=REGISTRY)
BURNED = Counter("assay_editions_burned_total", "Pending editions given up by the recovery job", registry=REGISTRY)
