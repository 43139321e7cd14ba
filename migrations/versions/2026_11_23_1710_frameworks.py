"""Competency frameworks, their versions, and what alignments may name in them.

Three new tables; nothing that exists changes, so the release before runs beside it.
"""

import sqlalchemy as sa
from alembic import op

revision = "6c3e9a51f0b7"
down_revision = "5b2a7d40c8e1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "framework",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("statements", sa.Integer(), nullable=False),
        sa.Column("rubrics", sa.Integer(), nullable=False),
        sa.Column("last_change_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_framework_issuer"),
        sa.PrimaryKeyConstraint("issuer_id", "id", name="pk_framework"),
        sa.UniqueConstraint("issuer_id", "identifier", name="uq_framework_issuer_id_identifier"),
    )
    op.create_index("ix_framework_issuer_id_updated_at_id", "framework", ["issuer_id", "updated_at", "id"])
    op.create_table(
        "framework_version",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("framework_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("package", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "framework_id"],
            ["framework.issuer_id", "framework.id"],
            name="fk_framework_version_framework",
        ),
        sa.PrimaryKeyConstraint("issuer_id", "framework_id", "version", name="pk_framework_version"),
    )
    op.create_table(
        "framework_object",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("framework_id", sa.String(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "framework_id", "version"],
            ["framework_version.issuer_id", "framework_version.framework_id", "framework_version.version"],
            name="fk_framework_object_framework_version",
        ),
        sa.PrimaryKeyConstraint("issuer_id", "framework_id", "identifier", name="pk_framework_object"),
    )
    op.create_index("ix_framework_object_issuer_id_identifier", "framework_object", ["issuer_id", "identifier"])
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER framework_version_no_{action.lower()} BEFORE {action} ON framework_version "
                "BEGIN SELECT RAISE(ABORT, 'framework_version is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER framework_version_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON framework_version "
        "FOR EACH STATEMENT EXECUTE FUNCTION assay_append_only()"
    )
    op.execute("GRANT SELECT, INSERT ON framework_version TO assay_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON framework, framework_object TO assay_app")


def downgrade() -> None:
    op.drop_table("framework_object")
    op.drop_table("framework_version")
    op.drop_table("framework")
