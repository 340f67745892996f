"""The way of a tip: offered, found at once by one's own, reviewed, published, checked again, withdrawn.

The rows decide; what can be found in the knowledge follows them, and is brought in step at every start.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bot import wording
from bot.clock import JAPAN
from bot.members import Members, Role
from bot.notices import Notices
from bot.tips.document import document, own_key, title
from bot.tips.mistakes import TipMistake
from bot.tips.store import SHOWN, TipStore, tips
from bot.tips.tip import (
    LONGEST_TIP,
    SHORTEST_TIP,
    Action,
    Attribution,
    Consent,
    Decided,
    Decision,
    Draft,
    Tip,
    TipState,
    Verdict,
    Version,
)
from knowledge import (
    FEDERATION,
    PUBLIC,
    Audience,
    Document,
    EmbedderUnavailable,
    IndexUnavailable,
    Kind,
    KnowledgeBase,
    Relation,
    Resemblance,
    normalise,
)

log = logging.getLogger(__name__)

ORIGIN = "tips"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ARTICLE = re.compile(r"(?<![\d附則令])(\d{1,3})条(?:の(\d{1,2}))?")  # as normalised: 第 is left out
_OTHERS = {"place": 200, "happened": 100, "outcome": 500, "question": 300, "author_name": 40}  # characters
_CHECKED_AFTER = dt.timedelta(days=365)
_POSTPONED = dt.timedelta(days=7)
_LOOKED_BACK = dt.timedelta(days=365)
_COMPARED = 8  # tips that a new one is held against
_STATE_AFTER = {
    Action.PUBLISH: TipState.PUBLISHED,
    Action.ASK_BACK: TipState.ASKED_BACK,
    Action.DECLINE: TipState.DECLINED,
    Action.MERGE: TipState.MERGED,
}


@dataclass(frozen=True, slots=True)
class History:
    """Everything that happened to a tip."""

    tip: Tip
    versions: Sequence[Version]
    decisions: Sequence[Decision]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A tip that wants a decision. `weight`: times told or said to help × age; the first things have most."""

    tip: Tip
    weight: float


class Curation:
    """Synchronous and safe to use from several threads. `forgotten`: the file that outlives the database's restoration."""

    def __init__(
        self, store: TipStore, knowledge: KnowledgeBase, members: Members, notices: Notices, clock: Callable[[], dt.datetime],
        forgotten: Path,
    ) -> None:  # fmt: skip
        self._store = store
        self._knowledge = knowledge
        self._members = members
        self._notices = notices
        self._clock = clock
        self._forgotten = forgotten

    # givers

    def offer(self, draft: Draft, *, author: str, conversation: str, co_op: str = "") -> Tip:
        """Take a tip. Its giver's co-op or chat finds it at once. Raises UserMistake for a text that cannot be one."""
        now = self._now()
        tip_id = f"tip-{secrets.token_hex(8)}"
        draft = _cleaned(draft)
        tip = Tip(tip_id, TipState.WAITING, 1, draft, author, conversation, co_op, now, now, _articles(draft.text))
        self._store.add(tip)
        self._show(tip)
        return tip

    def change(self, tip_id: str, author: str, draft: Draft) -> Tip:
        """Put a new version of one's own tip in; it waits for review again. Raises UserMistake where that cannot be."""
        old = self._own(tip_id, author)
        draft = _cleaned(draft)
        new = replace(
            old,
            state=TipState.WAITING,
            version=old.version + 1,
            draft=draft,
            changed_at=self._now(),
            articles=_articles(draft.text),
            wait_until=None,
            reason="",
        )
        if not self._store.rewrite(old, new, author):
            raise TipMistake("changed_meanwhile")
        self._show(new)
        return new

    def withdraw(self, tip_id: str, author: str) -> None:
        """Take one's own tip back, everywhere and for good. Raises UserMistake for somebody else's."""
        self._own(tip_id, author)
        self._bury(tip_id)

    def mine(self, account: str) -> list[Tip]:
        """What a person has given and not withdrawn, under all accounts, oldest first."""
        own = tips.c.author.in_(self._members.accounts_of(account))
        return self._store.find(own, tips.c.state != TipState.WITHDRAWN.value)

    def similar(self, text: str, audience: Audience) -> list[tuple[Tip, Resemblance]]:
        """Tips that say the same or speak of the same, best first; only such as this audience may find."""
        found = self._knowledge.retrieve(text, audience).matches
        ids = [m.document.id for m in found if m.document.kind is Kind.TIP][:_COMPARED]
        held = {t.id: t for t in self._store.find(tips.c.id.in_(ids))}
        near = self._knowledge.resembling(text, [(i, held[i].draft.text) for i in ids if i in held], read_together=True)
        return [(held[i], r) for i, r in near if r.relation is not Relation.OTHER]

    def may_stand_for(self, other: Tip, tip: Tip) -> bool:
        """Whether another tip can be found in the place of one, by the giver's own above all."""
        own = Audience.of_member(tip.co_op) if tip.co_op else Audience.of(PUBLIC, own_key(tip))
        return other.id != tip.id and other.state in SHOWN and self._document(other).audience.meets(own)

    def forget(self, account: str) -> None:
        """Withdraw everything of a person."""
        for tip in self.mine(account):
            self._bury(tip.id)

    # reviewers

    def tip(self, tip_id: str, reviewer: str) -> Tip | None:
        """A tip, for its giver and for who may decide about it."""
        found = self._store.tip(tip_id)
        if found is None or found.state is TipState.WITHDRAWN:
            return None
        may = self._members.may_review(reviewer, found.co_op) or found.author in self._members.accounts_of(reviewer)
        return found if may else None

    def queue(self, reviewer: str) -> list[Waiting]:
        """What waits for this reviewer: new ones, and published ones to check again; by `Waiting.weight`, first things first."""
        self.expire()
        now, today = self._now(), self._today()
        waiting = (tips.c.state == TipState.WAITING.value) & (tips.c.wait_until.is_(None) | (tips.c.wait_until <= now))
        due = (tips.c.state == TipState.PUBLISHED.value) & (tips.c.wait_until.is_(None) | (tips.c.wait_until <= now))
        changed = self._knowledge.all_changed_articles().keys()
        if not changed:  # as on most days: only the calendar brings published ones back
            due &= tips.c.check_at <= today
        found = self._store.find(waiting | due)
        to_check = [
            t for t in found if t.state is TipState.WAITING or (t.check_at and t.check_at <= today) or changed & set(t.articles)
        ]
        may = {co_op: self._members.may_review(reviewer, co_op) for co_op in {t.co_op for t in to_check}}
        mine = [t for t in to_check if may[t.co_op]]
        told = self._store.told(now - _LOOKED_BACK)
        rated = self._store.ratings_of([t.id for t in mine])
        helped = {i: told[i] + counted[True] for i, counted in rated.items()}
        weighed = [Waiting(t, (1 + helped[t.id]) * (1 + (now - t.changed_at).total_seconds())) for t in mine]
        return sorted(weighed, key=lambda w: -w.weight)

    def decide(
        self,
        tip_id: str,
        version: int,
        action: Action,
        reviewer: str,
        *,
        reason: str = "",
        into: str = "",
        audience: Audience | None = None,
        expires_at: dt.date | None = None,
        queued: bool = False,
    ) -> Decided:
        """Decide about exactly the version that was seen. `into`: the tip it is merged into, or the account it is handed to.

        `queued`: only while it stands in the queue, as on a card: what somebody else has decided meanwhile holds.
        """
        tip = self._store.tip(tip_id)
        if tip is None or tip.state is TipState.WITHDRAWN:
            return Decided(Verdict.GONE)
        if not self._members.may_review(reviewer, tip.co_op):
            return Decided(Verdict.NOT_ALLOWED)
        if verdict := self._hindrance(tip, version, action) or (self._settled(tip, action) if queued else None):
            return Decided(verdict, tip)
        reason = _CONTROL.sub("", reason).strip()[: _OTHERS["outcome"]] or _unsaid(action)
        changes = self._changes(tip, action, reviewer, reason, into, audience, expires_at)
        if not self._store.decide(tip, changes, action, reviewer, reason, self._now()):
            now = self._store.tip(tip_id)
            return Decided(self._hindrance(now, version, action) or Verdict.CHANGED if now else Verdict.GONE, now)
        decided = self._store.tip(tip_id)
        if decided is None or decided.state is TipState.WITHDRAWN:
            return Decided(Verdict.GONE)
        self._show(decided)
        if decided.author not in self._members.accounts_of(reviewer):  # who has just decided knows
            self._tell_author(decided, action, reason)
        return Decided(Verdict.DONE, decided)

    def undo(self, tip_id: str, reviewer: str, decided_at: dt.datetime | None = None) -> Decided:
        """Take the last decision about a tip back; with its moment, exactly this one and no other, earlier or later."""
        tip = self._store.tip(tip_id)
        if tip is None or tip.state is TipState.WITHDRAWN:
            return Decided(Verdict.GONE)
        if not self._members.may_review(reviewer, tip.co_op):
            return Decided(Verdict.NOT_ALLOWED)
        decision = self._store.last_decision(tip_id)
        if decision is None or decided_at not in (None, decision.at):
            return Decided(Verdict.ALREADY, tip)
        if decision.version != tip.version or not self._store.undo(tip, decision, self._now()):
            return Decided(Verdict.CHANGED, self._store.tip(tip_id))
        self._notices.withdraw(tip_id)
        now = self._store.tip(tip_id)
        if now is not None:
            self._show(now)
        return Decided(Verdict.DONE, now)

    def last_decided(self, reviewer: str) -> Decision | None:
        """What this reviewer decided last and has not undone."""
        mine = self._members.accounts_of(reviewer)
        tip = self._store.last_decided_by(mine)
        decided = self._store.decisions_on(tip) if tip else []
        return next((d for d in reversed(decided) if d.by in mine and d.undone_at is None), None)

    def history(self, tip_id: str, reviewer: str) -> History | None:
        """All versions and decisions; None where there is nothing this person may see."""
        tip = self.tip(tip_id, reviewer)
        return History(tip, self._store.versions_of(tip_id), self._store.decisions_on(tip_id)) if tip else None

    def verifier_of(self, tip: Tip) -> str:
        """Who looks after a tip: the one named, else a coordinator of its co-op, of the federation, an admin; or nobody."""
        if tip.verifier and self._members.may_review(tip.verifier, tip.co_op):
            return tip.verifier
        coordinators = self._people(Role.COORDINATOR)
        own = [a for a, c in coordinators if tip.co_op and c == tip.co_op]
        everywhere = [a for a, c in coordinators if not c]
        return next(iter([*own, *everywhere, *(a for a, _ in self._people(Role.ADMIN))]), "")

    def _people(self, role: Role) -> list[tuple[str, str]]:
        """(account, co-op) of the persons with a role: not of programs, and not of whoever is at the command line."""
        return [(a, c) for a, c in self._members.with_role(role) if not a.startswith(("api:", "cli:"))]

    def all_tips(self, reviewer: str) -> list[Tip]:
        """Every tip this reviewer may decide about and that is not withdrawn, in the order they were offered."""
        held = self._store.find(tips.c.state != TipState.WITHDRAWN.value)
        may = {co_op: self._members.may_review(reviewer, co_op) for co_op in {t.co_op for t in held}}
        return [t for t in held if may[t.co_op]]

    def remove(self, tip_id: str, reviewer: str, reason: str = "") -> None:
        """Withdraw somebody's tip, everywhere and for good; its giver hears why. Raises UserMistake where a reviewer may not."""
        tip = self.tip(tip_id, reviewer)
        if tip is None or not self._members.may_review(reviewer, tip.co_op):
            raise TipMistake("no_such_tip")
        self._bury(tip_id)
        self._notices.add(tip.author, "tip_removed", reason=_CONTROL.sub("", reason).strip()[: _OTHERS["outcome"]])

    # what stands in answers

    def attributions(self, ids: Sequence[str]) -> dict[str, Attribution]:
        """What stands with tips in an answer, by the ids of their passages."""
        held = [t for t in self._store.find(tips.c.id.in_([i for i in ids if i.startswith("tip-")])) if t.state in SHOWN]
        rated = self._store.ratings_of([t.id for t in held])
        changed = self._knowledge.changed_articles([a for t in held for a in t.articles])
        return {
            t.id: Attribution(
                who=self._named(t),
                where=t.draft.place,
                when=t.draft.happened,
                helped=rated[t.id][True],
                verified=t.state is TipState.PUBLISHED,
                changed=tuple(a for a in t.articles if a in changed),
            )
            for t in held
        }

    def lived_too(self, tip_id: str, person: str, by: str) -> None:
        """Somebody had the same experience: a sign that the tip helps, once for each co-op or chat (`by`), not of its own giver."""
        tip = self._store.tip(tip_id)
        if tip is None or tip.state not in SHOWN or tip.author in self._members.accounts_of(person):
            return
        if self._store.lived_too(tip_id, by, self._now()):
            self.rated([tip_id], helpful=True)

    def rated(self, passages: Sequence[str], *, helpful: bool) -> None:
        """Let givers hear that a tip helped somebody."""
        if helpful:
            for tip in self._store.find(tips.c.id.in_(list(passages)), tips.c.state == TipState.PUBLISHED.value):
                self._notices.add(tip.author, "tip_helped", place=tip.conversation, about=tip.id, title=title(tip.draft.text))

    # upkeep

    def reconcile(self) -> None:
        """Apply what has been withdrawn to a restored database, and bring the knowledge in step with the rows."""
        gone = self._remembered() | self._store.buried()
        for tip in self._store.find(tips.c.state != TipState.WITHDRAWN.value):
            if tip.id in gone:
                self._store.bury(tip.id, self._now())
                self._notices.withdraw(tip.id)
        self.expire()
        shown = self._store.find(tips.c.state.in_([s.value for s in SHOWN]))
        self._knowledge.upsert([self._document(t) for t in shown], ORIGIN, complete=True)

    def expire(self) -> None:
        """Hide what is past its day."""
        late = (tips.c.state == TipState.PUBLISHED.value) & (tips.c.expires_at < self._today())
        for tip in self._store.find(late):
            expired = replace(tip, state=TipState.EXPIRED)
            if self._store.decide(tip, {"state": expired.state.value}, Action.EXPIRE, "", "", self._now()):
                self._show(expired)

    def _hindrance(self, tip: Tip, version: int, action: Action) -> Verdict | None:
        """Why a decision cannot be taken about a tip as it is now."""
        if tip.version != version:
            return Verdict.CHANGED
        if tip.state is TipState.WAITING:
            return None
        recheck = tip.state is TipState.PUBLISHED and self._is_due(tip)
        if _STATE_AFTER.get(action) is tip.state and not (recheck and action is Action.PUBLISH):
            return Verdict.ALREADY
        open_still = tip.state in (TipState.PUBLISHED, TipState.ASKED_BACK)
        return None if open_still else Verdict.CHANGED

    def _settled(self, tip: Tip, action: Action) -> Verdict | None:
        """Why a card that was shown decides nothing any more: somebody has settled the tip, or put it off already."""
        if tip.state is not TipState.WAITING and not (tip.state is TipState.PUBLISHED and self._is_due(tip)):
            return Verdict.CHANGED
        is_put_off = tip.wait_until is not None and tip.wait_until > self._now()
        return Verdict.ALREADY if action is Action.POSTPONE and is_put_off else None

    def _is_due(self, tip: Tip) -> bool:
        return bool(tip.check_at and tip.check_at <= self._today()) or bool(self._knowledge.changed_articles(list(tip.articles)))

    def _changes(
        self, tip: Tip, action: Action, reviewer: str, reason: str, into: str, audience: Audience | None,
        expires_at: dt.date | None,
    ) -> dict[str, Any]:  # fmt: skip
        now = self._now()
        state = _STATE_AFTER.get(action, tip.state)
        changes: dict[str, Any] = {"state": state.value, "reason": reason}
        if action is Action.PUBLISH:
            if audience and not _is_within(audience, tip.draft.audience, own_key(tip)):
                raise TipMistake("too_wide")
            changes |= {"published_at": now, "verifier": reviewer, "check_at": self._today() + _CHECKED_AFTER, "wait_until": None}
            changes |= {"audience": sorted(audience.keys)} if audience else {}
            changes |= {"expires_at": expires_at} if expires_at else {}
        elif action is Action.MERGE:
            other = self._store.tip(into)
            if other is None or not self._knows(reviewer, other) or not self.may_stand_for(other, tip):
                raise TipMistake("nothing_to_merge_into")
            changes["merged_into"] = into
        elif action is Action.POSTPONE:
            changes["wait_until"] = now + _POSTPONED
        elif action is Action.HAND_OVER:
            if not self._members.may_review(into, tip.co_op):
                raise TipMistake("no_reviewer")
            changes["verifier"] = into
        return changes

    def _tell_author(self, tip: Tip, action: Action, reason: str) -> None:
        keys = {
            Action.PUBLISH: "tip_published",
            Action.ASK_BACK: "tip_asked_back",
            Action.DECLINE: "tip_declined",
            Action.MERGE: "tip_merged",
        }
        if action in keys:
            told = {"title": title(tip.draft.text), "reason": reason}
            self._notices.add(tip.author, keys[action], place=tip.conversation, about=tip.id, **told)

    def _knows(self, reviewer: str, tip: Tip) -> bool:
        """Whether a reviewer may know that there is a tip."""
        found = self._document(tip).audience.meets(self._members.audience(reviewer, reviewer, group=False))
        return found or self._members.may_review(reviewer, tip.co_op)

    def _own(self, tip_id: str, author: str) -> Tip:
        tip = self._store.tip(tip_id)
        if tip is None or tip.state is TipState.WITHDRAWN or tip.author not in self._members.accounts_of(author):
            raise TipMistake("not_own")
        return tip

    def _show(self, tip: Tip) -> None:
        """Let a tip be found by who may find it as it is now, or by nobody."""
        if tip.state is not TipState.PUBLISHED:
            self._notices.withdraw(tip.id, "question_answered")
        if tip.state in SHOWN:
            self._knowledge.upsert([self._document(tip)], ORIGIN)
        else:
            self._knowledge.delete([tip.id])
        self._align(tip.id)

    def _align(self, tip_id: str) -> None:
        """Let it be found by its meaning too; by its words it is already. The rows are kept whatever becomes of the index."""
        try:
            self._knowledge.align_only([tip_id])
        except (EmbedderUnavailable, IndexUnavailable) as error:
            log.error("%s Tips are found by their words until it is mended.", error)

    def _document(self, tip: Tip) -> Document:
        return document(tip, self._named(tip))

    def _named(self, tip: Tip) -> str:
        if tip.draft.consent is Consent.NAME and tip.draft.author_name:
            return f"{tip.draft.author_name}さん"
        if tip.draft.consent is Consent.CO_OP and tip.co_op and (co_op := self._members.co_op(tip.co_op)):
            return co_op.name
        return ""

    def _bury(self, tip_id: str) -> None:
        # The file first: should the power fail now, the next start finishes it.
        self._forgotten.parent.mkdir(parents=True, exist_ok=True)
        with self._forgotten.open("a", encoding="ascii") as out:
            out.write(f"{tip_id}\n")
        self._store.bury(tip_id, self._now())
        self._notices.withdraw(tip_id)
        self._knowledge.delete([tip_id])
        self._align(tip_id)

    def _remembered(self) -> set[str]:
        return set(self._forgotten.read_text("ascii").split()) if self._forgotten.exists() else set()

    def _now(self) -> dt.datetime:
        return self._clock().astimezone(dt.UTC)

    def _today(self) -> dt.date:
        return self._clock().astimezone(JAPAN).date()


def _unsaid(action: Action) -> str:
    """What a giver hears where the reviewer gave no reason."""
    key = {Action.ASK_BACK: "round_ask_back_reason", Action.DECLINE: "round_no_reason"}.get(action)
    return wording.say(key, "ja") if key else ""


def _is_within(audience: Audience, consented: Audience, own: str) -> bool:
    """Whether nobody is in an audience whom the giver has not agreed to."""
    if PUBLIC in consented.keys:
        return True
    co_ops = FEDERATION in consented.keys
    return all(k == own or k in consented.keys or (co_ops and k.startswith("coop:")) for k in audience.keys)


def _cleaned(draft: Draft) -> Draft:
    text = _CONTROL.sub("", draft.text).strip()
    if len(text) < SHORTEST_TIP:
        raise TipMistake("too_short")
    if len(text) > LONGEST_TIP:
        raise TipMistake("too_long", most=f"{LONGEST_TIP:,}")
    rest: dict[str, Any] = {k: _CONTROL.sub("", getattr(draft, k)).strip()[:most] for k, most in _OTHERS.items()}
    if draft.consent is not Consent.NAME:
        rest["author_name"] = ""
    return replace(draft, text=text, **rest)


def _articles(text: str) -> tuple[str, ...]:
    """The articles of the Act that a text names, as citations write them."""
    found = [f"第{n}条" + (f"の{branch}" if branch else "") for n, branch in _ARTICLE.findall(normalise(text))]
    return tuple(dict.fromkeys(found))
