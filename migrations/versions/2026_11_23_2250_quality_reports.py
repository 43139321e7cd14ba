"""Quality reports."""

revision = "81c2d90ab4e1"
down_revision = "7d4fb06218c9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
