"""What platforms need: received events, lasting choices, the bot's own messages, groups, marks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("conversations") as table:
        table.add_column(sa.Column("asker", sa.String(80), nullable=False, server_default=""))
        table.create_index("ix_conversations_asker", ["asker"])
    with op.batch_alter_table("ratings") as table:
        table.alter_column("rater", type_=sa.String(80), existing_type=sa.String(64), existing_nullable=False)
    op.create_table(
        "inbox",
        sa.Column("platform", sa.String(20), primary_key=True),
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("conversation", sa.String(80), nullable=False, index=True),
        sa.Column("sender", sa.String(80), nullable=False, index=True),
        sa.Column("message_id", sa.String(80), nullable=False, index=True),
        sa.Column("happened_at", sa.Float, nullable=False),
        sa.Column("received_at", sa.Float, nullable=False),
        sa.Column("state", sa.String(10), nullable=False, index=True),
        sa.Column("leased_until", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("tried", sa.Boolean, nullable=False),
        sa.Column("reply_token", sa.String(200), nullable=False),
        sa.Column("payload", sa.JSON),
        sa.Column("late", sa.JSON),
    )
    op.create_table(
        "preferences",
        sa.Column("owner", sa.String(80), primary_key=True),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("large", sa.Boolean, nullable=False),
    )
    op.create_table(
        "sent_messages",
        sa.Column("platform", sa.String(20), primary_key=True),
        sa.Column("message_id", sa.String(80), primary_key=True),
        sa.Column("conversation", sa.String(80), nullable=False, index=True),
        sa.Column("answer_id", sa.String(40), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False, index=True),
    )
    op.create_table(
        "groups",
        sa.Column("conversation", sa.String(80), primary_key=True),
        sa.Column("platform", sa.String(20), nullable=False),
        sa.Column("address", sa.String(80), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table("marks", sa.Column("name", sa.String(80), primary_key=True), sa.Column("value", sa.Text, nullable=False))
