"""What an announcement is: its words, for whom, when and how it leaves; and what cannot be, said so that anybody can mend it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import urlsplit

from pydantic import ConfigDict, TypeAdapter, ValidationError

from bot.clock import JAPAN
from bot.errors import UserMistake

_T = TypeVar("_T")
_STRICT = ConfigDict(extra="forbid")
LONGEST_TITLE, LONGEST_TEXT, LONGEST_PLACE = 80, 1_500, 200  # characters; with all its lines one message on LINE and on Discord
LONGEST_LINK = 1_000
_LANGUAGES = frozenset({"en", "zh", "ko", "pt", "vi", "ja-easy"})
_LINK = re.compile(r"https?://[!-~]+")
_YEARS = range(2000, 2200)
_DAYS = ("starts", "ends", "deadline", "opens", "send_at", "pay_on")
_LASTS = dt.timedelta(days=30)  # what names no day of its own
_LIFETIME = 366  # days ahead something may be planned


class Kind(StrEnum):
    NOTICE = "notice"
    EVENT = "event"
    GRANT = "grant"


class State(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"  # waits for a second pair of eyes
    SCHEDULED = "scheduled"
    SENDING = "sending"  # its first run has gone out to the chats' rows
    DONE = "done"
    WITHDRAWN = "withdrawn"


class Means(StrEnum):
    """How it may reach a chat that costs."""

    FREE = "free"
    FREE_THEN_PAY = "free_then_pay"  # what is left on `Plan.pay_on` is pushed
    NOW = "now"


class Priority(StrEnum):
    """Who goes first where the month's quota does not suffice."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Holidays(StrEnum):
    """What becomes of a repetition on a public holiday."""

    AFTER = "after"  # the next day that is none
    BEFORE = "before"
    SKIP = "skip"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Event:
    """Without an end it lasts until the end of its day. Times without a zone are Tokyo's."""

    starts: dt.datetime
    ends: dt.datetime | None = None
    place: str = ""
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT


@dataclass(frozen=True, slots=True)
class Grant:
    """Money one can apply for until the end of the deadline's day. No places or fields: for all of them."""

    deadline: dt.date
    opens: dt.date | None = None
    who: str = ""
    amount: str = ""
    places: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT


@dataclass(frozen=True, slots=True)
class Content:
    """What is told. `easy`: やさしい日本語; `texts`: other languages by code; `picture`: a name that `Pictures.keep` gave."""

    title: str
    text: str
    easy: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    picture: str = ""
    event: Event | None = None
    grant: Grant | None = None
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    @property
    def kind(self) -> Kind:
        return Kind.EVENT if self.event else Kind.GRANT if self.grant else Kind.NOTICE

    def over_at(self) -> dt.datetime | None:
        """When it stops being of use: the event is over, the deadline has passed. None where no day is named."""
        if self.event:
            ends = self.event.ends
            return local(ends) if ends else _end_of(local(self.event.starts).date())
        return _end_of(self.grant.deadline) if self.grant else None

    def day(self) -> dt.datetime | None:
        """What reminders count to: the beginning of the event, the end of the deadline's day."""
        return local(self.event.starts) if self.event else _end_of(self.grant.deadline) if self.grant else None


@dataclass(frozen=True, slots=True)
class Selection:
    """Whom it is for: everyone; or the co-ops that meet every given facet (one value of each), the named co-ops, the named chats.

    `platforms` narrows all of it; empty: every platform.
    """

    everyone: bool = False
    co_ops: tuple[str, ...] = ()
    prefectures: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    chats: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    @property
    def is_empty(self) -> bool:
        return not (self.everyone or self.co_ops or self.prefectures or self.fields or self.partners or self.chats)


@dataclass(frozen=True, slots=True)
class Plan:
    """When and by which means. `send_at` None: as soon as it is scheduled. `rrule`: RFC 5545, counted from `send_at`."""

    means: Means = Means.FREE
    send_at: dt.datetime | None = None
    pay_on: dt.date | None = None
    rrule: str = ""
    holidays: Holidays = Holidays.AFTER
    urgent: bool = False  # may leave between 22:00 and 7:00
    reminders: bool = True  # of events and grants; they never cost anything
    priority: Priority = Priority.NORMAL
    __pydantic_config__: ClassVar[ConfigDict] = _STRICT


@dataclass(frozen=True, slots=True)
class Announcement:
    """`version` grows with every change and decision; who acts names the one that was seen. `co_op` empty: the federation's."""

    id: str
    version: int
    state: State
    content: Content
    selection: Selection
    plan: Plan
    by: str
    co_op: str
    approved_by: str
    made_at: dt.datetime
    changed_at: dt.datetime

    def expires_at(self, began: dt.datetime) -> dt.datetime:
        """Until when a delivery of a run that began then may still leave."""
        return self.content.over_at() or began + _LASTS


class NotThere(UserMistake):
    """There is no such announcement, or it is not for this person to see: which of them is not said."""

    def __init__(self) -> None:
        super().__init__("そのお知らせは見つかりません。")


_STANDS = {
    State.DRAFT: "このお知らせは、まだ下書きです。",
    State.PROPOSED: "このお知らせは、ほかの人の確認を待っています。",
    State.SCHEDULED: "このお知らせは、もう送る予約がしてあります。",
    State.SENDING: "このお知らせは、もう送られています。直すときは訂正、やめるときは取り消しにしてください。",
    State.DONE: "このお知らせは、もう送り終わっています。直すときは訂正にしてください。",
    State.WITHDRAWN: "このお知らせは、もう取り消されています。",
}


class Changed(UserMistake):
    """It is not any more what was seen, or this cannot be done with what it is now. `seen`: the version that was named."""

    def __init__(self, now: Announcement, seen: int) -> None:
        changed = "ほかの人が先に変えたか、もう送られています。いまの内容を見て、もう一度お願いします。"
        super().__init__(_STANDS[now.state] if now.version == seen else changed)
        self.now = now


class NotAllowed(UserMistake):
    """This person may not do this."""


def local(moment: dt.datetime) -> dt.datetime:
    """In Tokyo, also where no zone was given."""
    return moment.replace(tzinfo=JAPAN) if moment.tzinfo is None else moment.astimezone(JAPAN)


# in and out


def plain(thing: Content | Selection | Plan) -> dict[str, Any]:
    """As JSON takes it; `read` gives the same again."""
    kind: Any = type(thing)
    told: dict[str, Any] = _adapter(kind).dump_python(thing, mode="json")
    return told


def read(kind: type[_T], given: Any) -> _T:
    """A Content, Selection or Plan from JSON. Raises UserMistake with a sentence that names the field."""
    try:
        found: _T = _adapter(cast(Any, kind)).validate_python(given)
        return found
    except ValidationError as error:
        raise UserMistake(mistake(error)) from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Made once: it takes twenty milliseconds."""
    return TypeAdapter(kind)


_KINDS_OF_MISTAKE = {
    "missing": "「{name}」がありません。",
    "extra_forbidden": "「{name}」という項目はありません。",
    "unexpected_keyword_argument": "「{name}」という項目はありません。",
    "date": "{of}日付「{given}」はありません。2027-03-31のように書いてください。",
    "datetime": "{of}日時「{given}」はありません。2027-03-31T10:00のように書いてください。",
    "enum": "「{name}」に「{given}」は使えません。",
}


def mistake(error: ValidationError) -> str:
    """The first thing that is wrong, in one sentence."""
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "内容"
    kind = str(first["type"])
    told = _KINDS_OF_MISTAKE.get(kind) or _KINDS_OF_MISTAKE.get(kind.split("_")[0], "「{name}」の書き方が違います。")
    of = f"「{name}」の" if first["loc"] else ""
    return told.format(name=name, of=of, given=" ".join(str(first.get("input", "")).split())[:40])


def day(text: str) -> dt.date:
    """Raises UserMistake for 31 February."""
    return read(dt.date, text.strip())


def moment(text: str) -> dt.datetime:
    """A time in Tokyo, of a day alone nine in the morning. Raises UserMistake."""
    text = text.strip()
    if len(text) <= len("2027-03-31"):
        return dt.datetime.combine(day(text), dt.time(9), JAPAN)
    found = read(dt.datetime, text.replace(" ", "T", 1))
    if found.year not in _YEARS:
        raise UserMistake(f"{found.year}年の日付は使えません。年を確かめてください。")
    return local(found)


# what cannot be


def flaws(content: Content) -> list[str]:
    """What is wrong with the words, one sentence each."""
    if odd := flaws_of_years(content):
        return odd
    links = (content.link, *_links_in(content.text, content.easy, *content.texts.values()))
    return [*_flaws_of_texts(content), *_flaws_of_days(content), *dict.fromkeys(f for link in links for f in _flaws_of_link(link))]


def flaws_of_years(of: Content | Plan) -> list[str]:
    """A year that is a slip of the pen, and that no calendar reckons with: said before anything is worked out from it."""
    parts = (of,) if isinstance(of, Plan) else (of.event, of.grant)
    named = [getattr(part, name, None) for part in parts for name in _DAYS]
    return [f"{day.year}年の日付は使えません。年を確かめてください。" for day in named if day and day.year not in _YEARS][:1]


def flaws_of_plan(content: Content, plan: Plan, now: dt.datetime) -> list[str]:
    """What is wrong with when it shall leave."""
    now = local(now)
    at = local(plan.send_at) if plan.send_at else now
    over = content.over_at()
    found = []
    if plan.send_at and at < now - dt.timedelta(minutes=5):
        found.append(f"送る日時({_said(at)})が過ぎています。これからの日時にしてください。")
    if at > now + dt.timedelta(days=_LIFETIME):
        found.append(f"送る日時({_said(at)})が1年より先です。1年以内にしてください。")
    if over and over <= max(at, now):
        found.append(f"送るときには、もう終わっています({_said(over)}まで)。日付を確かめてください。")
    if plan.means is Means.FREE_THEN_PAY:
        found += _flaws_of_pay_day(plan, at, over)
    elif plan.pay_on:
        found.append("有料で送る日は、「無料で、残りは有料」のときだけ決められます。")
    return found


def _flaws_of_texts(content: Content) -> list[str]:
    found = []
    if not content.title.strip():
        found.append("題名を書いてください。")
    if not content.text.strip():
        found.append("本文を書いてください。")
    for name, text, most in (
        ("題名", content.title, LONGEST_TITLE),
        ("本文", content.text, LONGEST_TEXT),
        ("やさしい日本語の文", content.easy, LONGEST_TEXT),
        *((f"{language}の文", text, LONGEST_TEXT) for language, text in content.texts.items()),
        ("場所", content.event.place if content.event else "", LONGEST_PLACE),
        ("助成の対象", content.grant.who if content.grant else "", LONGEST_PLACE),
        ("助成の額", content.grant.amount if content.grant else "", LONGEST_PLACE),
    ):
        if _length(text) > most:
            found.append(f"{name}は{most}字までです(いま{_length(text)}字)。短くしてください。")
        if any(ord(c) < 32 and c not in "\n\t" for c in text):
            found.append(f"{name}に、表示できない文字が入っています。消してください。")
    unknown = sorted(set(content.texts) - _LANGUAGES)
    if unknown:
        found.append(f"使えない言語です: {'、'.join(unknown)}。使えるのは{'、'.join(sorted(_LANGUAGES))}です。")
    return found


def _flaws_of_days(content: Content) -> list[str]:
    found = []
    if content.event and content.grant:
        found.append("行事と助成は、別々のお知らせにしてください。")
    if content.event and content.event.ends and local(content.event.ends) <= local(content.event.starts):
        found.append("行事の終わりが、始まりより前になっています。")
    if content.grant and content.grant.opens and content.grant.deadline < content.grant.opens:
        found.append("締切が、受付の始まりより前になっています。")
    return found


def _links_in(*texts: str) -> list[str]:
    """What platforms turn into links by themselves."""
    return [link.rstrip(".,;:!?)") for text in texts for link in _LINK.findall(text)]


def _flaws_of_link(link: str) -> list[str]:
    if not link:
        return []
    try:
        parts = urlsplit(link)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return ["リンクの書き方が違います。https://で始まるアドレスを、そのまま写してください。"]
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() or ord(c) < 32 for c in link):
        return ["リンクの書き方が違います。https://で始まるアドレスを、そのまま写してください。"]
    if parts.username is not None or parts.password is not None:
        return ["リンクに名前や合言葉が入っています。外してください。"]
    if len(link) > LONGEST_LINK:
        return [f"リンクは{LONGEST_LINK}字までです。"]
    if not is_public_host(host):
        return ["このリンクは、みんなが開ける場所ではありません。公開されているアドレスにしてください。"]
    return []


def is_public_host(host: str) -> bool:
    """Whether everybody can open it, as far as its name tells: no own machine, no private network. Nothing is looked up."""
    host = host.rstrip(".").lower()
    try:
        ip = ipaddress.ip_address(host.partition("%")[0])
        return ip.is_global and not ip.is_multicast
    except ValueError:
        pass
    if all(part[:2] == "0x" or part.isdigit() for part in host.split(".")):
        return False  # 127.1, 0x7f000001, 2130706433: numbers that browsers take for addresses
    last = host.rpartition(".")[2]
    return "." in host and last not in {"local", "localhost", "internal", "lan", "home", "corp", "test", "example", "invalid"}


def _flaws_of_pay_day(plan: Plan, at: dt.datetime, over: dt.datetime | None) -> list[str]:
    if plan.pay_on is None:
        return ["残りを有料で送る日を決めてください。"]
    if plan.pay_on < at.date():
        return ["有料で送る日が、送りはじめる日より前になっています。"]
    if over and plan.pay_on > over.date():
        return [f"有料で送る日には、もう終わっています({_said(over)}まで)。"]
    if over is None and plan.pay_on > (at + _LASTS).date():
        return [f"有料で送る日は、送りはじめてから{_LASTS.days}日以内にしてください。"]
    return []


def _length(text: str) -> int:
    """In UTF-16 units, as LINE counts, which is never less than what Discord counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _end_of(date: dt.date) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(23, 59, 59), JAPAN)


def _said(at: dt.datetime) -> str:
    return f"{at.year}年{at.month}月{at.day}日{at.hour}時{at.minute:02}分"
