"""Chain the audit trail.

Two new tables; no table of the release before is touched, so it can go on writing beside this one (`assay audit link` appends
what it wrote to the chains). The entries that are there are chained in the order of their ids, which reads the audit table
once; nothing waits for that but this migration.
"""

import hashlib
import json
from datetime import UTC

import sqlalchemy as sa
from alembic import op

revision = "a41c7be02d95"
down_revision = "c1a5e0d7b3f2"
branch_labels = None
depends_on = None

_BATCH = 1000


def upgrade() -> None:
    chain = op.create_table(
        "audit_chain",
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name="pk_audit_chain"),
    )
    link = op.create_table(
        "audit_link",
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name="fk_audit_link_audit_entry"),
        sa.PrimaryKeyConstraint("chain", "position", name="pk_audit_link"),
        sa.UniqueConstraint("entry_id", name="uq_audit_link_entry_id"),
    )
    _chain_what_is_there(chain, link)
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_link_no_{action.lower()} BEFORE {action} ON audit_link "
                "BEGIN SELECT RAISE(ABORT, 'audit_link is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER audit_link_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_link "
        "FOR EACH STATEMENT EXECUTE FUNCTION assay_append_only()"
    )
    op.execute("GRANT SELECT, INSERT ON audit_link TO assay_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON audit_chain TO assay_app")


def _chain_what_is_there(chain: sa.Table, link: sa.Table) -> None:
    """As app.audit.store did when this was written: a migration does not change with the code."""
    entry = sa.table(
        "audit_entry",
        *(sa.column(name) for name in ("id", "issuer_id", "actor", "action", "object_id", "digest")),
        sa.column("recorded_at", sa.DateTime(timezone=True)),
    )
    connection = op.get_bind()
    heads: dict[str, tuple[int, str]] = {}
    after = -1
    while True:
        query = sa.select(entry).where(entry.c.id > after).order_by(entry.c.id).limit(_BATCH)
        rows = connection.execute(query).all()
        if not rows:
            break
        links = []
        for row in rows:
            name = row.issuer_id or "platform"
            last, previous = heads.get(name, (0, ""))
            moment = row.recorded_at.replace(tzinfo=UTC) if row.recorded_at.tzinfo is None else row.recorded_at
            values = [
                name, last + 1, previous, row.id, row.issuer_id, row.actor, row.action, row.object_id, row.digest,
                moment.astimezone(UTC).isoformat(timespec="microseconds"),
            ]  # fmt: skip
            text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
            heads[name] = (last + 1, hashlib.sha256(text.encode()).hexdigest())
            links.append(
                {
                    "chain": name,
                    "position": last + 1,
                    "entry_id": row.id,
                    "previous": previous,
                    "digest": heads[name][1],
                }
            )
        connection.execute(sa.insert(link), links)
        after = rows[-1].id
    if heads:
        rows = [{"chain": name, "position": position, "digest": digest} for name, (position, digest) in heads.items()]
        connection.execute(sa.insert(chain), rows)


def downgrade() -> None:
    op.drop_table("audit_link")
    op.drop_table("audit_chain")
