"""Where the talk about a tip ends: it is handed on, and its giver hears what becomes of it."""

from __future__ import annotations

import datetime as dt

from bot.curation import Curation
from bot.tips.chat import Here
from bot.tips.state import Talk
from bot.tips.words import Word


def sent(talk: Talk, here: Here, curation: Curation) -> str:
    """Send a tip, or the new version of one. Returns its id. Raises UserMistake for what cannot be one."""
    if talk.tip:
        return curation.change(talk.tip, here.person, talk.draft).id
    return curation.offer(talk.draft, author=here.person, conversation=here.message.conversation, co_op=here.co_op).id


def was_sent(talk: Talk, here: Here, curation: Curation, since: dt.datetime) -> str:
    """The tip that a talk has become since a moment; "" where it has not been sent."""
    mine = curation.mine(here.person)
    return next((t.id for t in mine if t.changed_at >= since and t.draft.text == talk.draft.text), "")


def thanks(talk: Talk, here: Here, *, defaults: bool) -> str:
    """What becomes of a tip that was sent. `defaults`: also what was not chosen for it."""
    lines = ["mended"] if talk.tip else ["sent", *(["sent_here"] if here.message.group or here.co_op else [])]
    lines += ["sent_wider"] if not talk.tip and talk.draft.audience.keys - here.own.keys else []
    told = [here.say(key) for key in lines]
    told += [here.say("sent_defaults", audience=here.label(Word.OWN_CO_OP))] if defaults else []
    return "\n".join(told)
