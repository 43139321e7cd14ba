"""An index that finds the events about an object: reports replay those of thousands."""

from alembic import op

revision = "d6172e5af9d6"
down_revision = "c5061d4ef8c5"
branch_labels = None
depends_on = None

_INDEX = "ix_event_issuer_id_object_id_position"


def upgrade() -> None:
    op.create_index(op.f(_INDEX), "event", ["issuer_id", "object_id", "position"])


def downgrade() -> None:
    op.drop_index(op.f(_INDEX), "event")
