"""Badges that the Open Badges API keeps for learners."""

import sqlalchemy as sa
from alembic import op

revision = "b8db44014570"
down_revision = "6e306c515177"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kept_badge",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("sealed_identity", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid", sa.Boolean(), nullable=True),
        sa.Column("reasons", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("format IN ('json', 'jws')", name=op.f("ck_kept_badge_format")),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_kept_badge_issuer")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"], name=op.f("fk_kept_badge_learner")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_kept_badge")),
    )
    op.create_index(op.f("ix_kept_badge_issuer_id_learner_id"), "kept_badge", ["issuer_id", "learner_id"])
    op.create_table(
        "kept_profile",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"], name=op.f("fk_kept_profile_learner")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "learner_id", name=op.f("pk_kept_profile")),
    )
    op.create_table(
        "badge_host",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=True),
        sa.Column("asked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_connection", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('asked', 'connected')", name=op.f("ck_badge_host_state")),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_badge_host_issuer")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"], name=op.f("fk_badge_host_learner")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "person_id"], ["person.issuer_id", "person.id"], name=op.f("fk_badge_host_person")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_badge_host")),
    )
    op.create_index(op.f("ix_badge_host_issuer_id_person_id"), "badge_host", ["issuer_id", "person_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON kept_badge, kept_profile, badge_host TO assay_app")


def downgrade() -> None:
    op.drop_table("badge_host")
    op.drop_table("kept_profile")
    op.drop_table("kept_badge")
