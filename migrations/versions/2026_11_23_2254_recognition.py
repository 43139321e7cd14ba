"""What recognizers grant."""

revision = "c5061d4ef8c5"
down_revision = "b4f50c3de7b4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
