"""What verification knows of issuers."""

revision = "4183b7793fd2"
down_revision = "7dd88d54c385"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
