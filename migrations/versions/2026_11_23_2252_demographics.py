"""What learners say of themselves, and the equity figures frozen each quarter."""

revision = "a3e4fb2cd6a3"
down_revision = "92d3ea1bc5f2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""
