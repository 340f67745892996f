"""Announcements as the knowledge holds them while they are valid: documents made by rule from their fields."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.announcing import telling
from bot.announcing.announcement import Announcement, Grant
from bot.announcing.days import date_told, day_of
from knowledge import (
    Audience,
    Document,
    EmbedderUnavailable,
    IndexUnavailable,
    Kind,
    KnowledgeBase,
    Passage,
    StoreUnavailable,
    prefecture_in,
)

log = logging.getLogger(__name__)

ORIGIN = "announcements"
_FEDERATION = "連合会"


@dataclass(frozen=True, slots=True)
class Announced:
    """An announcement that has been told, to whom, since when. `issuer`: the name of its co-op; empty: the federation."""

    announcement: Announcement
    audience: Audience
    began: dt.datetime
    corrected: dt.datetime | None = None
    issuer: str = ""

    @property
    def id(self) -> str:
        return self.announcement.id

    @property
    def title(self) -> str:
        return self.announcement.content.title

    @property
    def deadline(self) -> dt.date | None:
        grant = self.announcement.content.grant
        return grant.deadline if grant else None

    def is_over(self, now: dt.datetime) -> bool:
        return self.announcement.expires_at(self.began) < now

    def days(self) -> tuple[dt.date, dt.date]:
        """From when until when it is of use."""
        content = self.announcement.content
        first = day_of(content.event.starts) if content.event else day_of(self.began)
        return first, max(first, day_of(self.announcement.expires_at(self.began)))


class Bulletin:
    """What is announced at the moment. The rows decide; the knowledge follows them. Synchronous, for several threads."""

    def __init__(
        self,
        knowledge: KnowledgeBase,
        announced: Callable[[], Sequence[Announced]],
        address: Callable[[str], str],
        clock: Callable[[], dt.datetime],
        is_withdrawn: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`announced`: everything that has been told and not withdrawn, past things too. `address`: of an announcement's page.
        `is_withdrawn`: by an announcement's id."""
        self._knowledge = knowledge
        self._announced = announced
        self._address = address
        self._clock = clock
        self.is_withdrawn = is_withdrawn
        self._followed: tuple[Sequence[Announced], frozenset[str]] = ((), frozenset())  # what was told, what of it was over
        self._refreshing = threading.Lock()

    def refresh(self) -> None:
        """Let the knowledge hold exactly what is valid now. It writes only what differs."""
        with self._refreshing:
            now = self._clock()
            told = self._announced()
            documents = [self.document(a) for a in told if not a.is_over(now)]
            self._followed = told, _over(told, now)
            if not self._knowledge.upsert(documents, ORIGIN, complete=True):
                return
        try:
            self._knowledge.align()
        except (EmbedderUnavailable, IndexUnavailable) as error:
            log.error("%s Announcements are found by their words until it is mended.", error)

    def follow(self) -> Sequence[Announced]:
        """Let go of what was withdrawn or has run out, take up what is new. One small query where nothing has changed."""
        told = self._announced()
        if self._followed != (told, _over(told, self._clock())):
            self.refresh()
        return told

    def has(self, announcement_id: str) -> bool:
        """Whether something has been told under this id and not withdrawn, however long ago."""
        try:
            return any(a.id == announcement_id for a in self._announced())
        except StoreUnavailable as error:
            log.error("Announcements could not be read. %s", error)
            return False

    def told_to(self, audience: Audience, now: dt.datetime) -> tuple[list[Announced], list[Announced]]:
        """What this audience was told: what is valid, the latest first, and what is over."""
        told = sorted(self.follow(), key=lambda a: a.began, reverse=True)
        mine = [a for a in told if a.audience.meets(audience)]
        return [a for a in mine if not a.is_over(now)], [a for a in mine if a.is_over(now)]

    def document(self, announced: Announced, today: dt.date | None = None) -> Document:
        """What those find whom it was for. With `today`, days are told as one says them on that day."""
        announcement = announced.announcement
        content = announcement.content
        told = Passage(
            announcement.id,
            content.title,
            telling.short(announcement, today) + _corrected(announced, today),
            _detail(announced, self._address(announcement.id)),
            asks=_asks(announcement),
            easy=telling.first_sentences(content.easy or content.texts.get("ja-easy", "")),
            en=telling.first_sentences(content.texts.get("en", "")),
        )
        first, last = announced.days()
        issuer = announced.issuer or _FEDERATION
        return Document(
            announcement.id,
            Kind.EVENT,
            content.title,
            f"{issuer}のお知らせ",
            (told,),
            url=self._address(announcement.id),
            as_of=day_of(announced.corrected or announced.began).isoformat(),
            audience=announced.audience,
            co_op=announced.issuer,
            starts=first,
            ends=last,
            facets=_facets(announcement),
        )


def prefectures_of(grant: Grant) -> frozenset[str]:
    """The prefectures a grant is for; empty: all of them."""
    return frozenset(p for place in grant.places if (p := prefecture_in(place)))


def _over(told: Sequence[Announced], now: dt.datetime) -> frozenset[str]:
    return frozenset(a.id for a in told if a.is_over(now))


def _corrected(announced: Announced, today: dt.date | None) -> str:
    if announced.corrected is None:
        return ""
    day = day_of(announced.corrected)
    return f"({date_told(day, today or day)}に訂正しました)"


def _detail(announced: Announced, address: str) -> str:
    content = announced.announcement.content
    rows = "\n".join(f"{name}: {value}" for name, value in telling.facts(announced.announcement))
    return "\n\n".join(part for part in (content.title, rows, content.text, content.link, address) if part)


def _facets(announcement: Announcement) -> dict[str, tuple[str, ...]]:
    event, grant = announcement.content.event, announcement.content.grant
    if event:
        place = prefecture_in(event.place)
        return {"place": tuple(p for p in (place, event.place) if p)} if event.place else {}
    if grant:
        given = {"place": tuple(dict.fromkeys([*sorted(prefectures_of(grant)), *grant.places])), "field": grant.fields}
        return {name: values for name, values in given.items() if values}
    return {}


def _asks(announcement: Announcement) -> tuple[str, ...]:
    """How members ask for it."""
    event, grant = announcement.content.event, announcement.content.grant
    what = telling.subject(announcement.content.title)
    if event:
        return tuple(f"{what}{ask}" for ask in ("はいつ?", "はどこで?", "は何時から?", "の日にちは?", "の会場は?", "のお知らせ"))
    if grant:
        named = [f"{p}の助成金はある?" for p in grant.places] + [f"{f}に使える助成金は?" for f in grant.fields]
        return (*(f"{what}{ask}" for ask in ("の締切は?", "はだれが使える?", "はいくら?", "の申し込みはいつまで?")), *named)
    return (f"{what}のお知らせは?", f"{what}って何だっけ?")
