"""Generic credentials of the VC-API."""

import sqlalchemy as sa
from alembic import op

revision = "7dd88d54c385"
down_revision = "d1b01ee21463"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vcapi_settings",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("did_method", sa.String(), nullable=False),
        sa.Column("cryptosuite", sa.String(), nullable=False),
        sa.Column("status_purpose", sa.String(), nullable=True),
        sa.Column("existing_proof", sa.String(), nullable=False),
        sa.Column("mandatory_pointers", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("did_method IN ('issuer', 'key')", name=op.f("ck_vcapi_settings_did_method")),
        sa.CheckConstraint(
            "existing_proof IN ('refuse', 'set', 'chain')", name=op.f("ck_vcapi_settings_existing_proof")
        ),
        sa.CheckConstraint(
            "status_purpose IN ('revocation', 'suspension')", name=op.f("ck_vcapi_settings_status_purpose")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["api_client.id"], name=op.f("fk_vcapi_settings_api_client")),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_vcapi_settings_issuer")),
        sa.PrimaryKeyConstraint("issuer_id", "client_id", name=op.f("pk_vcapi_settings")),
        sa.UniqueConstraint("client_id", name=op.f("uq_vcapi_settings_client_id")),
    )
    op.create_table(
        "generic_credential",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("id_digest", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_document", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("status_list_id", sa.String(), nullable=True),
        sa.Column("status_list_index", sa.Integer(), nullable=True),
        sa.Column("status_purpose", sa.String(), nullable=True),
        sa.Column("is_status_set", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'issued', 'burned', 'deleted')", name=op.f("ck_generic_credential_state")
        ),
        sa.CheckConstraint(
            "(sealed_key IS NULL) = (state IN ('burned', 'deleted'))", name=op.f("ck_generic_credential_sealed_key")
        ),
        sa.ForeignKeyConstraint(["client_id"], ["api_client.id"], name=op.f("fk_generic_credential_api_client")),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_generic_credential_issuer")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "status_list_id"],
            ["status_list.issuer_id", "status_list.id"],
            name=op.f("fk_generic_credential_status_list"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_generic_credential")),
        sa.UniqueConstraint("id", name=op.f("uq_generic_credential_id")),
    )
    op.create_index(op.f("ix_generic_credential_client_id_id_digest"), "generic_credential", ["client_id", "id_digest"])
    op.create_index(
        "uq_generic_credential_status", "generic_credential", ["status_list_id", "status_list_index"], unique=True
    )
    op.create_table(
        "vcapi_challenge",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["api_client.id"], name=op.f("fk_vcapi_challenge_api_client")),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_vcapi_challenge_issuer")),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_vcapi_challenge")),
        sa.UniqueConstraint("id", name=op.f("uq_vcapi_challenge_id")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("GRANT SELECT, INSERT, UPDATE ON vcapi_settings, generic_credential TO assay_app")
        op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON vcapi_challenge TO assay_app")


def downgrade() -> None:
    op.drop_table("vcapi_challenge")
    op.drop_table("generic_credential")
    op.drop_table("vcapi_settings")
