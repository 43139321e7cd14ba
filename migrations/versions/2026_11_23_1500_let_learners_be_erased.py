"""Let learners be erased: the service's role may delete identities.

Takes no lock that anybody notices, and the previous release does not use the right.
"""

from alembic import op

revision = "c1a5e0d7b3f2"
down_revision = "d8dfc136bac6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("GRANT DELETE ON learner_identity TO assay_app")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("REVOKE DELETE ON learner_identity FROM assay_app")
