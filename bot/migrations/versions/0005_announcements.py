"""Announcements: what is told, to whom, when; one row for each chat it goes to; what it costs."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "announcements",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False, index=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("selection", sa.JSON, nullable=False),
        sa.Column("plan", sa.JSON, nullable=False),
        sa.Column("by", sa.String(80), nullable=False, index=True),
        sa.Column("co_op", sa.String(60), nullable=False, index=True),
        sa.Column("approved_by", sa.String(80), nullable=False),
        sa.Column("valid_until", sa.Date, index=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
    )
    op.create_table(
        "selections",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("co_op", sa.String(60), nullable=False, index=True),
        sa.Column("selection", sa.JSON, nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
    )
    op.create_table(
        "announcement_runs",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("announcement", sa.String(40), nullable=False, index=True),
        sa.Column("occasion", sa.String(20), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False, index=True),
        sa.Column("state", sa.String(20), nullable=False, index=True),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("content", sa.JSON),
        sa.Column("fanned_at", MOMENT),
        sa.UniqueConstraint("announcement", "occasion", "due_at", name="uq_announcement_runs"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("run", sa.String(40), nullable=False),
        sa.Column("announcement", sa.String(40), nullable=False),
        sa.Column("conversation", sa.String(80), nullable=False),
        sa.Column("platform", sa.String(20), nullable=False),
        sa.Column("address", sa.String(80), nullable=False),
        sa.Column("shape", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("means", sa.String(20), nullable=False),
        sa.Column("way", sa.String(10), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("push_from", MOMENT),
        sa.Column("expires_at", MOMENT, nullable=False, index=True),
        sa.Column("held_until", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("tried_at", sa.Float),
        sa.Column("retry_key", sa.String(40), nullable=False),
        sa.Column("reply_token", sa.String(200), nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("message_ids", sa.JSON, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT),
        sa.UniqueConstraint("run", "conversation", name="uq_deliveries"),
    )
    op.create_index("ix_deliveries_chat", "deliveries", ["conversation", "state"])
    op.create_index("ix_deliveries_due", "deliveries", ["platform", "state", "push_from"])
    op.create_index("ix_deliveries_of", "deliveries", ["announcement", "state"])
    op.create_table(
        "quota_ledger",
        sa.Column("delivery", sa.String(40), primary_key=True),
        sa.Column("month", sa.String(7), primary_key=True, index=True),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "quota_months",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("allowed", sa.Integer),
        sa.Column("told_used", sa.Integer, nullable=False),
        sa.Column("own_at_telling", sa.Integer, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
    )
    op.create_table(
        "chat_members",
        sa.Column("conversation", sa.String(80), primary_key=True),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
    )
    op.create_table(
        "chats",
        sa.Column("conversation", sa.String(80), primary_key=True),
        sa.Column("platform", sa.String(20), nullable=False),
        sa.Column("address", sa.String(80), nullable=False),
        sa.Column("shape", sa.String(20), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("alone", sa.Boolean, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
    )
