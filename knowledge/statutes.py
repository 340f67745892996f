"""The official text of the Act, imported on the operator's machine: exact words beside our guide, and what has changed."""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import dataclass

import sqlalchemy as sa

from knowledge.database import Database
from knowledge.errors import InvalidDocument
from knowledge.sources.egov import read_law
from knowledge.sources.law import Change, Law, LawArticle, LawParagraph, article_key, changes
from knowledge.store import metadata

ACT = "502AC1000000078"  # 労働者協同組合法, as e-Gov numbers it

laws = sa.Table(
    "laws",
    metadata,
    sa.Column("law_id", sa.String(20), primary_key=True),
    sa.Column("law_num", sa.String(60), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("revision_id", sa.String(60), nullable=False),
    sa.Column("in_force", sa.Date),
    sa.Column("status", sa.String(30), nullable=False),
    sa.Column("imported_on", sa.Date, nullable=False),
    sa.Column("raw", sa.LargeBinary, nullable=False),  # as it came, compressed: what a newer version is compared with
)
law_texts = sa.Table(
    "law_texts",
    metadata,
    sa.Column("law_id", sa.ForeignKey("laws.law_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("provision", sa.String(20), primary_key=True),
    sa.Column("number", sa.String(20), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("paragraph", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("caption", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
)
# Articles whose words have changed since the guides were written, or between two imports.
law_changes = sa.Table(
    "law_changes",
    metadata,
    sa.Column("law_id", sa.String(20), primary_key=True),
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("noticed_on", sa.Date, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Statute:
    """Exact words of an article or of one of its paragraphs, and which version they are of."""

    name: str
    text: str
    in_force: dt.date | None
    revision_id: str


class Statutes:
    """Every method is one short transaction."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, raw: bytes, today: dt.date, revision_id: str = "") -> tuple[Law, tuple[Change, ...]]:
        """Replace the text of a law. Returns what changed since the last import; those articles are marked."""
        law = read_law(raw, revision_id)
        if not law.law_id or not law.articles:
            raise InvalidDocument("This law has no id or no articles: give the file as e-Gov hands it out.")
        before = self.law(law.law_id)
        changed = changes(before, law) if before else ()
        with self._db.write() as c:
            c.execute(sa.delete(law_texts).where(law_texts.c.law_id == law.law_id))
            c.execute(sa.delete(laws).where(laws.c.law_id == law.law_id))
            c.execute(
                sa.insert(laws).values(
                    law_id=law.law_id,
                    law_num=law.law_num,
                    title=law.title,
                    revision_id=law.revision_id,
                    in_force=law.in_force,
                    status=law.status,
                    imported_on=today,
                    raw=zlib.compress(raw),
                )
            )
            c.execute(sa.insert(law_texts), [_row(law.law_id, n, a, p) for n, (a, p) in enumerate(_paragraphs(law))])
            for name in {change.name for change in changed}:
                c.execute(sa.delete(law_changes).where(law_changes.c.law_id == law.law_id, law_changes.c.name == name))
                c.execute(sa.insert(law_changes).values(law_id=law.law_id, name=name, noticed_on=today))
        return law, changed

    def law(self, law_id: str) -> Law | None:
        """The imported law, as it was put."""
        with self._db.read() as c:
            held = c.execute(sa.select(laws.c.raw, laws.c.revision_id).where(laws.c.law_id == law_id)).first()
        return read_law(zlib.decompress(held.raw), held.revision_id) if held else None

    def text(self, article: str, paragraph: int | None = None) -> Statute | None:
        """The exact words: `article` as citations write it (第94条の3, 附則第22条). None where nothing has been imported."""
        key = article_key(article)
        if key is None:
            return None
        query = (
            sa.select(law_texts, laws.c.in_force, laws.c.revision_id)
            .join(laws)
            .where(law_texts.c.law_id == ACT, law_texts.c.provision == key.provision, law_texts.c.number == key.number)
            .order_by(law_texts.c.position)
        )
        with self._db.read() as c:
            rows = c.execute(query).all()
        wanted = [r for r in rows if paragraph is None or r.paragraph == paragraph] or rows
        if not wanted:
            return None
        text = "\n".join(f"{r.paragraph} {r.text}" if len(rows) > 1 else r.text for r in wanted)
        name = article + (f"第{paragraph}項" if paragraph and len(wanted) == 1 and len(rows) > 1 else "")
        return Statute(name, text, rows[0].in_force, rows[0].revision_id)

    def all_changed(self) -> dict[str, dt.date]:
        """Every article whose words have changed, and when that was noticed."""
        with self._db.read() as c:
            return dict(c.execute(sa.select(law_changes.c.name, law_changes.c.noticed_on).where(law_changes.c.law_id == ACT)).all())

    def changed(self, articles: list[str]) -> set[str]:
        """Those of some articles whose words have changed since they were imported first."""
        query = sa.select(law_changes.c.name).where(law_changes.c.law_id == ACT, law_changes.c.name.in_(articles))
        with self._db.read() as c:
            return set(c.scalars(query))


def _paragraphs(law: Law) -> list[tuple[LawArticle, LawParagraph]]:
    return [(article, paragraph) for article in law.articles for paragraph in article.paragraphs]


def _row(law_id: str, position: int, article: LawArticle, paragraph: LawParagraph) -> dict[str, object]:
    return {
        "law_id": law_id,
        "provision": article.provision,
        "number": article.number,
        "position": position,
        "paragraph": paragraph.number,
        "name": article.name,
        "caption": article.caption,
        "text": paragraph.text,
        "deleted": article.deleted,
    }
