"""Badges that the Open Badges API keeps for learners."""

revision = "b8db44014570"
down_revision = "6e306c515177"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
