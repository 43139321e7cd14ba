"""Quality reports.

New tables alone: the release before runs beside this one. Every issuer gets the job that freezes reports, which repeats itself.
"""

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "81c2d90ab4e1"
down_revision = "7d4fb06218c9"
branch_labels = None
depends_on = None


def _create(table: str, digest: str) -> None:
    op.create_table(
        table,
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(digest, sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
            name=op.f(f"fk_{table}_achievement_version"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "achievement_id", "version", "label", name=op.f(f"pk_{table}")),
    )


def _protect() -> None:
    table = "frozen_quality_report"
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION assay_append_only()"
    )
    op.execute(f"GRANT SELECT, INSERT ON {table} TO assay_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON open_quality_report TO assay_app")


def _begin_freezing() -> None:
    issuers = op.get_bind().execute(sa.text("SELECT id FROM issuer")).scalars().all()
    job = sa.table(
        "job", sa.column("id"), sa.column("name"), sa.column("payload", sa.JSON()),
        sa.column("run_at", sa.DateTime(timezone=True)), sa.column("attempts"),
    )  # fmt: skip
    now = datetime.now(UTC)
    rows = [
        {
            "id": uuid4().hex,
            "name": "freeze_quality_reports",
            "payload": {"issuer_id": issuer},
            "run_at": now,
            "attempts": 0,
        }
        for issuer in issuers
    ]
    if rows:
        op.bulk_insert(job, rows)


def upgrade() -> None:
    _create("frozen_quality_report", "digest")
    _create("open_quality_report", "basis")
    _protect()
    _begin_freezing()


def downgrade() -> None:
    op.execute("DELETE FROM job WHERE name IN ('freeze_quality_reports', 'recompute_quality_reports')")
    op.drop_table("open_quality_report")
    op.drop_table("frozen_quality_report")
