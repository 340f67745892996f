"""The official text of laws, and which of their articles have changed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "laws",
        sa.Column("law_id", sa.String(20), primary_key=True),
        sa.Column("law_num", sa.String(60), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("revision_id", sa.String(60), nullable=False),
        sa.Column("in_force", sa.Date),
        sa.Column("status", sa.String(30), nullable=False),
        sa.Column("imported_on", sa.Date, nullable=False),
        sa.Column("raw", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "law_texts",
        sa.Column("law_id", sa.String(20), sa.ForeignKey("laws.law_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("provision", sa.String(20), primary_key=True),
        sa.Column("number", sa.String(20), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("paragraph", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("caption", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
    )
    op.create_table(
        "law_changes",
        sa.Column("law_id", sa.String(20), primary_key=True),
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("noticed_on", sa.Date, nullable=False),
    )
