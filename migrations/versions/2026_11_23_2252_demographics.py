"""What learners say of themselves, the equity figures frozen each quarter, and what is counted of impact claims."""

import sqlalchemy as sa
from alembic import op

revision = "a3e4fb2cd6a3"
down_revision = "92d3ea1bc5f2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "demographic_vocabulary",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_demographic_vocabulary_issuer")),
        sa.PrimaryKeyConstraint("issuer_id", name=op.f("pk_demographic_vocabulary")),
    )
    op.create_table(
        "demographic_declaration",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("sealed_values", sa.LargeBinary(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"],
            ["learner.issuer_id", "learner.id"],
            name=op.f("fk_demographic_declaration_learner"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "learner_id", name=op.f("pk_demographic_declaration")),
    )
    op.create_table(
        "equity_period",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("minimum_cell", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"], ["program.issuer_id", "program.id"], name=op.f("fk_equity_period_program")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "program_id", "until", name=op.f("pk_equity_period")),
    )
    op.create_table(
        "impact_fact",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=True),
        sa.Column("is_numeric", sa.Boolean(), nullable=False),
        sa.Column("has_enough", sa.Boolean(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("level IN ('student', 'team', 'system')", name=op.f("ck_impact_fact_level")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "submission_id"],
            ["submission.issuer_id", "submission.id"],
            name=op.f("fk_impact_fact_submission"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "submission_id", name=op.f("pk_impact_fact")),
    )
    _protect()


def _protect() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER equity_period_no_{action.lower()} BEFORE {action} ON equity_period "
                "BEGIN SELECT RAISE(ABORT, 'equity_period is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER equity_period_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON equity_period "
        "FOR EACH STATEMENT EXECUTE FUNCTION assay_append_only()"
    )
    op.execute("GRANT SELECT, INSERT ON equity_period TO assay_app")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE ON demographic_vocabulary, demographic_declaration, impact_fact TO assay_app"
    )
    op.execute("GRANT DELETE ON demographic_declaration, impact_fact TO assay_app")


def downgrade() -> None:
    op.drop_table("impact_fact")
    op.drop_table("equity_period")
    op.drop_table("demographic_declaration")
    op.drop_table("demographic_vocabulary")
