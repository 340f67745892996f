"""Entries looked after in time: who does, when they are checked again, when they are no longer told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from bot.clock import JAPAN
from bot.desk.entry_access import EntryAccess, is_hidden, opened
from bot.desk.entry_rows import CHECKED, EXPIRED, SHOWN_AGAIN, Care, Taken, Version
from bot.desk.refusals import Refused
from bot.desk.rights import looks_after
from knowledge import Listed

LAPSING = dt.timedelta(days=14)
_POSTPONED = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Due:
    """An entry that wants a look. `why`: check (its day has come), changed (an article has), lapsing (it ends soon)."""

    document: str
    title: str
    kind: str
    why: tuple[str, ...]
    since: dt.datetime
    care: Care
    audience: tuple[str, ...]
    articles: tuple[str, ...] = ()  # those that changed
    ends: dt.date | None = None


class EntryCare(EntryAccess):
    """What is past its last day is hidden from answers, its text untouched, until that day changes."""

    def due(self, reader: str) -> list[Due]:
        """What this reader should look at, the longest due first: past its check day, citing a changed article, or ending soon."""
        self.expire()
        now, today = self._now(), self._today()
        found = [*self._to_check(today), *self._citing_changed(), *self._ending(today)]
        reasons: dict[str, list[tuple[Listed, str, dt.date, str]]] = {}
        for listed, why, since, article in found:
            reasons.setdefault(listed.id, []).append((listed, why, since, article))
        mine = looks_after(self._members, reader)
        own = {i: r for i, r in reasons.items() if self._editable(r[0][0], mine)}
        cares, touched = self._rows.cares(list(own)), self._rows.touched(list(own))
        dues = []
        for i, all_of_it in own.items():
            care = cares.get(i, Care())
            seen_on = touched[i].astimezone(JAPAN).date() if i in touched else dt.date.min
            still = [r for r in all_of_it if r[1] == "check" or seen_on < r[2]]
            if still and not (care.wait_until and care.wait_until > now):
                dues.append(_due(still, care))
        return sorted(dues, key=lambda d: (d.since, d.document))

    def checked(self, editor: str, document_id: str, next_check: dt.date | None = None) -> Care:
        """Somebody has looked at it and it is right; to be looked at again on a day. Returns the care before."""
        held = self._to_edit(editor, document_id)
        former, latest = self._rows.care(document_id), self._rows.latest(document_id)
        before = {k: v.isoformat() if v is not None and not isinstance(v, str) else v for k, v in asdict(former).items()}
        seen = Version(latest + 1, None, editor, self._now(), CHECKED, former=before)
        try:
            self._rows.write(self._rows.add(document_id, seen, self._first(latest, self._before(document_id), held.origin)))
        except Taken:
            raise Refused("changed_meanwhile") from None
        self._rows.put_care(document_id, replace(former, check_at=next_check, wait_until=None))
        return former

    def uncheck(self, editor: str, document_id: str) -> None:
        """Take the last check back, if nothing was changed since."""
        self._to_edit(editor, document_id)
        last = next(reversed(self._rows.versions(document_id)), None)
        if last is None or last.note != CHECKED or last.former is None:
            raise Refused("changed_meanwhile")
        days = {k: dt.date.fromisoformat(v) if (v := last.former[k]) else None for k in ("check_at", "expires_at")}
        wait = last.former["wait_until"]
        self._rows.drop_last(document_id, last.version)
        until = dt.datetime.fromisoformat(wait) if wait else None
        self._rows.put_care(document_id, Care(last.former["verifier"], days["check_at"], days["expires_at"], until))

    def postpone(self, editor: str, document_id: str) -> None:
        """Not this week."""
        self._to_edit(editor, document_id)
        self._rows.put_care(document_id, replace(self._rows.care(document_id), wait_until=self._now() + _POSTPONED))

    def resume(self, editor: str, document_id: str) -> None:
        """Take a postponement back."""
        self._to_edit(editor, document_id)
        self._rows.put_care(document_id, replace(self._rows.care(document_id), wait_until=None))

    def hand_over(self, editor: str, document_id: str, to: str) -> str:
        """Somebody else looks after it; empty: nobody in particular. Returns who did before."""
        held = self._to_edit(editor, document_id)
        if to and not self._editable(held, looks_after(self._members, to)):
            raise Refused("not_their_entry")
        care = self._rows.care(document_id)
        self._rows.put_care(document_id, replace(care, verifier=to))
        return care.verifier

    def take_care(self, editor: str, document_id: str, care: Care) -> None:
        """Set who looks after an entry, its check day and its last day, past which it is hidden from answers."""
        held = self._to_edit(editor, document_id)
        if care.verifier and not self._editable(held, looks_after(self._members, care.verifier)):
            raise Refused("not_their_entry")
        self._rows.put_care(document_id, care)
        late = care.expires_at is not None and care.expires_at < self._today()
        if late != is_hidden(held.audience):
            self._hide(held, EXPIRED if late else SHOWN_AGAIN)

    def expire(self) -> None:
        """Hide what is past its last day."""
        late = self._knowledge.listing.named(list(self._rows.cared(expired=self._today())))
        for held in late.values():
            if not is_hidden(held.audience):
                self._hide(held, EXPIRED)

    def _to_check(self, today: dt.date) -> Iterable[tuple[Listed, str, dt.date, str]]:
        cares = self._rows.cared(due=today)
        for i, listed in self._knowledge.listing.named(list(cares)).items():
            yield listed, "check", cares[i].check_at or today, ""

    def _citing_changed(self) -> Iterable[tuple[Listed, str, dt.date, str]]:
        changed = self._knowledge.all_changed_articles()
        for listed in self._knowledge.listing.citing(sorted(changed)):
            for article, noticed in changed.items():
                if listed.article == article or f" {article}" in listed.source:
                    yield listed, "changed", noticed, article

    def _ending(self, today: dt.date) -> Iterable[tuple[Listed, str, dt.date, str]]:
        last = today + LAPSING
        for listed in self._knowledge.listing.ending(today, last):
            yield listed, "lapsing", (listed.ends or today) - LAPSING, ""
        cares = self._rows.cared(lapsing=(today, last))
        for i, listed in self._knowledge.listing.named(list(cares)).items():
            yield replace(listed, ends=cares[i].expires_at), "lapsing", (cares[i].expires_at or today) - LAPSING, ""


def _due(reasons: Sequence[tuple[Listed, str, dt.date, str]], care: Care) -> Due:
    listed = next((r[0] for r in reasons if r[1] == "lapsing"), reasons[0][0])
    first = min(since for _, _, since, _ in reasons)
    return Due(
        document=listed.id,
        title=listed.title,
        kind=listed.kind,
        why=tuple(dict.fromkeys(why for _, why, _, _ in reasons)),
        since=dt.datetime.combine(first, dt.time(), JAPAN),
        care=care,
        audience=opened(listed.audience),
        articles=tuple(dict.fromkeys(a for _, _, _, a in reasons if a)),
        ends=listed.ends if any(r[1] == "lapsing" for r in reasons) else None,
    )
