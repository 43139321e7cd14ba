"""Several identities of a learner and their changes, merged learners, renewals, earlier awards, own domains, issuers that left.

On PostgreSQL every step is a column with a constant default, an index or a constraint of a small table: nothing is rewritten.
On SQLite five tables are copied, with the service stopped for seconds. The previous release may run beside it: it keeps one
identity of each kind (the first, as before), issues one edition a decision, and knows neither renewals nor pending keys.
"""

import sqlalchemy as sa
from alembic import op

revision = "5b2a7d40c8e1"
down_revision = "5b1f0c7a93de"
branch_labels = None
depends_on = None

_PRIMARY = sa.text("is_primary")
_AWARDED = sa.text("outcome = 'awarded'")
_NOT_BURNED = sa.text("state <> 'burned'")
_KEY_CHECK = "ck_signing_key_state"
_KEY_CHECK_BEFORE = "ck_signing_key_ck_signing_key_state"


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _guard_decision() -> None:
    """A table that SQLite copies loses its triggers."""
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER decision_no_{action.lower()} BEFORE {action} ON decision "
            "BEGIN SELECT RAISE(ABORT, 'decision is append-only'); END"
        )


def upgrade() -> None:
    op.add_column("issuer", sa.Column("left_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("signing_key") as table:
        table.add_column(sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True))
        table.drop_constraint(op.f(_KEY_CHECK_BEFORE), type_="check")
        table.create_check_constraint(op.f(_KEY_CHECK), "state IN ('pending', 'active', 'retired')")

    with op.batch_alter_table("panel") as table:
        table.add_column(sa.Column("kind", sa.String(), server_default="panel", nullable=False))
        table.create_check_constraint(op.f("ck_panel_kind"), "kind IN ('panel', 'external')")

    with op.batch_alter_table("learner") as table:
        table.add_column(sa.Column("identity_version", sa.Integer(), server_default="1", nullable=False))
        table.add_column(sa.Column("merged_into", sa.String(), nullable=True))
        table.create_foreign_key(
            op.f("fk_learner_learner"), "learner", ["issuer_id", "merged_into"], ["issuer_id", "id"]
        )
        table.create_index(op.f("ix_learner_issuer_id_merged_into"), ["issuer_id", "merged_into"])

    op.add_column("learner_identity", sa.Column("is_primary", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_index(
        "uq_learner_identity_primary", "learner_identity", ["issuer_id", "learner_id", "kind"],
        unique=True, sqlite_where=_PRIMARY, postgresql_where=_PRIMARY,
    )  # fmt: skip

    with op.batch_alter_table("edition") as table:
        table.add_column(sa.Column("identity_version", sa.Integer(), server_default="1", nullable=False))
        table.drop_constraint(op.f("uq_edition_issuer_id_decision_id"), type_="unique")
    op.create_index(
        "uq_edition_decision", "edition", ["issuer_id", "decision_id", "identity_version"],
        unique=True, sqlite_where=_NOT_BURNED, postgresql_where=_NOT_BURNED,
    )  # fmt: skip

    with op.batch_alter_table("decision") as table:
        table.add_column(sa.Column("renews_id", sa.String(), nullable=True))
        table.create_foreign_key(
            op.f("fk_decision_decision_renewed"), "decision", ["issuer_id", "renews_id"], ["issuer_id", "id"]
        )
    op.create_index(
        "uq_decision_renewal", "decision", ["issuer_id", "renews_id"],
        unique=True, sqlite_where=_AWARDED, postgresql_where=_AWARDED,
    )  # fmt: skip
    op.create_index(op.f("ix_decision_issuer_id_learner_id"), "decision", ["issuer_id", "learner_id"])
    if _is_sqlite():
        _guard_decision()


def downgrade() -> None:
    op.drop_index("ix_decision_issuer_id_learner_id", table_name="decision")
    op.drop_index("uq_decision_renewal", table_name="decision")
    with op.batch_alter_table("decision") as table:
        table.drop_constraint(op.f("fk_decision_decision_renewed"), type_="foreignkey")
        table.drop_column("renews_id")
    if _is_sqlite():
        _guard_decision()

    op.drop_index("uq_edition_decision", table_name="edition")
    with op.batch_alter_table("edition") as table:
        table.drop_column("identity_version")
        table.create_unique_constraint(op.f("uq_edition_issuer_id_decision_id"), ["issuer_id", "decision_id"])

    op.drop_index("uq_learner_identity_primary", table_name="learner_identity")
    op.drop_column("learner_identity", "is_primary")

    with op.batch_alter_table("learner") as table:
        table.drop_index("ix_learner_issuer_id_merged_into")
        table.drop_constraint(op.f("fk_learner_learner"), type_="foreignkey")
        table.drop_column("merged_into")
        table.drop_column("identity_version")

    with op.batch_alter_table("panel") as table:
        table.drop_constraint(op.f("ck_panel_kind"), type_="check")
        table.drop_column("kind")

    with op.batch_alter_table("signing_key") as table:
        table.drop_constraint(op.f(_KEY_CHECK), type_="check")
        table.create_check_constraint(op.f(_KEY_CHECK_BEFORE), "state IN ('active', 'retired')")
        table.drop_column("activated_at")
    op.drop_column("issuer", "left_at")
