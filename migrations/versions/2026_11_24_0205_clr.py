"""Comprehensive Learner Records."""

import sqlalchemy as sa
from alembic import op

revision = "d1b01ee21463"
down_revision = "96339ccca622"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clr",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("visibility", sa.String(), nullable=False),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status_list_id", sa.String(), nullable=False),
        sa.Column("status_list_index", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('issued', 'revoked')", name=op.f("ck_clr_state")),
        sa.CheckConstraint("visibility IN ('private', 'unlisted')", name=op.f("ck_clr_visibility")),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_clr_issuer")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"], name=op.f("fk_clr_learner")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "status_list_id"],
            ["status_list.issuer_id", "status_list.id"],
            name=op.f("fk_clr_status_list"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "key_id"], ["signing_key.issuer_id", "signing_key.id"], name=op.f("fk_clr_signing_key")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_clr")),
        sa.UniqueConstraint("id", name=op.f("uq_clr_id")),
        sa.UniqueConstraint(
            "status_list_id", "status_list_index", name=op.f("uq_clr_status_list_id_status_list_index")
        ),
    )
    op.create_index(op.f("ix_clr_issuer_id_learner_id"), "clr", ["issuer_id", "learner_id"])
    op.create_table(
        "clr_badge",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("clr_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("credential_id", sa.String(), nullable=False),
        sa.Column("edition_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id", "clr_id"], ["clr.issuer_id", "clr.id"], name=op.f("fk_clr_badge_clr")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "credential_id"],
            ["credential.issuer_id", "credential.id"],
            name=op.f("fk_clr_badge_credential"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "edition_id"], ["edition.issuer_id", "edition.id"], name=op.f("fk_clr_badge_edition")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "clr_id", "number", name=op.f("pk_clr_badge")),
    )
    op.create_index(op.f("ix_clr_badge_issuer_id_credential_id"), "clr_badge", ["issuer_id", "credential_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("GRANT SELECT, INSERT, UPDATE ON clr TO assay_app")
        op.execute("GRANT SELECT, INSERT ON clr_badge TO assay_app")


def downgrade() -> None:
    op.drop_table("clr_badge")
    op.drop_table("clr")
