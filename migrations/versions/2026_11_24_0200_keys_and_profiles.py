"""Signing keys of several algorithms, and what badges are issued in."""

revision = "54a9f136f4a7"
down_revision = "d6172e5af9d6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
