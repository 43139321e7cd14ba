"""People, programs, submissions, assessors, readings and appeals: the judgment behind the badge.

New tables, and three columns of decisions that the release before leaves null: it runs beside this one. On SQLite the table of
decisions is copied, with the service stopped for seconds.
"""

import sqlalchemy as sa
from alembic import op

revision = "7d4fb06218c9"
down_revision = "6c3e9a51f0b7"
branch_labels = None
depends_on = None

_APPEND_ONLY = (
    "anchor_exposure",
    "anchor_response",
    "certification_change",
    "master_reading",
    "misconduct_vote",
    "resolution",
    "scoring_policy",
    "screening",
    "training",
)
_CHANGING = (
    "affiliation",
    "anchor",
    "anchor_session",
    "appeal",
    "artifact",
    "assessor",
    "certification",
    "cohort",
    "enrollment",
    "mail",
    "misconduct_case",
    "moderation",
    "moderation_item",
    "oidc_provider",
    "oidc_sign_in",
    "person",
    "person_identity",
    "person_role",
    "person_session",
    "program",
    "program_achievement",
    "reading",
    "sampling_window",
    "sign_in_link",
    "submission",
    "team",
    "team_member",
)
_ENDING = ("oidc_sign_in", "person_identity", "person_role", "sign_in_link", "team_member", "program_achievement")
"""Tables whose rows may be deleted."""


def _guard(table: str) -> None:
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _guard_readings() -> None:
    """What was submitted stays as it is."""
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER reading_submitted_no_{action.lower()} BEFORE {action} ON reading "
                "WHEN OLD.state = 'submitted' BEGIN SELECT RAISE(ABORT, 'a submitted reading never changes'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION assay_submitted_reading() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'a submitted reading never changes' USING ERRCODE = 'restrict_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER reading_submitted BEFORE UPDATE OR DELETE ON reading FOR EACH ROW "
        "WHEN (OLD.state = 'submitted') EXECUTE FUNCTION assay_submitted_reading()"
    )


def _protect() -> None:
    _guard_readings()
    if op.get_bind().dialect.name == "sqlite":
        for table in (*_APPEND_ONLY, "decision"):  # a table that SQLite copies loses its triggers
            _guard(table)
        return
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION assay_append_only()"
        )
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(_APPEND_ONLY)} TO assay_app")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON {', '.join(_CHANGING)} TO assay_app")
    op.execute(f"GRANT DELETE ON {', '.join(_ENDING)} TO assay_app")


def upgrade() -> None:

    op.create_table(
        "oidc_provider",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("provider_issuer", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_client_secret", sa.LargeBinary(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_oidc_provider_issuer")),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_oidc_provider")),
        sa.UniqueConstraint("issuer_id", "provider_issuer", name=op.f("uq_oidc_provider_issuer_id_provider_issuer")),
    )
    op.create_table(
        "oidc_sign_in",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_secrets", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["issuer_id", "provider_id"],
            ["oidc_provider.issuer_id", "oidc_provider.id"],
            name=op.f("fk_oidc_sign_in_oidc_provider"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_sign_in")),
        sa.UniqueConstraint("state_hash", name=op.f("uq_oidc_sign_in_state_hash")),
    )
    op.create_table(
        "person",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("learner_id", sa.String(), nullable=True),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"], name=op.f("fk_person_learner")
        ),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_person_issuer")),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_person")),
        sa.UniqueConstraint("id", name=op.f("uq_person_id")),
        sa.UniqueConstraint("issuer_id", "external_id", name=op.f("uq_person_issuer_id_external_id")),
        sa.UniqueConstraint("issuer_id", "learner_id", name=op.f("uq_person_issuer_id_learner_id")),
    )
    op.create_index(
        op.f("ix_person_issuer_id_updated_at_id"), "person", ["issuer_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "program",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("panel_id", sa.String(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "panel_id"], ["panel.issuer_id", "panel.id"], name=op.f("fk_program_panel")
        ),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name=op.f("fk_program_issuer")),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_program")),
        sa.UniqueConstraint("id", name=op.f("uq_program_id")),
        sa.UniqueConstraint("issuer_id", "external_id", name=op.f("uq_program_issuer_id_external_id")),
    )
    op.create_index(
        op.f("ix_program_issuer_id_updated_at_id"), "program", ["issuer_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "affiliation",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("declared_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('coach', 'supervisor', 'evaluator', 'co_author', 'family', 'other')",
            name=op.f("ck_affiliation_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"], name=op.f("fk_affiliation_learner")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "person_id"], ["person.issuer_id", "person.id"], name=op.f("fk_affiliation_person")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_affiliation")),
    )
    op.create_index(
        op.f("ix_affiliation_issuer_id_learner_id"), "affiliation", ["issuer_id", "learner_id"], unique=False
    )
    op.create_index(op.f("ix_affiliation_issuer_id_person_id"), "affiliation", ["issuer_id", "person_id"], unique=False)
    op.create_table(
        "assessor",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("school", sa.String(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "person_id"], ["person.issuer_id", "person.id"], name=op.f("fk_assessor_person")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_assessor")),
        sa.UniqueConstraint("issuer_id", "code", name=op.f("uq_assessor_issuer_id_code")),
        sa.UniqueConstraint("issuer_id", "person_id", name=op.f("uq_assessor_issuer_id_person_id")),
    )
    op.create_index(
        op.f("ix_assessor_issuer_id_updated_at_id"), "assessor", ["issuer_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "cohort",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"], ["program.issuer_id", "program.id"], name=op.f("fk_cohort_program")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_cohort")),
        sa.UniqueConstraint("issuer_id", "external_id", name=op.f("uq_cohort_issuer_id_external_id")),
    )
    op.create_index(op.f("ix_cohort_issuer_id_program_id"), "cohort", ["issuer_id", "program_id"], unique=False)
    op.create_table(
        "mail",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("sealed_message", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'sent', 'failed')", name=op.f("ck_mail_state")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "person_id"], ["person.issuer_id", "person.id"], name=op.f("fk_mail_person")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_mail")),
    )
    op.create_index(op.f("ix_mail_issuer_id_created_at_id"), "mail", ["issuer_id", "created_at", "id"], unique=False)
    op.create_table(
        "moderation",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_moderation_state")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"], ["program.issuer_id", "program.id"], name=op.f("fk_moderation_program")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_moderation")),
    )
    op.create_index(
        op.f("ix_moderation_issuer_id_updated_at_id"), "moderation", ["issuer_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "person_identity",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=True),
        sa.Column("blind_index", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_value", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('name', 'email', 'oidc')", name=op.f("ck_person_identity_kind")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "person_id"], ["person.issuer_id", "person.id"], name=op.f("fk_person_identity_person")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "provider_id"],
            ["oidc_provider.issuer_id", "oidc_provider.id"],
            name=op.f("fk_person_identity_oidc_provider"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_person_identity")),
        sa.UniqueConstraint(
            "issuer_id", "kind", "blind_index", name=op.f("uq_person_identity_issuer_id_kind_blind_index")
        ),
    )
    op.create_index(
        op.f("ix_person_identity_issuer_id_person_id"), "person_identity", ["issuer_id", "person_id"], unique=False
    )
    op.create_table(
        "person_role",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("granted_by", sa.String(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "person_id"], ["person.issuer_id", "person.id"], name=op.f("fk_person_role_person")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "person_id", "role", name=op.f("pk_person_role")),
    )
    op.create_table(
        "person_session",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('browser', 'token')", name=op.f("ck_person_session_kind")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "person_id"], ["person.issuer_id", "person.id"], name=op.f("fk_person_session_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_session")),
    )
    op.create_index(
        op.f("ix_person_session_issuer_id_person_id"), "person_session", ["issuer_id", "person_id"], unique=False
    )
    op.create_table(
        "program_achievement",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id"],
            ["achievement.issuer_id", "achievement.id"],
            name=op.f("fk_program_achievement_achievement"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"],
            ["program.issuer_id", "program.id"],
            name=op.f("fk_program_achievement_program"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "program_id", "achievement_id", name=op.f("pk_program_achievement")),
    )
    op.create_table(
        "sampling_window",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("seed_hash", sa.String(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_seed", sa.LargeBinary(), nullable=False),
        sa.Column("seed", sa.String(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"], ["program.issuer_id", "program.id"], name=op.f("fk_sampling_window_program")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_sampling_window")),
        sa.UniqueConstraint(
            "issuer_id", "program_id", "starts_at", name=op.f("uq_sampling_window_issuer_id_program_id_starts_at")
        ),
    )
    op.create_table(
        "scoring_policy",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"], ["program.issuer_id", "program.id"], name=op.f("fk_scoring_policy_program")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "program_id", "version", name=op.f("pk_scoring_policy")),
    )
    op.create_table(
        "sign_in_link",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["issuer_id", "person_id"], ["person.issuer_id", "person.id"], name=op.f("fk_sign_in_link_person")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_link")),
    )
    op.create_table(
        "team",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"], ["program.issuer_id", "program.id"], name=op.f("fk_team_program")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_team")),
    )
    op.create_index(op.f("ix_team_issuer_id_program_id"), "team", ["issuer_id", "program_id"], unique=False)
    op.create_table(
        "anchor_session",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("assessor_id", sa.String(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=True),
        sa.Column("sets", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('practice', 'qualification', 'calibration')", name=op.f("ck_anchor_session_kind")),
        sa.CheckConstraint("state IN ('open', 'discussing', 'closed')", name=op.f("ck_anchor_session_state")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
            name=op.f("fk_anchor_session_achievement_version"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "assessor_id"], ["assessor.issuer_id", "assessor.id"], name=op.f("fk_anchor_session_assessor")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"], ["program.issuer_id", "program.id"], name=op.f("fk_anchor_session_program")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_anchor_session")),
    )
    op.create_index(
        op.f("ix_anchor_session_issuer_id_updated_at_id"),
        "anchor_session",
        ["issuer_id", "updated_at", "id"],
        unique=False,
    )
    op.create_table(
        "enrollment",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("cohort_id", sa.String(), nullable=True),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("school", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sealed_context", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('invited', 'enrolled', 'active', 'completed', 'withdrawn', 'lapsed')",
            name=op.f("ck_enrollment_state"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "cohort_id"], ["cohort.issuer_id", "cohort.id"], name=op.f("fk_enrollment_cohort")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"], name=op.f("fk_enrollment_learner")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"], ["program.issuer_id", "program.id"], name=op.f("fk_enrollment_program")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_enrollment")),
        sa.UniqueConstraint("issuer_id", "external_id", name=op.f("uq_enrollment_issuer_id_external_id")),
        sa.UniqueConstraint(
            "issuer_id", "program_id", "learner_id", name=op.f("uq_enrollment_issuer_id_program_id_learner_id")
        ),
    )
    op.create_index(op.f("ix_enrollment_issuer_id_learner_id"), "enrollment", ["issuer_id", "learner_id"], unique=False)
    op.create_index(
        op.f("ix_enrollment_issuer_id_updated_at_id"), "enrollment", ["issuer_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "training",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("assessor_id", sa.String(), nullable=False),
        sa.Column("module", sa.String(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "assessor_id"], ["assessor.issuer_id", "assessor.id"], name=op.f("fk_training_assessor")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "assessor_id", "module", name=op.f("pk_training")),
    )
    op.create_table(
        "submission",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("enrollment_id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=True),
        sa.Column("variant", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("held_from", sa.String(), nullable=True),
        sa.Column("held_by_screening", sa.Boolean(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        sa.Column("banked", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("met", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("supported", sa.Boolean(), nullable=False),
        sa.Column("support_offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_support", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_statement", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_return", sa.LargeBinary(), nullable=True),
        sa.Column("screening_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned_incomplete', 'accepted', 'scoring', 'resolved', 'decided', "
            "'withdrawn', 'on_hold', 'void')",
            name=op.f("ck_submission_state"),
        ),
        sa.CheckConstraint("outcome IN ('awarded', 'not_yet')", name=op.f("ck_submission_outcome")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
            name=op.f("fk_submission_achievement_version"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "enrollment_id"],
            ["enrollment.issuer_id", "enrollment.id"],
            name=op.f("fk_submission_enrollment"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"], name=op.f("fk_submission_learner")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"], ["program.issuer_id", "program.id"], name=op.f("fk_submission_program")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "team_id"], ["team.issuer_id", "team.id"], name=op.f("fk_submission_team")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_submission")),
        sa.UniqueConstraint("id", name=op.f("uq_submission_id")),
        sa.UniqueConstraint(
            "issuer_id",
            "enrollment_id",
            "achievement_id",
            "attempt",
            name=op.f("uq_submission_issuer_id_enrollment_id_achievement_id_attempt"),
        ),
        sa.UniqueConstraint("issuer_id", "external_id", name=op.f("uq_submission_issuer_id_external_id")),
    )
    op.create_index(op.f("ix_submission_issuer_id_learner_id"), "submission", ["issuer_id", "learner_id"], unique=False)
    op.create_index(
        op.f("ix_submission_issuer_id_program_id_state"),
        "submission",
        ["issuer_id", "program_id", "state"],
        unique=False,
    )
    op.create_index(
        op.f("ix_submission_issuer_id_updated_at_id"), "submission", ["issuer_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "team_member",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("team_id", sa.String(), nullable=False),
        sa.Column("enrollment_id", sa.String(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "enrollment_id"],
            ["enrollment.issuer_id", "enrollment.id"],
            name=op.f("fk_team_member_enrollment"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "team_id"], ["team.issuer_id", "team.id"], name=op.f("fk_team_member_team")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "team_id", "enrollment_id", name=op.f("pk_team_member")),
    )
    op.create_table(
        "anchor",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source_submission_id", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("levels", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("rationales", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("exposures", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('practice', 'qualification', 'calibration', 'validity')", name=op.f("ck_anchor_role")
        ),
        sa.CheckConstraint("state IN ('draft', 'active', 'retired')", name=op.f("ck_anchor_state")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
            name=op.f("fk_anchor_achievement_version"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "source_submission_id"],
            ["submission.issuer_id", "submission.id"],
            name=op.f("fk_anchor_submission"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_anchor")),
        sa.UniqueConstraint("issuer_id", "external_id", name=op.f("uq_anchor_issuer_id_external_id")),
    )
    op.create_index(
        op.f("ix_anchor_issuer_id_updated_at_id"), "anchor", ["issuer_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "artifact",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("genre", sa.String(), nullable=True),
        sa.Column("sealed_details", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("pieces", sa.Integer(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("upload", sa.String(), nullable=True),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('file', 'url')", name=op.f("ck_artifact_kind")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "submission_id"],
            ["submission.issuer_id", "submission.id"],
            name=op.f("fk_artifact_submission"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_artifact")),
    )
    op.create_index(
        op.f("ix_artifact_issuer_id_submission_id"), "artifact", ["issuer_id", "submission_id"], unique=False
    )
    op.create_index(op.f("ix_artifact_issuer_id_upload"), "artifact", ["issuer_id", "upload"], unique=False)
    op.create_table(
        "misconduct_case",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("panel", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("appeal_panel", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("effect", sa.String(), nullable=True),
        sa.Column("sealed_texts", sa.LargeBinary(), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("appeal_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('dismissed', 'suspend', 'void')", name=op.f("ck_misconduct_case_outcome")),
        sa.CheckConstraint(
            "effect IN ('none', 'suspended', 'revoked', 'not_suspendable', 'discontinued')",
            name=op.f("ck_misconduct_case_effect"),
        ),
        sa.CheckConstraint(
            "state IN ('noticed', 'answered', 'decided', 'appealed', 'closed')", name=op.f("ck_misconduct_case_state")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"], name=op.f("fk_misconduct_case_learner")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "submission_id"],
            ["submission.issuer_id", "submission.id"],
            name=op.f("fk_misconduct_case_submission"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_misconduct_case")),
    )
    op.create_index(
        op.f("ix_misconduct_case_issuer_id_submission_id"),
        "misconduct_case",
        ["issuer_id", "submission_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_misconduct_case_issuer_id_updated_at_id"),
        "misconduct_case",
        ["issuer_id", "updated_at", "id"],
        unique=False,
    )
    op.create_table(
        "resolution",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("reading_ids", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("levels", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("recommendation", sa.String(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "method IN ('single_reading', 'exact', 'adjacent_same_decision', 'expert_judgment')",
            name=op.f("ck_resolution_method"),
        ),
        sa.CheckConstraint("recommendation IN ('awarded', 'not_yet')", name=op.f("ck_resolution_recommendation")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "submission_id"],
            ["submission.issuer_id", "submission.id"],
            name=op.f("fk_resolution_submission"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "submission_id", "number", name=op.f("pk_resolution")),
    )
    op.create_table(
        "screening",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("condition_codes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("sealed_note", sa.LargeBinary(), nullable=True),
        sa.Column("screened_by", sa.String(), nullable=False),
        sa.Column("screened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('accepted', 'returned_incomplete', 'on_hold')", name=op.f("ck_screening_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "submission_id"],
            ["submission.issuer_id", "submission.id"],
            name=op.f("fk_screening_submission"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_screening")),
    )
    op.create_index(
        op.f("ix_screening_issuer_id_submission_id"), "screening", ["issuer_id", "submission_id"], unique=False
    )
    op.create_table(
        "anchor_exposure",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("assessor_id", sa.String(), nullable=False),
        sa.Column("anchor_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "anchor_id"], ["anchor.issuer_id", "anchor.id"], name=op.f("fk_anchor_exposure_anchor")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "assessor_id"],
            ["assessor.issuer_id", "assessor.id"],
            name=op.f("fk_anchor_exposure_assessor"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "assessor_id", "anchor_id", name=op.f("pk_anchor_exposure")),
    )
    op.create_table(
        "anchor_response",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("anchor_id", sa.String(), nullable=False),
        sa.Column("assessor_id", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("levels", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("phase IN ('before', 'after')", name=op.f("ck_anchor_response_phase")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "anchor_id"], ["anchor.issuer_id", "anchor.id"], name=op.f("fk_anchor_response_anchor")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "assessor_id"],
            ["assessor.issuer_id", "assessor.id"],
            name=op.f("fk_anchor_response_assessor"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "session_id"],
            ["anchor_session.issuer_id", "anchor_session.id"],
            name=op.f("fk_anchor_response_anchor_session"),
        ),
        sa.PrimaryKeyConstraint(
            "issuer_id", "session_id", "anchor_id", "assessor_id", "phase", name=op.f("pk_anchor_response")
        ),
    )
    op.create_table(
        "certification",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("assessor_id", sa.String(), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calibrated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("qualification_id", sa.String(), nullable=True),
        sa.Column("rounds_used", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('in_training', 'qualifying', 'certified', 'probation', 'suspended', 'expired', 'revoked')",
            name=op.f("ck_certification_state"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
            name=op.f("fk_certification_achievement_version"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "assessor_id"], ["assessor.issuer_id", "assessor.id"], name=op.f("fk_certification_assessor")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "decision_id"], ["decision.issuer_id", "decision.id"], name=op.f("fk_certification_decision")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "qualification_id"],
            ["anchor_session.issuer_id", "anchor_session.id"],
            name=op.f("fk_certification_anchor_session"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_certification")),
        sa.UniqueConstraint(
            "issuer_id",
            "assessor_id",
            "achievement_id",
            "version",
            name=op.f("uq_certification_issuer_id_assessor_id_achievement_id_version"),
        ),
    )
    op.create_index(
        op.f("ix_certification_issuer_id_updated_at_id"),
        "certification",
        ["issuer_id", "updated_at", "id"],
        unique=False,
    )
    op.create_table(
        "master_reading",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("anchor_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("levels", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "anchor_id"], ["anchor.issuer_id", "anchor.id"], name=op.f("fk_master_reading_anchor")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "person_id"], ["person.issuer_id", "person.id"], name=op.f("fk_master_reading_person")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "anchor_id", "person_id", name=op.f("pk_master_reading")),
    )
    op.create_table(
        "misconduct_vote",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("vote", sa.String(), nullable=False),
        sa.Column("voted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("stage IN ('case', 'appeal')", name=op.f("ck_misconduct_vote_stage")),
        sa.CheckConstraint("vote IN ('dismissed', 'suspend', 'void')", name=op.f("ck_misconduct_vote_vote")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "case_id"],
            ["misconduct_case.issuer_id", "misconduct_case.id"],
            name=op.f("fk_misconduct_vote_misconduct_case"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "person_id"], ["person.issuer_id", "person.id"], name=op.f("fk_misconduct_vote_person")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "case_id", "stage", "person_id", name=op.f("pk_misconduct_vote")),
    )
    op.create_table(
        "reading",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("program_id", sa.String(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=True),
        sa.Column("anchor_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("assessor_id", sa.String(), nullable=True),
        sa.Column("assessor_code", sa.String(), nullable=True),
        sa.Column("certification_id", sa.String(), nullable=True),
        sa.Column("levels", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("sealed_texts", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('first', 'second_random', 'second_triggered', 'validity', 'adjudication', 'appeal', 'moderation')",
            name=op.f("ck_reading_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'assigned', 'started', 'submitted', 'recused', 'reassigned', 'expired', 'cancelled')",
            name=op.f("ck_reading_state"),
        ),
        sa.CheckConstraint("(submission_id IS NULL) <> (anchor_id IS NULL)", name=op.f("ck_reading_subject")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "anchor_id"], ["anchor.issuer_id", "anchor.id"], name=op.f("fk_reading_anchor")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "assessor_id"], ["assessor.issuer_id", "assessor.id"], name=op.f("fk_reading_assessor")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "program_id"], ["program.issuer_id", "program.id"], name=op.f("fk_reading_program")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "submission_id"],
            ["submission.issuer_id", "submission.id"],
            name=op.f("fk_reading_submission"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_reading")),
    )
    op.create_index(
        op.f("ix_reading_issuer_id_assessor_id_state"), "reading", ["issuer_id", "assessor_id", "state"], unique=False
    )
    op.create_index(
        op.f("ix_reading_issuer_id_state_created_at"), "reading", ["issuer_id", "state", "created_at"], unique=False
    )
    op.create_index(op.f("ix_reading_issuer_id_submission_id"), "reading", ["issuer_id", "submission_id"], unique=False)
    op.create_index(
        "uq_reading_assessor",
        "reading",
        ["issuer_id", "submission_id", "assessor_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('assigned', 'started', 'submitted')"),
        postgresql_where=sa.text("state IN ('assigned', 'started', 'submitted')"),
    )
    op.create_table(
        "appeal",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("submission_id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reading_id", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("new_decision_id", sa.String(), nullable=True),
        sa.Column("sealed_texts", sa.LargeBinary(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('confirmed', 'changed', 'void')", name=op.f("ck_appeal_outcome")),
        sa.CheckConstraint(
            "state IN ('filed', 'inadmissible', 'reading', 'read', 'decided')", name=op.f("ck_appeal_state")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "decision_id"], ["decision.issuer_id", "decision.id"], name=op.f("fk_appeal_decision")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"], name=op.f("fk_appeal_learner")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "reading_id"], ["reading.issuer_id", "reading.id"], name=op.f("fk_appeal_reading")
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "submission_id"], ["submission.issuer_id", "submission.id"], name=op.f("fk_appeal_submission")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_appeal")),
        sa.UniqueConstraint("issuer_id", "decision_id", name=op.f("uq_appeal_issuer_id_decision_id")),
    )
    op.create_index(
        op.f("ix_appeal_issuer_id_updated_at_id"), "appeal", ["issuer_id", "updated_at", "id"], unique=False
    )
    op.create_table(
        "certification_change",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("certification_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed_by", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "certification_id"],
            ["certification.issuer_id", "certification.id"],
            name=op.f("fk_certification_change_certification"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name=op.f("pk_certification_change")),
        sa.UniqueConstraint(
            "issuer_id",
            "certification_id",
            "number",
            name=op.f("uq_certification_change_issuer_id_certification_id_number"),
        ),
    )
    op.create_table(
        "moderation_item",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("moderation_id", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("reading_id", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("new_decision_id", sa.String(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('confirmed', 'changed', 'void')", name=op.f("ck_moderation_item_outcome")),
        sa.ForeignKeyConstraint(
            ["issuer_id", "decision_id"],
            ["decision.issuer_id", "decision.id"],
            name=op.f("fk_moderation_item_decision"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "moderation_id"],
            ["moderation.issuer_id", "moderation.id"],
            name=op.f("fk_moderation_item_moderation"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "reading_id"], ["reading.issuer_id", "reading.id"], name=op.f("fk_moderation_item_reading")
        ),
        sa.PrimaryKeyConstraint("issuer_id", "moderation_id", "decision_id", name=op.f("pk_moderation_item")),
    )

    with op.batch_alter_table("decision") as table:
        table.add_column(sa.Column("submission_id", sa.String(), nullable=True))
        table.add_column(sa.Column("policy_version", sa.Integer(), nullable=True))
        table.add_column(sa.Column("reason_code", sa.String(), nullable=True))
        table.create_foreign_key(
            op.f("fk_decision_submission"), "submission", ["issuer_id", "submission_id"], ["issuer_id", "id"]
        )
    op.create_index(op.f("ix_decision_issuer_id_submission_id"), "decision", ["issuer_id", "submission_id"])
    op.add_column("panel", sa.Column("organization_name", sa.String(), nullable=True))
    op.add_column("panel", sa.Column("organization_url", sa.String(), nullable=True))
    _protect()


def downgrade() -> None:
    op.drop_column("panel", "organization_url")
    op.drop_column("panel", "organization_name")
    op.drop_index("ix_decision_issuer_id_submission_id", table_name="decision")
    with op.batch_alter_table("decision") as table:
        table.drop_constraint(op.f("fk_decision_submission"), type_="foreignkey")
        table.drop_column("reason_code")
        table.drop_column("policy_version")
        table.drop_column("submission_id")
    if op.get_bind().dialect.name == "sqlite":
        _guard("decision")
    op.drop_table("moderation_item")
    op.drop_table("certification_change")
    op.drop_table("appeal")
    op.drop_table("reading")
    op.drop_table("misconduct_vote")
    op.drop_table("master_reading")
    op.drop_table("certification")
    op.drop_table("anchor_response")
    op.drop_table("anchor_exposure")
    op.drop_table("screening")
    op.drop_table("resolution")
    op.drop_table("misconduct_case")
    op.drop_table("artifact")
    op.drop_table("anchor")
    op.drop_table("team_member")
    op.drop_table("submission")
    op.drop_table("training")
    op.drop_table("enrollment")
    op.drop_table("anchor_session")
    op.drop_table("team")
    op.drop_table("sign_in_link")
    op.drop_table("scoring_policy")
    op.drop_table("sampling_window")
    op.drop_table("program_achievement")
    op.drop_table("person_session")
    op.drop_table("person_role")
    op.drop_table("person_identity")
    op.drop_table("moderation")
    op.drop_table("mail")
    op.drop_table("cohort")
    op.drop_table("assessor")
    op.drop_table("affiliation")
    op.drop_table("program")
    op.drop_table("person")
    op.drop_table("oidc_sign_in")
    op.drop_table("oidc_provider")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION assay_submitted_reading()")
