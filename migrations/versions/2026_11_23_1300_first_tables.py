"""The first tables.

Nothing to lock: the database is new. Besides the tables it makes, on both engines, triggers that refuse to change what is
append-only and what is published; on PostgreSQL also the role `assay_app`, which the service works as: it owns nothing and
may not change the append-only tables at all.
"""

import sqlalchemy as sa
from alembic import op

revision = "d8dfc136bac6"
down_revision = None
branch_labels = None
depends_on = None


_TABLES = (
    "audit_entry",
    "idempotency_key",
    "installation",
    "issuer",
    "job",
    "achievement",
    "api_client",
    "event",
    "event_counter",
    "image",
    "learner",
    "panel",
    "signing_key",
    "status_list",
    "achievement_version",
    "learner_identity",
    "status_list_order",
    "status_list_publication",
    "decision",
    "award",
    "credential",
    "edition",
    "representation",
)

APPEND_ONLY = ("audit_entry", "decision", "event", "image", "representation", "status_list_order")
DELETABLE = ("idempotency_key", "job")

_FROZEN = ("version", "content", "document", "content_hash", "image_digest", "published_at")


def _guard_sqlite() -> None:
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
    # A JSON column compares as text here, so even another spelling of the same content is refused.
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _FROZEN)
    message = "a published version is immutable"
    op.execute(
        f"CREATE TRIGGER achievement_version_frozen BEFORE UPDATE ON achievement_version "
        f"WHEN OLD.state <> 'draft' AND (NEW.state = 'draft' OR {changed}) BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )
    op.execute(
        "CREATE TRIGGER achievement_version_kept BEFORE DELETE ON achievement_version "
        f"WHEN OLD.state <> 'draft' BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION assay_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION assay_append_only()"
        )
    changed = " OR ".join(f"OLD.{column}::text IS DISTINCT FROM NEW.{column}::text" for column in _FROZEN)
    op.execute(
        "CREATE FUNCTION assay_version_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF OLD.state = 'draft' THEN IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END IF; "
        f"IF TG_OP = 'DELETE' OR NEW.state = 'draft' OR {changed} THEN "
        "RAISE EXCEPTION 'a published version is immutable'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER achievement_version_frozen BEFORE UPDATE OR DELETE ON achievement_version "
        "FOR EACH ROW EXECUTE FUNCTION assay_version_frozen()"
    )


def _grant_postgresql() -> None:
    # The migrating user may lack the right to create roles: then a database administrator does it once, and says so here.
    op.execute(
        "DO $$ BEGIN "
        "IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'assay_app') THEN CREATE ROLE assay_app NOLOGIN; END IF; "
        "IF NOT pg_has_role(current_user, 'assay_app', 'MEMBER') THEN "
        "EXECUTE format('GRANT assay_app TO %I', current_user); END IF; "
        "EXCEPTION WHEN insufficient_privilege THEN RAISE EXCEPTION "
        "'ask a database administrator to run: CREATE ROLE assay_app NOLOGIN; GRANT assay_app TO %;', current_user; "
        "END $$"
    )
    op.execute("DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO assay_app', current_schema()); END $$")
    for table in _TABLES:
        rights = ["SELECT", "INSERT"]
        rights += ["UPDATE"] if table not in APPEND_ONLY else []
        rights += ["DELETE"] if table in DELETABLE else []
        op.execute(f"GRANT {', '.join(rights)} ON {table} TO assay_app")
    op.execute("GRANT USAGE ON SEQUENCE audit_entry_id_seq TO assay_app")
    op.execute("GRANT SELECT ON alembic_version TO assay_app")


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
    )
    op.create_index("ix_audit_entry_issuer_id_object_id", "audit_entry", ["issuer_id", "object_id"])

    op.create_table(
        "idempotency_key",
        sa.Column("principal_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("issuer_id", sa.String(), nullable=True),
        sa.Column("learner_id", sa.String(), nullable=True),
        sa.Column("resource_id", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("principal_id", "key", name="pk_idempotency_key"),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("base_url", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )
    op.create_table(
        "issuer",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("did", sa.String(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_issuer"),
        sa.UniqueConstraint("did", name="uq_issuer_did"),
        sa.UniqueConstraint("slug", name="uq_issuer_slug"),
    )
    op.create_table(
        "job",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
    )
    op.create_index("ix_job_run_at", "job", ["run_at"])

    op.create_table(
        "achievement",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_achievement_issuer"),
        sa.PrimaryKeyConstraint("issuer_id", "id", name="pk_achievement"),
        sa.UniqueConstraint("id", name="uq_achievement_id"),
        sa.UniqueConstraint("issuer_id", "external_id", name="uq_achievement_issuer_id_external_id"),
    )
    op.create_index("ix_achievement_issuer_id_updated_at_id", "achievement", ["issuer_id", "updated_at", "id"])

    op.create_table(
        "api_client",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("issuer_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_api_client_issuer"),
        sa.PrimaryKeyConstraint("id", name="pk_api_client"),
    )
    op.create_index("ix_api_client_issuer_id", "api_client", ["issuer_id"])

    op.create_table(
        "event",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("object_type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_event_issuer"),
        sa.PrimaryKeyConstraint("issuer_id", "position", name="pk_event"),
    )
    op.create_table(
        "event_counter",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_event_counter_issuer"),
        sa.PrimaryKeyConstraint("issuer_id", name="pk_event_counter"),
    )
    op.create_table(
        "image",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_image_issuer"),
        sa.PrimaryKeyConstraint("issuer_id", "digest", name="pk_image"),
    )
    op.create_index("ix_image_digest", "image", ["digest"])

    op.create_table(
        "learner",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_learner_issuer"),
        sa.PrimaryKeyConstraint("issuer_id", "id", name="pk_learner"),
        sa.UniqueConstraint("issuer_id", "external_id", name="uq_learner_issuer_id_external_id"),
    )
    op.create_index("ix_learner_issuer_id_updated_at_id", "learner", ["issuer_id", "updated_at", "id"])

    op.create_table(
        "panel",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_panel_issuer"),
        sa.PrimaryKeyConstraint("issuer_id", "id", name="pk_panel"),
        sa.UniqueConstraint("id", name="uq_panel_id"),
        sa.UniqueConstraint("issuer_id", "external_id", name="uq_panel_issuer_id_external_id"),
    )
    op.create_index("ix_panel_issuer_id_updated_at_id", "panel", ["issuer_id", "updated_at", "id"])

    op.create_table(
        "signing_key",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("algorithm", sa.String(), nullable=False),
        sa.Column("public_key_multibase", sa.String(), nullable=False),
        sa.Column("sealed_private_key", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'retired')", name="ck_signing_key_state"),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_signing_key_issuer"),
        sa.PrimaryKeyConstraint("issuer_id", "id", name="pk_signing_key"),
        sa.UniqueConstraint("id", name="uq_signing_key_id"),
        sa.UniqueConstraint("public_key_multibase", name="uq_signing_key_public_key_multibase"),
    )
    op.create_table(
        "status_list",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("bits", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("purpose IN ('revocation', 'suspension')", name="ck_status_list_purpose"),
        sa.CheckConstraint("drawn <= length", name="ck_status_list_drawn"),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_status_list_issuer"),
        sa.PrimaryKeyConstraint("issuer_id", "id", name="pk_status_list"),
        sa.UniqueConstraint("id", name="uq_status_list_id"),
    )
    op.create_index("ix_status_list_issuer_id_purpose", "status_list", ["issuer_id", "purpose"])

    op.create_table(
        "achievement_version",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=True),
        sa.Column("content_hash", sa.String(), nullable=True),
        sa.Column("image_digest", sa.String(), nullable=False),
        sa.Column("image_uploaded", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('draft', 'published', 'retired')", name="ck_achievement_version_state"),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id"],
            ["achievement.issuer_id", "achievement.id"],
            name="fk_achievement_version_achievement",
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "image_digest"],
            ["image.issuer_id", "image.digest"],
            name="fk_achievement_version_image",
        ),
        sa.PrimaryKeyConstraint("issuer_id", "achievement_id", "version", name="pk_achievement_version"),
    )
    op.create_table(
        "learner_identity",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("blind_index", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_value", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('email', 'did', 'name')", name="ck_learner_identity_kind"),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"],
            ["learner.issuer_id", "learner.id"],
            name="fk_learner_identity_learner",
        ),
        sa.PrimaryKeyConstraint("issuer_id", "learner_id", "id", name="pk_learner_identity"),
        sa.UniqueConstraint("issuer_id", "kind", "blind_index", name="uq_learner_identity_issuer_id_kind_blind_index"),
    )
    op.create_table(
        "status_list_order",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("status_list_id", sa.String(), nullable=False),
        sa.Column("indexes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "status_list_id"],
            ["status_list.issuer_id", "status_list.id"],
            name="fk_status_list_order_status_list",
        ),
        sa.PrimaryKeyConstraint("issuer_id", "status_list_id", name="pk_status_list_order"),
    )
    op.create_table(
        "status_list_publication",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("status_list_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("ttl_seconds", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "status_list_id"],
            ["status_list.issuer_id", "status_list.id"],
            name="fk_status_list_publication_status_list",
        ),
        sa.PrimaryKeyConstraint("issuer_id", "status_list_id", name="pk_status_list_publication"),
        sa.UniqueConstraint("status_list_id", name="uq_status_list_publication_status_list_id"),
    )
    op.create_table(
        "decision",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("panel_id", sa.String(), nullable=False),
        sa.Column("assessors", sa.JSON(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("levels", sa.JSON(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("supersedes_id", sa.String(), nullable=True),
        sa.Column("sealed_details", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.String(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('awarded', 'not_yet')", name="ck_decision_outcome"),
        sa.ForeignKeyConstraint(
            ["issuer_id", "achievement_id", "version"],
            ["achievement_version.issuer_id", "achievement_version.achievement_id", "achievement_version.version"],
            name="fk_decision_achievement_version",
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"],
            ["learner.issuer_id", "learner.id"],
            name="fk_decision_learner",
        ),
        sa.ForeignKeyConstraint(["issuer_id", "panel_id"], ["panel.issuer_id", "panel.id"], name="fk_decision_panel"),
        sa.ForeignKeyConstraint(
            ["issuer_id", "supersedes_id"],
            ["decision.issuer_id", "decision.id"],
            name="fk_decision_decision",
        ),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_decision_issuer"),
        sa.PrimaryKeyConstraint("issuer_id", "id", name="pk_decision"),
        sa.UniqueConstraint("issuer_id", "external_id", name="uq_decision_issuer_id_external_id"),
        sa.UniqueConstraint("issuer_id", "supersedes_id", name="uq_decision_issuer_id_supersedes_id"),
    )
    op.create_index("ix_decision_issuer_id_recorded_at_id", "decision", ["issuer_id", "recorded_at", "id"])

    op.create_table(
        "award",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "decision_id"],
            ["decision.issuer_id", "decision.id"],
            name="fk_award_decision",
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"],
            ["learner.issuer_id", "learner.id"],
            name="fk_award_learner",
        ),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_award_issuer"),
        sa.PrimaryKeyConstraint("issuer_id", "id", name="pk_award"),
        sa.UniqueConstraint("issuer_id", "decision_id", name="uq_award_issuer_id_decision_id"),
    )
    op.create_table(
        "credential",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("award_id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("achievement_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("view", sa.String(), nullable=False),
        sa.Column("visibility", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sealed_reason", sa.LargeBinary(), nullable=True),
        sa.Column("edition_number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'issued', 'suspended', 'revoked', 'failed')", name="ck_credential_state"
        ),
        sa.ForeignKeyConstraint(["issuer_id", "award_id"], ["award.issuer_id", "award.id"], name="fk_credential_award"),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"],
            ["learner.issuer_id", "learner.id"],
            name="fk_credential_learner",
        ),
        sa.ForeignKeyConstraint(["issuer_id"], ["issuer.id"], name="fk_credential_issuer"),
        sa.PrimaryKeyConstraint("issuer_id", "id", name="pk_credential"),
        sa.UniqueConstraint("id", name="uq_credential_id"),
        sa.UniqueConstraint("issuer_id", "award_id", "view", name="uq_credential_issuer_id_award_id_view"),
    )
    op.create_index("ix_credential_issuer_id_external_id", "credential", ["issuer_id", "external_id"])
    op.create_index("ix_credential_issuer_id_updated_at_id", "credential", ["issuer_id", "updated_at", "id"])

    op.create_table(
        "edition",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("credential_id", sa.String(), nullable=False),
        sa.Column("decision_id", sa.String(), nullable=False),
        sa.Column("learner_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("awarded_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status_list_id", sa.String(), nullable=False),
        sa.Column("status_list_index", sa.Integer(), nullable=False),
        sa.Column("status_purpose", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("proof_created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unsecured_digest", sa.String(), nullable=False),
        sa.Column("sealed_unsecured", sa.LargeBinary(), nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'issued', 'superseded', 'burned')", name="ck_edition_state"),
        sa.ForeignKeyConstraint(
            ["issuer_id", "credential_id"],
            ["credential.issuer_id", "credential.id"],
            name="fk_edition_credential",
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "decision_id"],
            ["decision.issuer_id", "decision.id"],
            name="fk_edition_decision",
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "key_id"],
            ["signing_key.issuer_id", "signing_key.id"],
            name="fk_edition_signing_key",
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "learner_id"],
            ["learner.issuer_id", "learner.id"],
            name="fk_edition_learner",
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id", "status_list_id"],
            ["status_list.issuer_id", "status_list.id"],
            name="fk_edition_status_list",
        ),
        sa.PrimaryKeyConstraint("issuer_id", "id", name="pk_edition"),
        sa.UniqueConstraint("issuer_id", "credential_id", "number", name="uq_edition_issuer_id_credential_id_number"),
        sa.UniqueConstraint("issuer_id", "decision_id", name="uq_edition_issuer_id_decision_id"),
        sa.UniqueConstraint("status_list_id", "status_list_index", name="uq_edition_status_list_id_status_list_index"),
    )
    op.create_table(
        "representation",
        sa.Column("issuer_id", sa.String(), nullable=False),
        sa.Column("edition_id", sa.String(), nullable=False),
        sa.Column("profile", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id", "edition_id"],
            ["edition.issuer_id", "edition.id"],
            name="fk_representation_edition",
        ),
        sa.PrimaryKeyConstraint("issuer_id", "edition_id", "profile", name="pk_representation"),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_sqlite()
    else:
        _guard_postgresql()
        _grant_postgresql()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION assay_append_only(), assay_version_frozen()")
