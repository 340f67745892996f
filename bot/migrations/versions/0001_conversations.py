"""Conversations, the answers that were given, and how they were rated. No message text is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("state", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, index=True),
    )
    op.create_table(
        "answers",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("answered", sa.Boolean, nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("passages", sa.JSON, nullable=False),
    )
    op.create_table(
        "ratings",
        sa.Column("answer_id", sa.String(40), sa.ForeignKey("answers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("rater", sa.String(64), primary_key=True),
        sa.Column("helpful", sa.Boolean, nullable=False),
        sa.Column("rated_at", sa.DateTime(timezone=True), nullable=False),
    )
