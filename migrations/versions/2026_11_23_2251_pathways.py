"""Pathways and what they propose."""

revision = "92d3ea1bc5f2"
down_revision = "81c2d90ab4e1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
