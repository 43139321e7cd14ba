"""Comprehensive Learner Records."""

revision = "d1b01ee21463"
down_revision = "96339ccca622"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
