"""Endorsements, and the address at which a badge is refreshed."""

import sqlalchemy as sa
from alembic import op

revision = "96339ccca622"
down_revision = "b8db44014570"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "endorsement",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("endorsed", sa.String(), nullable=False),
        sa.Column("endorser", sa.String(), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("credential_id", sa.String(), nullable=True),
        sa.Column("learner_id", sa.String(), nullable=True),
        sa.Column("embed", sa.Boolean(), nullable=False),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status_list_id", sa.String(), nullable=True),
        sa.Column("status_list_index", sa.Integer(), nullable=True),
        sa.Column("key_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("origin IN ('issued', 'imported')", name=op.f("ck_endorsement_origin")),
        sa.CheckConstraint(
            "state IN ('received', 'standing', 'revoked', 'withdrawn')", name=op.f("ck_endorsement_state")
        ),
        sa.CheckConstraint(
            "kind IN ('profile', 'achievement', 'credential', 'other')", name=op.f("ck_endorsement_kind")
        ),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_endorsement_issuer")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
            name=op.f("fk_endorsement_achievement_version"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id"],
            ["achievement.issuer_id", "achievement.id"],
            name=op.f("fk_endorsement_any_version"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "credential_id"],
            ["credential.issuer_id", "credential.id"],
            name=op.f("fk_endorsement_credential"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"], name=op.f("fk_endorsement_learner")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "status_list_id"],
            ["status_list.issuer_id", "status_list.id"],
            name=op.f("fk_endorsement_status_list"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "key_id"],
            ["signing_key.issuer_id", "signing_key.id"],
            name=op.f("fk_endorsement_signing_key"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_endorsement")),
        sa.UniqueConstraint("id", name=op.f("uq_endorsement_id")),
        sa.UniqueConstraint("issuer_id", "digest", name=op.f("uq_endorsement_issuer_id_digest")),
        sa.UniqueConstraint(
            "status_list_id", "status_list_index", name=op.f("uq_endorsement_status_list_id_status_list_index")
        ),
    )
    for columns in (
        ("issuer_id", "updated_at", "id"), ("achievement_id",), ("credential_id",), ("issuer_id", "learner_id"),
    ):  # fmt: skip
        op.create_index(op.f(f"ix_endorsement_{'_'.join(columns)}"), "endorsement", list(columns))
    op.create_table(
        "carried_endorsement",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("endorsement_id", sa.String(), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("body", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "endorsement_id"],
            ["endorsement.issuer_id", "endorsement.id"],
            name=op.f("fk_carried_endorsement_endorsement"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
            name=op.f("fk_carried_endorsement_achievement_version"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "endorsement_id", name=op.f("pk_carried_endorsement")),
    )
    op.create_index(
        op.f("ix_carried_endorsement_issuer_id_achievement_id_version"),
        "carried_endorsement",
        ["issuer_id", "achievement_id", "version"],
    )
    op.add_column("credential", sa.Column("refresh_id", sa.String(), nullable=True))
    op.create_index(op.f("ix_credential_refresh_id"), "credential", ["refresh_id"], unique=True)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("GRANT SELECT, INSERT, UPDATE ON endorsement TO assay_app")
        op.execute("GRANT SELECT, INSERT, DELETE ON carried_endorsement TO assay_app")


def downgrade() -> None:
    op.drop_index(op.f("ix_credential_refresh_id"), "credential")
    op.drop_column("credential", "refresh_id")
    op.drop_table("carried_endorsement")
    op.drop_table("endorsement")
