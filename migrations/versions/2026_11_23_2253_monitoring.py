"""Flags raised about assessors.

New tables, and a job for each program there is: those made from now on bring their own.
"""

import sqlalchemy as sa
from alembic import op

revision = "b4f50c3de7b4"
down_revision = "a3e4fb2cd6a3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "monitoring_round",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"], ["program.issuer_id", "program.id"], name=op.f("fk_monitoring_round_program")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "program_id", name=op.f("pk_monitoring_round")),
    )
    op.create_table(
        "rater_flag",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("assessor_id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("quarter", sa.String(), nullable=False),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("action IN ('coach', 'probation', 'suspend')", name=op.f("ck_rater_flag_action")),
        sa.CheckConstraint("level IN ('watch', 'suspend')", name=op.f("ck_rater_flag_level")),
        sa.CheckConstraint("state IN ('open', 'dismissed', 'acted')", name=op.f("ck_rater_flag_state")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
            name=op.f("fk_rater_flag_achievement_version"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "assessor_id"], ["assessor.issuer_id", "assessor.id"], name=op.f("fk_rater_flag_assessor")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"], ["program.issuer_id", "program.id"], name=op.f("fk_rater_flag_program")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_rater_flag")),
        sa.UniqueConstraint(
            "issuer_id", "assessor_id", "program_id", "achievement_id", "version", "rule", "level", "quarter",
            name="uq_rater_flag_once",
        ),
    )  # fmt: skip
    op.create_index(op.f("ix_rater_flag_issuer_id_updated_at_id"), "rater_flag", ["issuer_id", "updated_at", "id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("GRANT SELECT, INSERT, UPDATE ON monitoring_round, rater_flag TO assay_app")
    _watch_programs()


def _watch_programs() -> None:
    columns = [sa.column(name, sa.String()) for name in ("id", "issuer_id")]
    program = sa.table("program", *columns, sa.column("created_at", sa.DateTime(timezone=True)))
    job = sa.table(
        "job",
        sa.column("id", sa.String()),
        sa.column("name", sa.String()),
        sa.column("payload", sa.JSON()),
        sa.column("run_at", sa.DateTime(timezone=True)),
        sa.column("attempts", sa.Integer()),
    )
    for id_, issuer_id, created_at in op.get_bind().execute(sa.select(program)).all():
        payload = {"issuer_id": issuer_id, "program_id": id_}
        row = {"id": id_, "name": "watch_assessors", "payload": payload, "run_at": created_at, "attempts": 0}
        op.execute(sa.insert(job).values(row))


def downgrade() -> None:
    op.execute("DELETE FROM job WHERE name IN ('watch_assessors', 'evaluate_assessors')")
    op.drop_table("rater_flag")
    op.drop_table("monitoring_round")
