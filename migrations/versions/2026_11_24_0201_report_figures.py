"""Stored figures of reports."""

revision = "cf8e6f464ba3"
down_revision = "54a9f136f4a7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
