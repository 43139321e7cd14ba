"""Signing keys of several algorithms, and what badges are issued in.

The register of keys takes any algorithm as it is. An edition keeps in which further profiles it is issued. An issuer may have
been verified by the operator, and keeps the credential that links its DID to its domain.
"""

import sqlalchemy as sa
from alembic import op

revision = "54a9f136f4a7"
down_revision = "d6172e5af9d6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("edition", sa.Column("profiles", sa.JSON(none_as_null=True), server_default="[]", nullable=False))
    op.add_column("issuer", sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("issuer", sa.Column("verified_as", sa.String(), nullable=True))
    op.add_column("issuer", sa.Column("domain_linkage", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("issuer", "domain_linkage")
    op.drop_column("issuer", "verified_as")
    op.drop_column("issuer", "verified_at")
    op.drop_column("edition", "profiles")
