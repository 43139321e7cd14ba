"""Key rotation: when a key was retired, and at most one active key per issuer and algorithm.

Locks `signing_key`, a row or a few per issuer, for a moment. The previous release may run beside it: it never retires a key and
makes one key per issuer, and it does not know the new column, which may be null.
"""

import sqlalchemy as sa
from alembic import op

revision = "5b1f0c7a93de"
down_revision = "5b0e6c1f7a42"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("signing_key", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "uq_signing_key_active",
        "signing_key",
        ["issuer_id", "algorithm"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )


def downgrade() -> None:
    op.drop_index("uq_signing_key_active", table_name="signing_key")
    op.drop_column("signing_key", "retired_at")
