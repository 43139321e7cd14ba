"""Drawings (SVG) behind badge images.

One new table, append-only; nothing that exists changes, so the release before runs beside it.
"""

import sqlalchemy as sa
from alembic import op

revision = "5b0c2f6e91d4"
down_revision = "a41c7be02d95"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vector_image",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "digest"], ["image.issuer_id", "image.digest"], name="fk_vector_image_image"
        ),
        sa.PrimaryKeyConstraint("issuer_id", "digest", name="pk_vector_image"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER vector_image_no_{action.lower()} BEFORE {action} ON vector_image "
                "BEGIN SELECT RAISE(ABORT, 'vector_image is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER vector_image_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON vector_image "
        "FOR EACH STATEMENT EXECUTE FUNCTION assay_append_only()"
    )
    op.execute("GRANT SELECT, INSERT ON vector_image TO assay_app")


def downgrade() -> None:
    op.drop_table("vector_image")
