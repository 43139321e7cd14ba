"""The OAuth 2.0 server."""

revision = "6e306c515177"
down_revision = "cf8e6f464ba3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
