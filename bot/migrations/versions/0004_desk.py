"""The coordinators' desk: who signs in, what they did, what was asked, entries edited by hand, their care, synonyms, imports."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _people()
    _asked()
    _entries()


def _people() -> None:
    op.create_table(
        "desk_users",
        sa.Column("account", sa.String(80), primary_key=True),
        sa.Column("name", sa.String(40), nullable=False, unique=True),
        sa.Column("password", sa.String(200), nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("guided", sa.Boolean, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
    )
    op.create_table(
        "desk_sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(80), nullable=False, index=True),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False, index=True),
    )
    op.create_table(
        "desk_links",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("subject", sa.JSON, nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False, index=True),
        sa.Column("used_at", MOMENT),
    )
    op.create_table(
        "desk_attempts",
        sa.Column("subject", sa.String(80), primary_key=True),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", MOMENT, nullable=False, index=True),
        sa.Column("by", sa.String(80), nullable=False, index=True),
        sa.Column("action", sa.String(40), nullable=False, index=True),
        sa.Column("about", sa.String(200), nullable=False),
        sa.Column("co_op", sa.String(60), nullable=False, index=True),
        sa.Column("detail", sa.Text, nullable=False),
    )


def _asked() -> None:
    op.create_table(
        "asked",
        sa.Column("answer_id", sa.String(40), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("co_op", sa.String(60), nullable=False),
        sa.Column("asker", sa.String(80), nullable=False, index=True),
        sa.Column("conversation", sa.String(80), nullable=False, index=True),
        sa.Column("answered", sa.Boolean, nullable=False),
        sa.Column("helpful", sa.Boolean, index=True),
        sa.Column("passages", sa.JSON, nullable=False),
        sa.Column("settled_at", MOMENT),
        sa.Column("settled_by", sa.String(80), nullable=False),
        sa.Column("wait_until", MOMENT),
        sa.Index("ix_asked_everywhere", "at", "answer_id", "co_op", "answered", "helpful"),
        sa.Index("ix_asked_in_co_op", "co_op", "at", "answer_id", "answered", "helpful"),
    )


def _entries() -> None:
    op.create_table(
        "entry_versions",
        sa.Column("document", sa.String(200), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    op.create_table(
        "entry_care",
        sa.Column("document", sa.String(200), primary_key=True),
        sa.Column("verifier", sa.String(80), nullable=False),
        sa.Column("check_at", sa.Date, index=True),
        sa.Column("expires_at", sa.Date, index=True),
        sa.Column("wait_until", MOMENT),
    )
    op.create_table(
        "synonyms",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("said", sa.String(80), nullable=False, unique=True),
        sa.Column("meant", sa.String(80), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("by", sa.String(80), nullable=False, index=True),
        sa.Column("co_op", sa.String(60), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("report", sa.JSON, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False, index=True),
        sa.Column("seen_at", MOMENT, nullable=False),
    )
