"""What a member gave: the list of one's own tips, and what can be done with each."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from bot.curation import Curation
from bot.errors import UserMistake
from bot.tips.chat import Asked, Here
from bot.tips.document import own_key
from bot.tips.mistakes import refusal
from bot.tips.questions import named, shown_to
from bot.tips.state import OPTIONAL, WAITS, Step, Talk
from bot.tips.tip import Tip, TipState
from bot.tips.words import Wish, Word, page, says, wish
from knowledge import Audience

PAGE = 9  # tips; they are chosen by one digit
_SHOWN = 60  # characters of each in the list
_SHOWN_WHOLE = 600
_FOUND = (TipState.WAITING, TipState.ASKED_BACK, TipState.PUBLISHED)


Answered = tuple[Talk, Asked | None]  # the talk from now on, and what is said; None: what the talk asks


class OwnTips:
    """In a group only such tips are shown as everybody in it may find; alone with the bot all of them."""

    def __init__(self, curation: Curation) -> None:
        self._curation = curation

    def expects(self, text: str, talk: Talk, now: dt.datetime) -> bool:
        """Whether a message goes on from the list just shown."""
        if not talk.listed_within(now, WAITS):
            return False
        return _wish(text, talk) is not None or (bool(talk.doomed) and _confirms(text) is not None)

    def take(self, text: str, talk: Talk, here: Here, now: dt.datetime) -> Answered | None:
        """What is said to a wish about one's own tips; None for anything else."""
        if (number := page(text)) is not None:
            shown, listed = self.page(number, here)
            return _listing(talk, listed, now), shown
        if not talk.listed_within(now, WAITS):
            return None
        if talk.doomed and (confirms := _confirms(text)) is not None:
            if self.find(talk.doomed, here) is None:  # withdrawn a moment ago
                return talk, Asked(here.say("own_withdrawn" if confirms else "own_gone"))
            if confirms:
                return talk, self._withdrawn(talk.doomed, here)
            return replace(talk, doomed=""), Asked(here.say("own_kept"))
        wanted = _wish(text, talk)
        return self._of_one(wanted, replace(talk, doomed=""), here, now) if wanted else None

    def mended(self, tip_id: str, talk: Talk, here: Here) -> Answered:
        """Begin to change a tip that was sent; a draft comes first."""
        tip = self.find(tip_id, here)
        if tip is None:
            return talk, Asked(here.say("own_no_such"))
        if talk.has_draft:
            return talk, Asked(here.say("draft_first"), (here.label(Word.RESUME), here.label(Word.DISCARD)))
        return Talk(step=Step.MEND, draft=tip.draft, tip=tip.id).having(Step.TEXT, Step.SIMILAR, *OPTIONAL), None

    def removal(self, tip_id: str, talk: Talk, here: Here, now: dt.datetime) -> Answered:
        """Ask whether a tip shall be withdrawn."""
        tip = self.find(tip_id, here)
        if tip is None:
            return talk, Asked(here.say("own_no_such"))
        text = here.say("own_confirm", title=_cut(tip.draft.text, _SHOWN))
        return replace(_listing(talk, (tip.id,), now), doomed=tip.id), Asked(text, (here.label(Word.YES), here.label(Word.NO)))

    def _of_one(self, wanted: Wish, talk: Talk, here: Here, now: dt.datetime) -> Answered:
        tip = self.find(talk.listed[wanted.number - 1], here) if wanted.number <= len(talk.listed) else None
        if tip is None:
            return talk, Asked(here.say("own_no_such"))
        if wanted.does is Word.MEND:
            return self.mended(tip.id, talk, here)
        if wanted.does is None:
            return talk, self.one(wanted.number, tip, here)
        _, asked = self.removal(tip.id, talk, here, now)
        return replace(talk, left=True, doomed=tip.id), asked

    def _withdrawn(self, tip_id: str, here: Here) -> Asked:
        try:
            self._curation.withdraw(tip_id, here.person)
        except UserMistake as mistake:
            return Asked(refusal(mistake, here.language))
        return Asked(here.say("own_withdrawn"))

    def visible(self, here: Here) -> list[Tip]:
        """A person's own tips that may be shown here, newest first."""
        mine = self._curation.mine(here.person)[::-1]
        return [t for t in mine if not here.message.group or (t.state in _FOUND and _audience(t).meets(here.audience))]

    def find(self, tip_id: str, here: Here) -> Tip | None:
        return next((t for t in self.visible(here) if t.id == tip_id), None)

    def page(self, number: int, here: Here) -> tuple[Asked, tuple[str, ...]]:
        """One page of the list, and the tips in it by their numbers."""
        mine = self.visible(here)
        shown = mine[(number - 1) * PAGE : number * PAGE]
        elsewhere = [here.say("own_alone")] if here.message.group else []
        if not shown:
            text = "\n".join([here.say("own_none"), *elsewhere])
            return Asked(text, (here.say("begin"),)), ()
        lines = [f"{n}. {_cut(t.draft.text, _SHOWN)}（{self._state(t, here)}）" for n, t in enumerate(shown, 1)]
        more = len(mine) - number * PAGE
        pages = (f"{here.label(Word.OWN)} {number + 1}",) if more > 0 else ()
        text = "\n".join([here.say("own_list", count=str(len(mine))), *lines, here.say("own_how"), *elsewhere])
        return Asked(text, (*(str(n) for n in range(1, len(shown) + 1)), *pages)), tuple(t.id for t in shown)

    def one(self, number: int, tip: Tip, here: Here) -> Asked:
        """One tip with everything that was told, and what can be done with it."""
        draft = tip.draft
        told = [_cut(part, _SHOWN_WHOLE) for part in (draft.text, draft.place, draft.happened, draft.outcome) if part]
        state = self._state(tip, here) + (f": {tip.reason}" if tip.reason and not here.message.group else "")
        lines = [*told, f"{named(draft, here)} / {shown_to(draft, here)} / {state}"]
        return Asked("\n".join(lines), (f"{number} {here.label(Word.MEND)}", f"{number} {here.label(Word.SCRUB)}"))

    def _state(self, tip: Tip, here: Here) -> str:
        return here.say(f"state_{tip.state.value}")


def _listing(talk: Talk, listed: tuple[str, ...], now: dt.datetime) -> Talk:
    """The talk while a list is looked at: a draft waits to be gone on with, so that a number is a tip's."""
    return replace(talk, left=True, listed=listed, listed_at=now.isoformat(), doomed="")


def _wish(text: str, talk: Talk) -> Wish | None:
    """What is wanted of a tip in the list; a bare number only while nothing else is asked."""
    found = wish(text)
    return None if found is None or (found.does is None and talk.is_open and talk.has_draft) else found


def _confirms(text: str) -> bool | None:
    if says(text, Word.YES):
        return True
    return False if says(text, Word.NO) or says(text, Word.BACK) else None


def _audience(tip: Tip) -> Audience:
    """Who may find a tip as it is now."""
    return Audience.of(own_key(tip), *(tip.draft.audience.keys if tip.state is TipState.PUBLISHED else ()))


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split()) if most == _SHOWN else text
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
