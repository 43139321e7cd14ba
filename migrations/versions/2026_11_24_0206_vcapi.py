"""Generic credentials of the VC-API."""

revision = "7dd88d54c385"
down_revision = "d1b01ee21463"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
