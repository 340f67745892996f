"""How an announcement reads in a chat."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from bot.announcing.announcement import Content, Grant, local
from bot.announcing.announcement import Event as Happening
from bot.announcing.senders import LinkButton, OutgoingMessage
from bot.announcing.times import Occasion
from bot.messages import Choice
from bot.splitting import shorten

_WEEKDAYS = "月火水木金土日"
MORE = "くわしく"
WHY = {
    "quota": "今月の無料の枠が足りないので、次の返信か来月を待っています",
    "expired": "期限までに、その部屋でだれも話しませんでした",
    "gone": "退会・ブロック・削除された部屋です",
    "refused": "送り先が受け付けませんでした",
    "token": "途中で止まり、届いたか分かりません",
    "closed": "鍵が使えないか、つながっていません",
    "late": "止まっていた間に時間が過ぎました",
    "over": "終わったあとでした",
    "overtaken": "次の回のほうが近くなりました",
    "empty": "送り先がひとつもありませんでした",
    "changed": "変更しました",
    "withdrawn": "取り消しました",
}
_LONGEST_CHOICE = 60  # characters; with it the bot is asked about the announcement


def message(
    content: Content, occasion: Occasion, now: dt.datetime, language: str = "ja", picture: Callable[[str], str] | None = None
) -> OutgoingMessage:
    """`picture`: gives a kept picture's address, empty where it has none (the bot has no public address)."""
    if occasion is Occasion.WITHDRAWAL:
        return OutgoingMessage(f"【取り消し】「{content.title}」のお知らせは取り消します。ご迷惑をおかけします。")
    text = {"ja-easy": content.easy, **content.texts}.get(language) or content.text
    lines = [_headed(content, occasion, now), "" if text.strip() == content.title.strip() else text.strip()]
    lines += _event_lines(content.event) if content.event else []
    lines += _grant_lines(content.grant) if content.grant else []
    links = (LinkButton("ページを開く", content.link),) if content.link else ()
    address = picture(content.picture) if picture and content.picture else ""
    return OutgoingMessage("\n".join(line for line in lines if line), address, links, (more(content),))


def more(content: Content) -> Choice:
    """「くわしく」: typing the same words asks the bot about the announcement."""
    return Choice(f"{shorten(content.title, _LONGEST_CHOICE - 10)}について{MORE}")


def title(content: Content) -> str:
    return shorten(content.title.strip(), 100)


def said_day(moment: dt.datetime | dt.date) -> str:
    """11月21日(土), with the hour where there is one: 11月21日(土) 10時、13時30分."""
    date = local(moment).date() if isinstance(moment, dt.datetime) else moment
    told = f"{date.month}月{date.day}日({_WEEKDAYS[date.weekday()]})"
    return f"{told} {said_time(moment)}" if isinstance(moment, dt.datetime) else told


def said_time(moment: dt.datetime) -> str:
    at = local(moment)
    return f"{at.hour}時{at.minute:02}分" if at.minute else f"{at.hour}時"


def _headed(content: Content, occasion: Occasion, now: dt.datetime) -> str:
    mark = "【訂正】" if occasion is Occasion.CORRECTION else "【試し送り】" if occasion is Occasion.TEST else ""
    day = content.day()
    if occasion.is_reminder and day:
        days = (local(day).date() - local(now).date()).days
        what = "締切" if content.grant else "行事"
        mark = f"【今日が{what}】" if days <= 0 else f"【{what}まであと{days}日】"
    return f"{mark or '【お知らせ】'}{content.title.strip()}"


def _event_lines(event: Happening) -> list[str]:
    starts, ends = local(event.starts), local(event.ends) if event.ends else None
    when = said_day(starts)
    if ends:
        when += f"〜{said_time(ends) if ends.date() == starts.date() else said_day(ends)}"
    return [f"日時: {when}", f"場所: {event.place}" if event.place else ""]


def _grant_lines(grant: Grant) -> list[str]:
    opens = f"{said_day(grant.opens)}から" if grant.opens else ""
    return [
        f"締切: {said_day(grant.deadline)}" + (f"(受付は{opens})" if opens else ""),
        f"対象: {grant.who}" if grant.who else "",
        f"額: {grant.amount}" if grant.amount else "",
        f"地域: {'、'.join(grant.places)}" if grant.places else "",
        f"分野: {'、'.join(grant.fields)}" if grant.fields else "",
    ]
