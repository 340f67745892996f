"""質問の記録: what was asked, page by page and as a file, and how often, week by week and place by place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from adapters.web.callers import Service
from adapters.web.console.desk import Signed, Visitor, day, render, say
from bot.bootstrap import Yui
from bot.clock import JAPAN
from bot.desk.asked import COLUMNS, KEPT, By, Filters, Trend
from bot.desk.asked_rows import WEEK, monday

AT_ONCE = 50
QUARTER = 13  # weeks
NO_CO_OP = "-"  # in addresses; no co-op's id begins like this

router = APIRouter()
YesNo = Literal["", "yes", "no"]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


@dataclass(frozen=True, slots=True)
class Sought:
    """The filters as they stand in the address, each empty where it filters nothing."""

    answered: YesNo = ""
    helpful: YesNo = ""
    week: Annotated[str, Query(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    co_op: Annotated[str, Query(max_length=60)] = ""
    text: Annotated[str, Query(max_length=100)] = ""

    def filters(self) -> Filters:
        """Raises HTTPException for a day that is none."""
        try:
            week = dt.date.fromisoformat(self.week) if self.week else None
            if week is not None:
                dt.datetime.combine(monday(week), dt.time(), JAPAN).astimezone(dt.UTC) + WEEK  # neither the first nor the last year
        except (ValueError, OverflowError):
            raise HTTPException(422) from None
        co_op = {"": None, NO_CO_OP: ""}.get(self.co_op, self.co_op)
        return Filters(_YES_NO[self.answered], _YES_NO[self.helpful], week, co_op, self.text.replace("\0", ""))

    def query(self) -> str:
        """The same as a part of an address, to be gone on with."""
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return "".join(f"{urlencode({name: value})}&" for name, value in kept.items() if value)


_YES_NO = {"": None, "yes": True, "no": False}
Seeking = Annotated[Sought, Depends()]


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart: its label, its counts, and how long its two parts are drawn (percent)."""

    label: str
    trend: Trend
    answered: float
    unanswered: float


@router.get("/record")
def record(request: Request, visitor: Signed, yui: Service, sought: Seeking, offset: Offset = 0) -> HTMLResponse:
    filters = sought.filters()
    found = yui.asked.search(visitor.account, filters, offset, AT_ONCE + 1)
    # To look for words takes a look at every question: once a page is enough.
    count = None if filters.text else yui.asked.count(visitor.account, filters)
    return render(
        request,
        visitor,
        "record.html",
        found=found[:AT_ONCE],
        count=count,
        more=len(found) > AT_ONCE,
        offset=offset,
        at_once=AT_ONCE,
        sought=sought,
        weeks=_weeks(yui, visitor),
        co_ops=_co_ops(yui, visitor),
        names={c.id: c.name for c in yui.members.co_ops()},
    )


@router.get("/record/file.csv")
def file(visitor: Signed, yui: Service, sought: Seeking) -> Response:
    filters = sought.filters()
    yui.audit.note(visitor.account, "record.file", co_op=filters.co_op or "")
    columns = [say(f"record.column_{name}", visitor.language) for name in COLUMNS]
    yes_no = say("record.yes", visitor.language), say("record.no", visitor.language)
    name = f"record-{yui.clock().astimezone(JAPAN).date().isoformat()}.csv"
    return StreamingResponse(
        _encoded(yui.asked.csv(visitor.account, filters, columns, yes_no)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
    )


@router.get("/record/trends")
def trends(request: Request, visitor: Signed, yui: Service, by: By = By.WEEK, whole: bool = False) -> HTMLResponse:
    found = yui.asked.trends(visitor.account, by)
    shown = found if whole or by is not By.WEEK else found[-QUARTER:]
    longest = max((t.asked or 0 for t in shown), default=0) or 1
    bars = [_bar(t, by, longest, visitor.language) for t in shown]
    return render(
        request, visitor, "trends.html", bars=bars, by=by.value, every=[b.value for b in By], further=len(found) > len(shown)
    )


def _bar(trend: Trend, by: By, longest: int, language: str) -> Bar:
    label = trend.key or say(f"record.no_{by.value}", language)
    if by is By.WEEK:
        label = say("record.week_from", language, day=day(dt.date.fromisoformat(trend.key), language))
    unanswered = 100 * (trend.unanswered or 0) / longest
    return Bar(label, trend, round(100 * (trend.asked or 0) / longest - unanswered, 2), round(unanswered, 2))


def _weeks(yui: Yui, visitor: Visitor) -> list[tuple[str, str]]:
    """(Monday, name) of every week of which something may be kept, latest first."""
    today = yui.clock().astimezone(JAPAN).date()
    last, first = monday(today), monday(today - KEPT)
    mondays = (last - n * WEEK for n in range((last - first).days // 7 + 1))
    return [(m.isoformat(), say("record.week_from", visitor.language, day=day(m, visitor.language))) for m in mondays]


def _co_ops(yui: Yui, visitor: Visitor) -> list[tuple[str, str]]:
    """(id, name) of the co-ops to choose from; none where there is only one."""
    mine = [(c.id, c.name) for c in yui.members.co_ops() if visitor.everywhere or c.id in visitor.co_ops]
    if visitor.everywhere:
        return [*mine, (NO_CO_OP, say("record.no_co_op", visitor.language))]
    return mine if len(mine) > 1 else []


def _encoded(lines: Iterator[str]) -> Iterator[bytes]:
    """UTF-8 with the mark by which spreadsheets know it."""
    yield "\ufeff".encode()
    for line in lines:
        yield line.encode()
