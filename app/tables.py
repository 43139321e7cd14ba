"""Every room's tables, so that `Table.metadata` is whole: for migrations, and for whoever needs all of them."""

import app.access.idempotency
import app.access.store
import app.achievements.store
import app.appeals.store
import app.assessors.store
import app.audit.store
import app.clr.store
import app.credentials.store
import app.demographics.store
import app.endorsements.store
import app.events.store
import app.frameworks.store
import app.issuers.carried
import app.issuers.store
import app.jobs.queue
import app.keys.store
import app.learners.store
import app.misconduct.store
import app.monitoring.store
import app.oauth.store
import app.obapi.store
import app.pathways.store
import app.people.store
import app.programs.store
import app.quality.store
import app.readings.store
import app.recognition.store
import app.reports.equity_store
import app.scoring.store
import app.statuslists.store
import app.submissions.impact
import app.submissions.store
import app.vcapi.store  # noqa: F401
from app.db import Table

metadata = Table.metadata
