"""Endorsements."""

revision = "96339ccca622"
down_revision = "b8db44014570"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
