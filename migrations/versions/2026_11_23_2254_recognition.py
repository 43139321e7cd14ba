"""What recognizers grant."""

import sqlalchemy as sa
from alembic import op

revision = "c5061d4ef8c5"
down_revision = "b4f50c3de7b4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recognition",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("recognizer", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("mapping", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_recognition_issuer")),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_recognition")),
    )
    op.create_index(op.f("ix_recognition_issuer_id_updated_at_id"), "recognition", ["issuer_id", "updated_at", "id"])
    op.create_table(
        "recognized_badge",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("recognition_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("recognizer", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("badge_digest", sa.String(), nullable=True),
        sa.Column("credential_id", sa.String(), nullable=True),
        sa.Column("achievement", sa.String(), nullable=True),
        sa.Column("badge_issuer", sa.String(), nullable=True),
        sa.Column("valid", sa.Boolean(), nullable=True),
        sa.Column("reasons", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("credit", sa.String(), nullable=True),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("standing_reasons", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('granted', 'already_granted', 'not_mapped', 'recipient_differs', 'test_badge', 'not_valid', "
            "'not_verified')",
            name=op.f("ck_recognized_badge_outcome"),
        ),
        sa.CheckConstraint(
            "recipient IN ('matches', 'differs', 'not_asked')", name=op.f("ck_recognized_badge_recipient")
        ),
        sa.CheckConstraint("standing IN ('stands', 'fails', 'unknown')", name=op.f("ck_recognized_badge_standing")),
        sa.CheckConstraint("(outcome = 'granted') = (credit IS NOT NULL)", name=op.f("ck_recognized_badge_credit")),
        sa.ForeignKeyConstraint(["credential_id"], ["credential.id"], name=op.f("fk_recognized_badge_credential")),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_recognized_badge_issuer")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "recognition_id"],
            ["recognition.issuer_id", "recognition.id"],
            name=op.f("fk_recognized_badge_recognition"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "recognition_id", "number", name=op.f("pk_recognized_badge")),
    )
    op.create_index(
        "uq_recognized_badge_credit", "recognized_badge", ["issuer_id", "recognizer", "badge_digest"], unique=True,
        sqlite_where=sa.text("outcome = 'granted'"), postgresql_where=sa.text("outcome = 'granted'"),
    )  # fmt: skip
    op.create_index(op.f("ix_recognized_badge_credential_id"), "recognized_badge", ["credential_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("GRANT SELECT, INSERT, UPDATE ON recognition, recognized_badge TO assay_app")


def downgrade() -> None:
    op.drop_table("recognized_badge")
    op.drop_table("recognition")
