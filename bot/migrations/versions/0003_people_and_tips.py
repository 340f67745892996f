"""Who is who, tips and their review, unanswered questions, dialogues, notices, keys of the interface."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _people()
    _tips()
    op.create_table(
        "open_questions",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("co_op", sa.String(60), nullable=False),
        sa.Column("topic", sa.String(40), nullable=False, index=True),
        sa.Column("asker", sa.String(80), nullable=False, index=True),
        sa.Column("conversation", sa.String(80), nullable=False, index=True),
        sa.Column("asked_at", MOMENT, nullable=False, index=True),
        sa.Column("state", sa.String(20), nullable=False, index=True),
        sa.Column("nearest", sa.JSON, nullable=False),
        sa.Column("tip", sa.String(40), nullable=False),
        sa.Column("wait_until", MOMENT),
    )
    op.create_table(
        "dialogues",
        sa.Column("conversation", sa.String(80), primary_key=True),
        sa.Column("person", sa.String(80), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("draft", sa.JSON, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False, index=True),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("person", sa.String(80), nullable=False, index=True),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("values", sa.JSON, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False, index=True),
    )
    op.create_table(
        "api_keys",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False, unique=True),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("co_op", sa.String(60), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
    )


def _people() -> None:
    op.create_table(
        "co_ops",
        sa.Column("id", sa.String(60), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("size", sa.Integer),
        sa.Column("legal_form", sa.String(80), nullable=False),
        sa.Column("partners", sa.JSON, nullable=False),
        sa.Column("findable", sa.Boolean, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
    )
    op.create_table(
        "linked_chats",
        sa.Column("conversation", sa.String(80), primary_key=True),
        sa.Column("co_op", sa.String(60), sa.ForeignKey("co_ops.id", ondelete="CASCADE"), nullable=False, index=True),
        sa.Column("linked_at", MOMENT, nullable=False),
    )
    # A person is known by one or more accounts (pseudonyms on a platform).
    op.create_table(
        "accounts",
        sa.Column("account", sa.String(80), primary_key=True),
        sa.Column("person", sa.String(40), nullable=False, index=True),
        sa.Column("since", MOMENT, nullable=False),
    )
    op.create_table(
        "roles",
        sa.Column("person", sa.String(40), primary_key=True),
        sa.Column("role", sa.String(20), primary_key=True),
        sa.Column("co_op", sa.String(60), primary_key=True),
        sa.Column("given_at", MOMENT, nullable=False),
    )
    op.create_table(
        "codes",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("subject", sa.JSON, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False, index=True),
        sa.Column("used_at", MOMENT),
    )
    op.create_table(
        "code_attempts",
        sa.Column("account", sa.String(80), primary_key=True),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
    )


def _tips() -> None:
    op.create_table(
        "tips",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("state", sa.String(20), nullable=False, index=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("happened", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("articles", sa.JSON, nullable=False),
        sa.Column("author", sa.String(80), nullable=False, index=True),
        sa.Column("author_name", sa.String(80), nullable=False),
        sa.Column("conversation", sa.String(80), nullable=False, index=True),
        sa.Column("co_op", sa.String(60), nullable=False, index=True),
        sa.Column("consent", sa.String(20), nullable=False),
        sa.Column("audience", sa.JSON, nullable=False),
        sa.Column("offered_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False, index=True),
        sa.Column("published_at", MOMENT),
        sa.Column("verifier", sa.String(80), nullable=False),
        sa.Column("check_at", sa.Date),
        sa.Column("expires_at", sa.Date),
        sa.Column("wait_until", MOMENT),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("merged_into", sa.String(40), nullable=False),
    )
    op.create_table(
        "tip_versions",
        sa.Column("tip", sa.String(40), sa.ForeignKey("tips.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("tip", sa.String(40), nullable=False, index=True),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("before", sa.JSON, nullable=False),
        sa.Column("at", MOMENT, nullable=False, index=True),
        sa.Column("undone_at", MOMENT),
    )
    op.create_table(
        "tombstones",
        sa.Column("tip", sa.String(40), primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
    )
