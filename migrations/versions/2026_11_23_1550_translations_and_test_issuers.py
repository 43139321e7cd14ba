"""Links between translations of an achievement; issuers that are for tests.

Nothing is rewritten and no row is locked for long: one new table, and one column with a constant default, so the release
before runs beside this one (it makes issuers that are not for tests, and no links).
"""

import sqlalchemy as sa
from alembic import op

revision = "5b0e6c1f7a42"
down_revision = "5b0c2f6e91d4"
branch_labels = None
depends_on = None

_FOR_GOOD = "whether an issuer is for tests is settled when it is created"


def _guard_sqlite() -> None:
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER achievement_translation_no_{action.lower()} BEFORE {action} ON achievement_translation "
            "BEGIN SELECT RAISE(ABORT, 'achievement_translation is append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER issuer_test_frozen BEFORE UPDATE ON issuer WHEN OLD.is_test IS NOT NEW.is_test "
        f"BEGIN SELECT RAISE(ABORT, '{_FOR_GOOD}'); END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE TRIGGER achievement_translation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON achievement_translation "
        "FOR EACH STATEMENT EXECUTE FUNCTION assay_append_only()"
    )
    op.execute(
        "CREATE FUNCTION assay_issuer_test_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{_FOR_GOOD}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER issuer_test_frozen BEFORE UPDATE ON issuer FOR EACH ROW "
        "WHEN (OLD.is_test IS DISTINCT FROM NEW.is_test) EXECUTE FUNCTION assay_issuer_test_frozen()"
    )
    op.execute("GRANT SELECT, INSERT ON achievement_translation TO assay_app")


def upgrade() -> None:
    op.add_column("issuer", sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "achievement_translation",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("translation_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
            name=op.f("fk_achievement_translation_achievement_version"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "translation_id"],
            ["achievement.issuer_id", "achievement.id"],
            name=op.f("fk_achievement_translation_achievement"),
        ),
        sa.PrimaryKeyConstraint(
            "issuer_id", "achievement_id", "version", "translation_id", name=op.f("pk_achievement_translation")
        ),
    )
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def downgrade() -> None:
    op.execute("DROP TRIGGER issuer_test_frozen" + (" ON issuer" if op.get_bind().dialect.name == "postgresql" else ""))
    op.drop_table("achievement_translation")
    op.drop_column("issuer", "is_test")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION assay_issuer_test_frozen()")
