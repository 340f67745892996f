"""Which announcements a question means: by kind, days, place, title, or words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from bot.announcing.asked import About, Asked
from bot.announcing.days import day_of
from bot.announcing.knowledge_of import Announced, prefectures_of
from knowledge import normalise, nouns, place_in


def wanted(asked: Asked, valid: Sequence[Announced], today: dt.date) -> list[Announced]:
    """What is asked for by its kind, days and place, by date."""
    kinds = asked.about - {About.NOTICE, About.DEADLINE}
    found = [a for a in valid if _is_of(a, kinds, About.DEADLINE in asked.about) and is_within(a, asked, today)]
    return sorted(found, key=lambda a: a.began, reverse=True) if asked.about == {About.NOTICE} else in_order(found)


def _is_of(announced: Announced, kinds: frozenset[About], has_deadline: bool) -> bool:
    content = announced.announcement.content
    held = {kind for kind, part in ((About.EVENT, content.event), (About.GRANT, content.grant)) if part}
    return (not kinds or bool(held & kinds)) and not (has_deadline and announced.deadline is None)


def is_within(announced: Announced, asked: Asked, today: dt.date) -> bool:
    """Whether its day is among those asked for, and its place there."""
    grant = announced.announcement.content.grant
    if asked.prefectures:
        own = prefectures_of(grant) if grant else frozenset(_place_of(announced))
        if (own or not grant) and not own & asked.prefectures:
            return False
    if grant and asked.open_now and grant.opens and grant.opens > today:
        return False
    if asked.span is None:
        return True
    told = asked.span.holds(day_of(announced.began))
    if asked.arrived or (told and asked.about == {About.NOTICE}):
        return told
    first, last = announced.days()
    if grant:
        return asked.span.holds(grant.deadline)
    is_event = announced.announcement.content.event is not None
    return asked.span.meets(first, last if is_event else first)


def _place_of(announced: Announced) -> tuple[str, ...]:
    """The prefecture of an event."""
    event = announced.announcement.content.event
    place, _ = place_in(normalise(event.place), ()) if event else (None, "")
    return tuple(place.prefectures) if place else ()


def in_order(found: Sequence[Announced]) -> list[Announced]:
    return sorted(found, key=lambda a: (a.deadline or a.days()[0], a.id))


def titled(text: str, valid: Sequence[Announced]) -> Announced | None:
    """The announcement whose title this is, or the beginning of a long one."""
    said = normalise(text).rstrip("….")
    found = [a for a in valid if normalise(a.title).startswith(said) and len(said) > 1]
    return next((a for a in found if normalise(a.title) == said), found[0] if found else None)


def is_named(announced: Announced, names: Sequence[str]) -> bool:
    title = normalise(announced.title)
    held = {*nouns(title), title}
    return all(n in held or n in title for n in names)


def speaks_of(announced: Announced, names: Sequence[str]) -> bool:
    content = announced.announcement.content
    grant = content.grant
    words = [content.title, content.text, *((grant.who, *grant.fields, *grant.places) if grant else ())]
    text = normalise(" ".join(words))
    held = frozenset(nouns(text))
    return all(n in held or n in text for n in names)
