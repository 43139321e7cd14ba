"""The OAuth 2.0 server."""

import sqlalchemy as sa
from alembic import op

revision = "6e306c515177"
down_revision = "54a9f136f4a7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client_token",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["api_client.id"], name=op.f("fk_client_token_api_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_token")),
    )
    op.create_index(op.f("ix_client_token_client_id"), "client_token", ["client_id"])
    op.create_table(
        "oauth_client",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("registration", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_client")),
    )
    op.create_table(
        "oauth_consent",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["oauth_client.id"], name=op.f("fk_oauth_consent_oauth_client")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "person_id"], ["person.issuer_id", "person.id"], name=op.f("fk_oauth_consent_person")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_oauth_consent")),
        sa.UniqueConstraint(
            "issuer_id", "person_id", "client_id", name=op.f("uq_oauth_consent_issuer_id_person_id_client_id")
        ),
    )
    op.create_index(op.f("ix_oauth_consent_client_id"), "oauth_consent", ["client_id"])
    op.create_table(
        "oauth_authorization",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("consent_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("redirect_uri", sa.String(), nullable=False),
        sa.Column("code_challenge", sa.String(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["oauth_client.id"], name=op.f("fk_oauth_authorization_oauth_client")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "consent_id"],
            ["oauth_consent.issuer_id", "oauth_consent.id"],
            name=op.f("fk_oauth_authorization_oauth_consent"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "person_id"], ["person.issuer_id", "person.id"], name=op.f("fk_oauth_authorization_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_authorization")),
    )
    op.create_index(
        op.f("ix_oauth_authorization_issuer_id_consent_id"), "oauth_authorization", ["issuer_id", "consent_id"]
    )
    op.create_table(
        "oauth_token",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("authorization_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('access', 'refresh')", name=op.f("ck_oauth_token_kind")),
        sa.ForeignKeyConstraint(
            ["authorization_id"], ["oauth_authorization.id"], name=op.f("fk_oauth_token_oauth_authorization")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_token")),
    )
    op.create_index(op.f("ix_oauth_token_authorization_id"), "oauth_token", ["authorization_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON client_token, oauth_client, oauth_consent, oauth_authorization, "
            "oauth_token TO assay_app"
        )


def downgrade() -> None:
    op.drop_table("oauth_token")
    op.drop_table("oauth_authorization")
    op.drop_table("oauth_consent")
    op.drop_table("oauth_client")
    op.drop_table("client_token")
