"""Pathways and what they propose.

New tables, and a column of decisions that the release before leaves null: it runs beside this one.
"""

import sqlalchemy as sa
from alembic import op

revision = "92d3ea1bc5f2"
down_revision = "81c2d90ab4e1"
branch_labels = None
depends_on = None

_FROZEN = ("version", "content", "achievement_id", "achievement_version", "panel_id", "published_at")
_MESSAGE = "a published version is immutable"


def _protect_sqlite() -> None:
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER pathway_component_no_{action.lower()} BEFORE {action} ON pathway_component "
            "BEGIN SELECT RAISE(ABORT, 'pathway_component is append-only'); END"
        )
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _FROZEN)
    op.execute(
        "CREATE TRIGGER pathway_version_frozen BEFORE UPDATE ON pathway_version "
        f"WHEN OLD.state <> 'draft' AND (NEW.state = 'draft' OR {changed}) BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
    )
    op.execute(
        "CREATE TRIGGER pathway_version_kept BEFORE DELETE ON pathway_version "
        f"WHEN OLD.state <> 'draft' BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
    )


def _protect_postgresql() -> None:
    op.execute(
        "CREATE TRIGGER pathway_component_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON pathway_component "
        "FOR EACH STATEMENT EXECUTE FUNCTION assay_append_only()"
    )
    changed = " OR ".join(f"OLD.{column}::text IS DISTINCT FROM NEW.{column}::text" for column in _FROZEN)
    op.execute(
        "CREATE FUNCTION assay_pathway_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF OLD.state = 'draft' THEN IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END IF; "
        f"IF TG_OP = 'DELETE' OR NEW.state = 'draft' OR {changed} THEN "
        f"RAISE EXCEPTION '{_MESSAGE}'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER pathway_version_frozen BEFORE UPDATE OR DELETE ON pathway_version "
        "FOR EACH ROW EXECUTE FUNCTION assay_pathway_frozen()"
    )
    op.execute("GRANT SELECT, INSERT ON pathway_component TO assay_app")
    op.execute("GRANT SELECT, INSERT, UPDATE ON pathway, pathway_version, pathway_proposal TO assay_app")


def upgrade() -> None:
    op.create_table(
        "pathway",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_pathway_issuer")),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_pathway")),
        sa.UniqueConstraint("id", name=op.f("uq_pathway_id")),
        sa.UniqueConstraint("issuer_id", "external_id", name=op.f("uq_pathway_issuer_id_external_id")),
    )
    op.create_index(op.f("ix_pathway_issuer_id_updated_at_id"), "pathway", ["issuer_id", "updated_at", "id"])
    op.create_table(
        "pathway_version",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("pathway_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.Column("achievement_version", sa.Integer(), nullable=False),
        sa.Column("panel_id", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('draft', 'published', 'retired')", name=op.f("ck_pathway_version_state")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "pathway_id"], ["pathway.issuer_id", "pathway.id"], name=op.f("fk_pathway_version_pathway")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "achievement_version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
            name=op.f("fk_pathway_version_achievement_version"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "panel_id"], ["panel.issuer_id", "panel.id"], name=op.f("fk_pathway_version_panel")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "pathway_id", "version", name=op.f("pk_pathway_version")),
    )
    op.create_index(
        op.f("ix_pathway_version_issuer_id_achievement_id"), "pathway_version", ["issuer_id", "achievement_id"]
    )
    op.create_table(
        "pathway_component",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("pathway_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "pathway_id", "version"],
            ["pathway_version.issuer_id", "pathway_version.pathway_id", "pathway_version.version"],
            name=op.f("fk_pathway_component_pathway_version"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id"],
            ["achievement.issuer_id", "achievement.id"],
            name=op.f("fk_pathway_component_achievement"),
        ),
        sa.PrimaryKeyConstraint(
            "issuer_id", "pathway_id", "version", "achievement_id", name=op.f("pk_pathway_component")
        ),
    )
    op.create_index(
        op.f("ix_pathway_component_issuer_id_achievement_id"), "pathway_component", ["issuer_id", "achievement_id"]
    )
    op.create_table(
        "pathway_proposal",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("pathway_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("components", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("kept_without", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=True),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'declined', 'lapsed')", name=op.f("ck_pathway_proposal_state")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "pathway_id", "version"],
            ["pathway_version.issuer_id", "pathway_version.pathway_id", "pathway_version.version"],
            name=op.f("fk_pathway_proposal_pathway_version"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"], name=op.f("fk_pathway_proposal_learner")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "decision_id"],
            ["decision.issuer_id", "decision.id"],
            name=op.f("fk_pathway_proposal_decision"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_pathway_proposal")),
        sa.UniqueConstraint(
            "issuer_id", "learner_id", "pathway_id", "version", name="uq_pathway_proposal_learner_version"
        ),
    )
    op.create_index(
        op.f("ix_pathway_proposal_issuer_id_updated_at_id"), "pathway_proposal", ["issuer_id", "updated_at", "id"]
    )
    op.add_column("decision", sa.Column("proposal_id", sa.String(), nullable=True))
    op.create_index("uq_decision_proposal", "decision", ["issuer_id", "proposal_id"], unique=True)
    if op.get_bind().dialect.name == "sqlite":
        _protect_sqlite()
    else:
        _protect_postgresql()


def downgrade() -> None:
    op.drop_index("uq_decision_proposal", "decision")
    op.drop_column("decision", "proposal_id")
    op.drop_table("pathway_proposal")
    op.drop_table("pathway_component")
    op.drop_table("pathway_version")
    op.drop_table("pathway")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION assay_pathway_frozen()")
