"""`/announcements/…`: an announcement as a small page and as a calendar file, for whoever was given its signed address."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from bot.announcing import calendar, telling
from bot.announcing.announcement import Announcement, State
from bot.announcing.days import date_in_full, day_of
from bot.announcing.knowledge_of import Announced
from bot.announcing.links import address, announcement_at
from bot.bootstrap import Yui

# It may be for one co-op: nobody keeps it on the way, no search engine lists it.
_HEADERS = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}
_UNKNOWN = (
    "お知らせが見つかりません",
    "アドレスが途中で切れていないか、確かめてください。わからないときは、組合の係の人に聞いてください。",
)
_WITHDRAWN = ("このお知らせは取り消されました", "内容は、もう見られません。わからないことは、組合の係の人に聞いてください。")
_OVER = "このお知らせは終わりました"
_LANGUAGES = {"en": "English", "zh": "中文", "ko": "한국어", "pt": "Português", "vi": "Tiếng Việt"}


def create(yui: Yui, pages: Environment) -> APIRouter:
    """The routes. `pages` has the templates."""
    router = APIRouter(include_in_schema=False)

    @router.get("/announcements/{signed}.ics")
    async def ics(signed: str) -> Response:
        found = await asyncio.to_thread(_found, yui, signed)
        file = calendar.ics(found, address(yui.settings.public_url, yui.signer, found.id)) if found else None
        if file is None:
            return _told(pages, *_UNKNOWN, status=404)
        headers = {**_HEADERS, "content-disposition": 'attachment; filename="yui.ics"'}
        return Response(file, media_type=calendar.MEDIA_TYPE, headers=headers)

    @router.get("/announcements/{signed}")
    async def page(signed: str) -> Response:
        return await asyncio.to_thread(_page, yui, pages, signed)

    return router


def _found(yui: Yui, signed: str) -> Announcement | None:
    """What has been told to whoever holds this address."""
    announcement_id = announcement_at(yui.signer, signed)
    found = yui.told.whatever(announcement_id) if announcement_id else None
    return found if found and found.state in (State.SENDING, State.DONE, State.WITHDRAWN) else None


def _page(yui: Yui, pages: Environment, signed: str) -> HTMLResponse:
    found = _found(yui, signed)
    if found is None:
        return _told(pages, *_UNKNOWN, status=404)
    if found.state is State.WITHDRAWN:
        return _told(pages, *_WITHDRAWN, status=410)
    told = yui.told.of(found.id)
    if told is None:
        return _told(pages, *_UNKNOWN, status=404)
    now = yui.clock()
    if told.is_over(now):
        return _told(pages, _OVER, telling.past(found, day_of(now)) or f"「{found.content.title}」", status=410)
    return HTMLResponse(pages.get_template("announcement.html").render(**_shown(told, signed, yui)), headers=_HEADERS)


def _shown(told: Announced, signed: str, yui: Yui) -> dict[str, object]:
    content = told.announcement.content
    texts = [("ja", "やさしい日本語", content.easy or content.texts.get("ja-easy", ""))]
    texts += [(code, _LANGUAGES.get(code, code), text) for code, text in content.texts.items() if code != "ja-easy"]
    return {
        "content": content,
        "issuer": told.issuer or "連合会",
        "began": date_in_full(day_of(told.began)),
        "corrected": date_in_full(day_of(told.corrected)) if told.corrected else "",
        "facts": telling.facts(told.announcement),
        "texts": [text for text in texts if text[2]],
        "ics": f"/announcements/{signed}.ics" if content.event or content.grant else "",
        "picture": f"/pictures/{content.picture}" if yui.pictures.path(content.picture) else "",
    }


def _told(pages: Environment, heading: str, told: str, status: int) -> HTMLResponse:
    text = pages.get_template("announcement_gone.html").render(heading=heading, told=told)
    return HTMLResponse(text, status, headers=_HEADERS)
