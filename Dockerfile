# Two stages: the first installs what is locked, with hashes, wheels only; the second has Python, that, and the source, and
# runs as an unprivileged user that may write to /var/lib/assay and nowhere else. The root file system may be read-only.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/assay
RUN python -m venv /srv/venv
COPY requirements.lock ./
RUN /srv/venv/bin/python -m pip install --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY migrations migrations
COPY schemas schemas
RUN /srv/venv/bin/python -m pip install --no-deps --no-build-isolation -e . \
    && /srv/venv/bin/python -m compileall -q app migrations

FROM python:3.11-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /var/lib/assay --shell /usr/sbin/nologin assay \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/assay
COPY --from=build /srv /srv
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ASSAY_DATA_DIRECTORY=/var/lib/assay \
    ASSAY_DATABASE_URL=sqlite+aiosqlite:////var/lib/assay/assay.db
WORKDIR /srv/assay
USER 10001:10001
VOLUME /var/lib/assay
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["assay"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
