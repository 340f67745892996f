"""The bridge to members without a phone: an announcement on a sheet to pin up, questions and answers to hand out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from bot import wording
from bot.announcing import telling
from bot.announcing.announcement import Announcement, State
from bot.announcing.days import date_in_full, day_of
from bot.announcing.sheet import Sheet
from bot.errors import UserMistake
from knowledge import Audience, Kind, KnowledgeBase, Match

_SCALES = (1.5, 1.3, 1.15)  # a short announcement is set larger, as long as it stays on one page
_MOST = 10  # questions in a handout
_LITTLE = 40  # characters; a detail as short as this says nothing by itself: 「第2項の決まりです。」
_AS_NEAR = 3.0  # log-odds behind the best passage
_SURE = 0.3  # below, nothing is known of the topic
_ORDER = (Kind.EVENT, Kind.LAW, Kind.SURVEY, Kind.CASE, Kind.TIP)
_SECTIONS = {
    Kind.EVENT: "お知らせ",
    Kind.LAW: "法律で決まっていること",
    Kind.SURVEY: "調査でわかっていること",
    Kind.CASE: "ほかの組合の例",
    Kind.TIP: "組合員のコツ",
}
_FEDERATION = "連合会"
_READ_ON = "スマートフォンのカメラを、左のしるしに向けてください。くわしい内容が読めます。"
_ASK_ON = "スマートフォンのカメラを、左のしるしに向けてください。ほかのことも質問できます。"
_DRAFTS = (State.DRAFT, State.PROPOSED)


@dataclass(frozen=True, slots=True)
class Entry:
    """A question with its answer, and where that stands. `kind`: whose voice it is."""

    kind: Kind
    question: str
    answer: str
    source: str


def notice(announcement: Announcement, issuer: str, address: str, today: dt.date, picture: Path | None = None) -> bytes:
    """A PDF of an announcement. `issuer`: the name of its co-op; empty: the federation. `address`: its page; empty: no QR code.

    Raises UserMistake for one that was withdrawn, and where there is no font.
    """
    if announcement.state is State.WITHDRAWN:
        raise UserMistake("This announcement was withdrawn: it is not printed any more.")
    for scale in (*_SCALES, 1.0):
        sheet = _notice(announcement, issuer, address, today, picture, scale)
        if sheet.pages == 1 or scale == 1.0:
            break
        sheet.close()
    return sheet.pdf()


def _notice(announcement: Announcement, issuer: str, address: str, today: dt.date, picture: Path | None, scale: float) -> Sheet:
    content, issuer = announcement.content, issuer or _FEDERATION
    sheet = Sheet(content.title, f"{issuer}  {date_in_full(today)}に印刷", scale)
    draft = announcement.state in _DRAFTS
    sheet.label("お知らせ(下書き)" if draft else "お知らせ", date_in_full(day_of(announcement.changed_at)))
    sheet.headline(content.title, f"{issuer}から")
    sheet.facts(telling.facts(announcement))
    if picture:
        sheet.picture(picture)
    sheet.text(content.text)
    if address and not draft:
        sheet.qr(address, _READ_ON)
    return sheet


def entries_about(
    topic: str, knowledge: KnowledgeBase, audience: Audience, verified: Callable[[Sequence[str]], Collection[str]]
) -> list[Entry]:
    """What an audience may know of a topic, the voices apart, first things first. `verified`: which of some tips were reviewed.

    Raises UserMistake where nothing is known of it.
    """
    found = knowledge.retrieve(topic, audience)
    best = found.matches[0].score if found.matches and found.confidence >= _SURE else None
    near = [m for m in found.matches if best is not None and m.score >= best - _AS_NEAR and m.passage.known]
    tips = verified([m.passage.id for m in near if m.document.kind is Kind.TIP])
    chosen = [m for m in near if m.document.kind is not Kind.TIP or m.passage.id in tips][:_MOST]
    if not chosen:
        raise UserMistake(f"Nothing is known about {topic!r} for these readers: try another word.")
    by_voice = sorted(chosen, key=lambda m: _ORDER.index(m.document.kind))
    return [_entry(m, knowledge, audience) for m in by_voice]


def handout(topic: str, entries: Sequence[Entry], address: str, today: dt.date) -> bytes:
    """A PDF of questions and answers. `address`: where one can ask on; empty: no QR code."""
    title = f"{topic}のことがわかる {len(entries)}の質問と答え"
    sheet = Sheet(title, f"{date_in_full(today)}の内容")
    sheet.label("質問と答え", date_in_full(today))
    sheet.headline(f"「{topic}」の質問と答え", "答えのあとに、もとの資料を書いてあります。")
    for kind, voice in groupby(enumerate(entries, 1), key=lambda numbered: numbered[1].kind):
        section = _SECTIONS[kind]
        for number, entry in voice:
            sheet.question(number, entry.question, entry.answer, entry.source, section)
            section = ""
    if address:
        sheet.qr(address, _ASK_ON)
    return sheet.pdf()


def _entry(match: Match, knowledge: KnowledgeBase, audience: Audience) -> Entry:
    passage = match.passage
    asked = (passage.asks[0] if passage.asks else passage.heading).rstrip("?？。") + "？"
    detail = passage.detail if len(passage.detail) > _LITTLE or not passage.short else ""
    answer = "\n".join(part for part in (passage.short, detail) if part)
    told = knowledge.tell([passage.id], audience, "ja")
    return Entry(match.document.kind, asked, answer, wording.sources(told.citations, "ja"))
