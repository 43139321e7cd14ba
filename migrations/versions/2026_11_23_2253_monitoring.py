"""Flags raised about assessors."""

revision = "b4f50c3de7b4"
down_revision = "a3e4fb2cd6a3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
