"""Tips as rows: their versions, what was decided about them, and the marks of those that were withdrawn."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from bot.store import answers, metadata, ratings
from bot.tips.tip import Action, Consent, Decision, Draft, Tip, TipState, Version
from knowledge import Audience, Database

_MOMENT = sa.DateTime(timezone=True)
tips = sa.Table(
    "tips",
    metadata,
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
    sa.Column("offered_at", _MOMENT, nullable=False),
    sa.Column("changed_at", _MOMENT, nullable=False, index=True),
    sa.Column("published_at", _MOMENT),
    sa.Column("verifier", sa.String(80), nullable=False),
    sa.Column("check_at", sa.Date),
    sa.Column("expires_at", sa.Date),
    sa.Column("wait_until", _MOMENT),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("merged_into", sa.String(40), nullable=False),
)
versions = sa.Table(
    "tip_versions",
    metadata,
    sa.Column("tip", sa.String(40), sa.ForeignKey("tips.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("at", _MOMENT, nullable=False),
)
decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("tip", sa.String(40), nullable=False, index=True),
    sa.Column("action", sa.String(20), nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("at", _MOMENT, nullable=False, index=True),
    sa.Column("undone_at", _MOMENT),
)
tombstones = sa.Table(
    "tombstones",
    metadata,
    sa.Column("tip", sa.String(40), primary_key=True),
    sa.Column("at", _MOMENT, nullable=False),
)

_ITSELF = "itself-"  # before a tip's id: the answer that stands for the tip alone
_CONTENT = ("text", "place", "happened", "outcome", "question", "author_name")
# What a decision changes, and an undo brings back.
DECIDED = ("state", "audience", "published_at", "verifier", "check_at", "expires_at", "wait_until", "reason", "merged_into")
# What can be found by somebody.
SHOWN = (TipState.WAITING, TipState.ASKED_BACK, TipState.PUBLISHED)


class TipStore:
    """Every method is one short transaction. What decides between two at once is a single UPDATE with its condition."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, tip: Tip) -> None:
        with self._db.write() as c:
            c.execute(sa.insert(tips).values(_row(tip)))
            _add_version(c, tip, tip.author)

    def tip(self, tip_id: str) -> Tip | None:
        return next(iter(self.find(tips.c.id == tip_id)), None)

    def find(self, *conditions: sa.ColumnElement[bool]) -> list[Tip]:
        """Tips in the order they were offered."""
        query = sa.select(tips).where(*conditions).order_by(tips.c.offered_at, tips.c.id)
        with self._db.read() as c:
            return [_tip(r) for r in c.execute(query).mappings()]

    def rewrite(self, old: Tip, new: Tip, by: str) -> bool:
        """Put a new version in the place of an old one. False where it has changed meanwhile."""
        with self._db.write() as c:
            if not c.execute(sa.update(tips).where(*_as_it_was(old)).values(_row(new))).rowcount:
                return False
            _add_version(c, new, by)
        return True

    def decide(self, old: Tip, changes: Mapping[str, Any], action: Action, by: str, reason: str, at: dt.datetime) -> bool:
        """Change what was decided about a tip and write down who did and why. False where it has changed meanwhile."""
        before = _row(old)
        values = {
            "tip": old.id,
            "action": action.value,
            "by": by,
            "reason": reason,
            "version": old.version,
            "before": {k: v.isoformat() if isinstance(v, dt.date) else v for k in DECIDED for v in [before[k]]},
            "at": at,
        }
        with self._db.write() as c:
            if not c.execute(sa.update(tips).where(*_as_it_was(old)).values(**changes, changed_at=at)).rowcount:
                return False
            c.execute(sa.insert(decisions).values(values))
        return True

    def last_decision(self, tip_id: str) -> Decision | None:
        """The last one that has not been undone."""
        return next((d for d in reversed(self.decisions_on(tip_id)) if d.undone_at is None), None)

    def undo(self, tip: Tip, decision: Decision, at: dt.datetime) -> bool:
        """Bring back what was before a decision. False where something changed meanwhile."""
        moments = ("published_at", "wait_until")
        days = ("check_at", "expires_at")
        values = dict(decision.before)
        values |= {k: dt.datetime.fromisoformat(values[k]) for k in moments if values[k]}
        values |= {k: dt.date.fromisoformat(values[k]) for k in days if values[k]}
        with self._db.write() as c:
            if not c.execute(sa.update(tips).where(*_as_it_was(tip)).values(**values, changed_at=at)).rowcount:
                return False
            c.execute(sa.update(decisions).where(decisions.c.id == decision.id).values(undone_at=at))
        return True

    def decisions_on(self, tip_id: str) -> list[Decision]:
        query = sa.select(decisions).where(decisions.c.tip == tip_id).order_by(decisions.c.id)
        with self._db.read() as c:
            rows = c.execute(query).mappings().all()
        return [
            Decision(**{**r, "action": Action(r["action"]), "at": _utc(r["at"]), "undone_at": _utc(r["undone_at"])}) for r in rows
        ]

    def last_decided_by(self, people: Sequence[str]) -> str | None:
        """The tip about which one of these accounts decided last, and has not undone it."""
        query = sa.select(decisions.c.tip).where(decisions.c.by.in_(list(people)), decisions.c.undone_at.is_(None))
        with self._db.read() as c:
            found: str | None = c.scalar(query.order_by(decisions.c.id.desc()).limit(1))
        return found

    def versions_of(self, tip_id: str) -> list[Version]:
        query = sa.select(versions).where(versions.c.tip == tip_id).order_by(versions.c.version)
        with self._db.read() as c:
            return [Version(r["version"], dict(r["content"]), r["by"], _utc(r["at"])) for r in c.execute(query).mappings()]

    def bury(self, tip_id: str, at: dt.datetime) -> None:
        """Empty a tip and everything that quotes it; the row stays as a mark that it is gone for good."""
        nothing: dict[str, Any] = {**dict.fromkeys(_CONTENT, ""), "reason": "", "articles": [], "audience": []}
        with self._db.write() as c:
            values = {"state": TipState.WITHDRAWN.value, "changed_at": at, **nothing}
            c.execute(sa.update(tips).where(tips.c.id == tip_id).values(values))
            c.execute(sa.delete(versions).where(versions.c.tip == tip_id))
            c.execute(sa.update(decisions).where(decisions.c.tip == tip_id).values(reason=""))
            if not c.scalar(sa.select(sa.func.count()).where(tombstones.c.tip == tip_id)):
                c.execute(sa.insert(tombstones).values(tip=tip_id, at=at))
        self._db.empty_log()

    def buried(self) -> set[str]:
        with self._db.read() as c:
            return set(c.scalars(sa.select(tombstones.c.tip)))

    def ratings_of(self, ids: Sequence[str]) -> dict[str, Counter[bool]]:
        """How often answers that told these tips were rated: tip → {True: 👍, False: 👎}."""
        found: dict[str, Counter[bool]] = {}
        passages = sa.cast(answers.c.passages, sa.Text)
        with self._db.read() as c:
            for tip_id in ids:
                query = sa.select(ratings.c.helpful, sa.func.count()).join(answers, answers.c.id == ratings.c.answer_id)
                query = query.where(passages.contains(f'"{tip_id}"', autoescape=True)).group_by(ratings.c.helpful)
                found[tip_id] = Counter(dict(c.execute(query).all()))
        return found

    def lived_too(self, tip_id: str, by: str, at: dt.datetime) -> bool:
        """Write down a 👍 for a tip itself, as for an answer that told nothing else; False where it stands there already."""
        own = f"{_ITSELF}{tip_id}"
        with self._db.write() as c:
            if not c.scalar(sa.select(sa.func.count()).where(answers.c.id == own)):
                told = {"answered": True, "confidence": 1.0, "passages": [tip_id]}
                c.execute(sa.insert(answers).values(id=own, given_at=at, **told))
            if c.scalar(sa.select(sa.func.count()).where(ratings.c.answer_id == own, ratings.c.rater == by)):
                return False
            c.execute(sa.insert(ratings).values(answer_id=own, rater=by, helpful=True, rated_at=at))
        return True

    def told(self, since: dt.datetime) -> Counter[str]:
        """How often each tip has been told in answers."""
        passages = sa.cast(answers.c.passages, sa.Text)
        query = sa.select(answers.c.passages).where(answers.c.given_at >= since, passages.contains('"tip-', autoescape=True))
        query = query.where(sa.not_(answers.c.id.startswith(_ITSELF, autoescape=True)))
        with self._db.read() as c:
            return Counter(p for row in c.scalars(query) for p in row if p.startswith("tip-"))


def _as_it_was(tip: Tip) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        tips.c.id == tip.id,
        tips.c.version == tip.version,
        tips.c.state == tip.state.value,
        tips.c.changed_at == tip.changed_at,
    )


def _add_version(c: sa.Connection, tip: Tip, by: str) -> None:
    content = {k: getattr(tip.draft, k) for k in _CONTENT}
    c.execute(sa.insert(versions).values(tip=tip.id, version=tip.version, content=content, by=by, at=tip.changed_at))


def _row(tip: Tip) -> dict[str, Any]:
    plain = ("id", "version", "author", "conversation", "co_op", "offered_at", "changed_at", "published_at", "verifier")
    rest = ("check_at", "expires_at", "wait_until", "reason", "merged_into")
    return {
        **{k: getattr(tip, k) for k in (*plain, *rest)},
        **{k: getattr(tip.draft, k) for k in _CONTENT},
        "state": tip.state.value,
        "consent": tip.draft.consent.value,
        "audience": sorted(tip.draft.audience.keys),
        "articles": list(tip.articles),
    }


def _tip(row: sa.RowMapping) -> Tip:
    plain = ("id", "version", "author", "conversation", "co_op", "verifier", "check_at", "expires_at", "reason", "merged_into")
    moments = ("offered_at", "changed_at", "published_at", "wait_until")
    draft = Draft(**{k: row[k] for k in _CONTENT}, consent=Consent(row["consent"]), audience=Audience(frozenset(row["audience"])))
    return Tip(
        **{k: row[k] for k in plain},
        **{k: _utc(row[k]) for k in moments},
        state=TipState(row["state"]),
        draft=draft,
        articles=tuple(row["articles"]),
    )


def _utc(moment: dt.datetime | None) -> Any:
    """SQLite gives times back without their zone; they are UTC."""
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=dt.UTC)
