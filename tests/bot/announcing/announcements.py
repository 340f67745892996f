"""Announcements for the tests of what becomes of them: asked for, in a calendar, on paper."""

from __future__ import annotations

import datetime as dt

from bot.announcing.announcement import Announcement, Content, Event, Grant, Plan, Selection, State
from bot.announcing.knowledge_of import Announced
from bot.clock import JAPAN
from bot.members import co_op_key
from knowledge import FEDERATION, Audience

NOW = dt.datetime(2026, 7, 6, 10, 0, tzinfo=JAPAN)  # a Monday


def at(month: int, day: int, hour: int = 10, minute: int = 0, year: int = 2026) -> dt.datetime:
    return dt.datetime(year, month, day, hour, minute, tzinfo=JAPAN)


def announcement(content: Content, id_: str = "ann-1", version: int = 3, state: State = State.DONE) -> Announcement:
    return Announcement(
        id_, version, state, content, Selection(everyone=True), Plan(), "line:coordinator", "", "", at(7, 1), at(7, 2)
    )


def announced(
    content: Content, *co_ops: str, id_: str = "ann-1", began: dt.datetime | None = None, corrected: dt.datetime | None = None
) -> Announced:
    """Told to some co-ops, or to the whole federation."""
    audience = Audience.of(*map(co_op_key, co_ops)) if co_ops else Audience.of(FEDERATION)
    return Announced(announcement(content, id_), audience, began or at(7, 1), corrected, "労協うえだ" if co_ops else "")


FESTIVAL = Content(
    "夏祭りのお知らせ",
    "屋台と盆おどりがあります。どなたでもどうぞ。",
    easy="夏祭りは8月1日です。だれでも来られます。",
    event=Event(at(8, 1), at(8, 1, 15), "長野県上田市 中央公民館"),
)
GRANT = Content(
    "居場所づくり助成",
    "居場所の家賃と備品に使えます。",
    grant=Grant(dt.date(2026, 7, 31), who="長野県の労協", amount="500000円", places=("長野県",), fields=("居場所",)),
)
FOR_ALL = Content(
    "はじめの一歩基金",
    "設立したばかりの組合のためのお金です。",
    grant=Grant(dt.date(2026, 7, 15), who="設立3年までの労協", amount="上限30万円"),
)
LATER = Content(
    "子ども食堂応援助成", "食材費に使えます。", grant=Grant(dt.date(2026, 8, 20), places=("山梨県",), fields=("子ども食堂",))
)
NOTICE = Content("事務所の引っ越し", "連合会の事務所は、7月20日から新しい場所に移ります。電話番号は変わりません。")
