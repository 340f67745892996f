"""The rows of announcing. Moments are kept in UTC; `held_until` and `tried_at` are seconds since 1970 by the real clock."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.store import metadata

_MOMENT = sa.DateTime(timezone=True)


class Status(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    SENDING = "sending"  # a push has been begun
    RIDING = "riding"  # a reply has been begun
    EDITING = "editing"  # sent, and to get other words
    SENT = "sent"
    UNSURE = "unsure"  # perhaps shown; nobody can tell, and rather not twice
    FAILED = "failed"
    EXPIRED = "expired"  # of no use any more before it could leave
    REPLACED = "replaced"  # a newer run of the same announcement tells it
    WITHDRAWN = "withdrawn"


announcements = sa.Table(
    "announcements",
    metadata,
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
    sa.Column("made_at", _MOMENT, nullable=False),
    sa.Column("changed_at", _MOMENT, nullable=False),
)
selections = sa.Table(
    "selections",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("co_op", sa.String(60), nullable=False, index=True),
    sa.Column("selection", sa.JSON, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
)
# Each time an announcement leaves. `content`: other words than the announcement's (a correction, a withdrawal).
runs = sa.Table(
    "announcement_runs",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("announcement", sa.String(40), nullable=False, index=True),
    sa.Column("occasion", sa.String(20), nullable=False),
    sa.Column("due_at", _MOMENT, nullable=False, index=True),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("content", sa.JSON(none_as_null=True)),
    sa.Column("fanned_at", _MOMENT),
    sa.UniqueConstraint("announcement", "occasion", "due_at", name="uq_announcement_runs"),
)
deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("run", sa.String(40), nullable=False),
    sa.Column("announcement", sa.String(40), nullable=False),
    sa.Column("conversation", sa.String(80), nullable=False),
    sa.Column("platform", sa.String(20), nullable=False),
    sa.Column("address", sa.String(80), nullable=False),
    sa.Column("shape", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("means", sa.String(20), nullable=False),
    sa.Column("way", sa.String(10), nullable=False),  # how it left: ride, push
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("push_from", _MOMENT),  # None: never pushed
    sa.Column("expires_at", _MOMENT, nullable=False, index=True),
    sa.Column("held_until", sa.Float, nullable=False),  # a lease, or the pause before the next attempt
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("tried_at", sa.Float),  # first attempt whose outcome is not known
    sa.Column("retry_key", sa.String(40), nullable=False),
    sa.Column("reply_token", sa.String(200), nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("message_ids", sa.JSON, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("made_at", _MOMENT, nullable=False),
    sa.Column("sent_at", _MOMENT),
    sa.UniqueConstraint("run", "conversation", name="uq_deliveries"),
    sa.Index("ix_deliveries_chat", "conversation", "state"),
    sa.Index("ix_deliveries_due", "platform", "state", "push_from"),
    sa.Index("ix_deliveries_of", "announcement", "state"),
)
ledger = sa.Table(
    "quota_ledger",
    metadata,
    sa.Column("delivery", sa.String(40), primary_key=True),
    sa.Column("month", sa.String(7), primary_key=True, index=True),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("at", _MOMENT, nullable=False),
)
# What the platform says of a month. `own_at_telling`: what had been charged here when it was asked.
months = sa.Table(
    "quota_months",
    metadata,
    sa.Column("month", sa.String(7), primary_key=True),
    sa.Column("allowed", sa.Integer),
    sa.Column("told_used", sa.Integer, nullable=False),
    sa.Column("own_at_telling", sa.Integer, nullable=False),
    sa.Column("asked_at", _MOMENT, nullable=False),
)
chat_members = sa.Table(
    "chat_members",
    metadata,
    sa.Column("conversation", sa.String(80), primary_key=True),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("asked_at", _MOMENT, nullable=False),
)
# Places besides LINE's groups that announcements go to.
chats = sa.Table(
    "chats",
    metadata,
    sa.Column("conversation", sa.String(80), primary_key=True),
    sa.Column("platform", sa.String(20), nullable=False),
    sa.Column("address", sa.String(80), nullable=False),
    sa.Column("shape", sa.String(20), nullable=False),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("alone", sa.Boolean, nullable=False),
    sa.Column("since", _MOMENT, nullable=False),
)


def insert(c: sa.Connection) -> Any:
    """`insert` of the database at hand, which can pass over what is there already."""
    return postgresql.insert if c.dialect.name == "postgresql" else sqlite.insert


def utc(moment: dt.datetime) -> dt.datetime:
    """For writing, and of what was read: SQLite gives moments back without their zone."""
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
