"""What is asked about an announcement besides its fields: what to bring, rain, the link. Told from its text, or missing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.announcing.announcement import Content
from knowledge import normalise

_SENTENCE = re.compile(r"(?:[^。!?！？\n]|[!?](?=[!-~]))+[。!?！？]?")
_MOST = 2  # sentences


@dataclass(frozen=True, slots=True)
class Particular:
    """`asked`: in a question; `told`: in a text; `of_events`: who asks for it without saying of what means something announced."""

    name: str
    asked: re.Pattern[str]
    told: re.Pattern[str]
    of_events: bool = False


def _of(name: str, asked: str, told: str = "", *, of_events: bool = False) -> Particular:
    return Particular(name, re.compile(asked), re.compile(told or asked), of_events)


CANCELLED = "中止や延期"
LINK, ONLINE = "リンク", "Zoom"
_WITH_LINK = (LINK, ONLINE, "申し込み")
_ALL = (
    _of("持ち物", r"持ち物|持ちもん|もちもの|持って(?:い|行)?(?:く|け)", r"持ち物|お持ち|持参|ご用意", of_events=True),
    _of("雨のとき", r"雨(?:でも|の(?:とき|時|場合|日)|天|が?降(?:っ|れ)|なら|だったら)", r"雨|荒天|天候", of_events=True),
    _of(CANCELLED, r"中止|延期|ちゅうし|なくなった", r"中止|延期", of_events=True),
    _of("駐車場", r"駐車場?|車で(?:行|来|い(?:っ|け))|車(?:は)?(?:停|と)め", r"駐車|車で", of_events=True),
    _of("参加費", r"参加費|費用|料金|お金(?:は)?(?:かか|いる|要る)|無料|ただ(?:です|なの|\?)", r"参加費|費用|料金|会費|無料|\d円"),
    _of("申し込み", r"申し?込み|もうしこみ|応募(?!でき|す)|申請", r"申し?込|応募|申請"),
    _of(ONLINE, r"zoom|ズーム", r"zoom|ズーム|オンライン"),
    _of(LINK, r"リンク|ホームページ|url|アドレス|サイト", r"https?:|ホームページ|サイト"),
    _of("食事", r"弁当|昼食|お昼(?:ごはん)?(?:は|出)|ごはん|食事", r"弁当|昼食|食事"),
    _of("服装", r"服装|何(?:を)?着て|着ていく", r"服装|服"),
    _of("連絡先", r"連絡先|問い?合わせ|電話(?:番号)?", r"連絡先|問い?合わせ|電話|\d{2,4}-\d{2,4}-\d{3,4}"),
)


def asked_for(text: str) -> Particular | None:
    """`text`: normalised."""
    return next((p for p in _ALL if p.asked.search(text)), None)


def told_of(content: Content, particular: Particular) -> str:
    """The sentences of its text that speak of it, and its link for who asks how to apply; empty where nothing is said."""
    told = _first(s for s in _SENTENCE.findall(content.text) if particular.told.search(normalise(s)))
    link = content.link if particular.name in _WITH_LINK and content.link not in told else ""
    return "\n".join(part for part in (told, link) if part)


def speaking_of(content: Content, names: Sequence[str]) -> str:
    """The sentences of its text that hold all of some words."""
    return _first(s for s in _SENTENCE.findall(content.text) if all(n in normalise(s) for n in names))


def _first(sentences: Iterable[str]) -> str:
    return "".join(itertools.islice((s.strip() for s in sentences), _MOST))
