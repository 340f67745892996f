"""LINE's webhook: signature, events to rows, 200 at once; and the worker that answers the rows."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from adapters.line import payloads, rendering
from adapters.line.channel import FRESH, Channel, Outcome, Refused, Sent, Unreadable
from adapters.line.riding import Riders, Rides
from bot.addressing import Names
from bot.announcing.senders import Shape
from bot.bootstrap import Yui
from bot.inbox import Event
from bot.messages import IncomingMessage, Place, Reply

log = logging.getLogger(__name__)

PLATFORM = "line"


class Webhook:
    """Translates events into rows and rows into replies."""

    def __init__(self, yui: Yui, channel: Channel, secret: bytes) -> None:
        self._yui = yui
        self._inbox = yui.inbox
        self._conversations = yui.conversations
        self._channel = channel
        self._secret = secret
        self._names = Names(yui.settings.names)
        self._rides = Rides(yui.deliveries, channel, self._inbox.run, yui.clock)
        self.router = APIRouter()
        self.router.add_api_route("/webhook/line", self._receive, methods=["POST"], include_in_schema=False)

    # in

    async def _receive(self, request: Request) -> Response:
        raw = await request.body()
        if not self._is_signed(raw, request.headers.get("x-line-signature", "")):
            raise HTTPException(400, "署名が合いません。チャネルシークレットを確かめてください。")
        rows = []
        for event in payloads.events(raw):
            row = await self._translated(event)
            self._yui.metrics.received(PLATFORM, addressed=row is not None)
            if row is not None:
                rows.append(row)
        if rows:
            await self._inbox.put(rows)
        return Response(status_code=200)

    def _is_signed(self, raw: bytes, signature: str) -> bool:
        expected = base64.b64encode(hmac.new(self._secret, raw, hashlib.sha256).digest())
        return hmac.compare_digest(expected, signature.encode("utf-8", "replace"))

    async def _translated(self, event: Mapping[str, Any]) -> Event | None:
        """The row of an event that wants a reply; None for everything else, of which nothing is kept."""
        try:
            row = await self._row(event)
            json.dumps(asdict(row) if row else None, ensure_ascii=False).encode()  # what no database can hold
            return row
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError):
            log.warning("a LINE event of an unknown shape was passed over")
            return None

    async def _row(self, event: Mapping[str, Any]) -> Event | None:
        kind, source = str(event["type"]), event.get("source") or {}
        chat = source.get("groupId") or source.get("roomId") or source.get("userId")
        if not chat or event.get("mode") == "standby":
            return None
        group = source.get("type") in ("group", "room")
        conversation = self._conversations.pseudonym(PLATFORM, chat)
        if kind == "leave":
            await self._inbox.run(self._inbox.leave, conversation)
            await self._conversations.left(conversation)
            return None
        if kind == "unfollow":
            await self._inbox.run(self._yui.chats.gone, conversation)
            return None
        if kind == "unsend":
            await self._unsent(event, conversation)
            return None
        payload = await self._payload(kind, event, source, conversation, group=group)
        if payload is None:
            if kind == "message":
                self._rides.offer(conversation, str(event.get("replyToken") or ""))
            return None
        user = source.get("userId") or ""
        message = event.get("message") or {}
        return Event(
            platform=PLATFORM,
            id=str(event["webhookEventId"]),
            conversation=conversation,
            happened_at=int(event["timestamp"]) / 1000,
            sender=self._conversations.pseudonym(PLATFORM, user) if user else "",
            message_id=str(message.get("id", "")),
            reply_token=str(payload.pop("reply_token", event.get("replyToken") or "")),
            payload={"group": group, "chat": chat, **payload},
        )

    async def _payload(
        self, kind: str, event: Mapping[str, Any], source: Mapping[str, Any], conversation: str, *, group: bool
    ) -> dict[str, Any] | None:
        if kind in ("join", "follow"):
            return {"kind": "greeting"}
        if kind == "postback":
            data = str(event["postback"]["data"])
            known = data.startswith((rendering.SAY, rendering.DO, rendering.UP, rendering.DOWN))
            return {"kind": "postback", "data": data} if known else None
        if kind == "messageEdited":
            return await self._edited(event, source, conversation, group=group)
        if kind == "message":
            return await self._message(event, source, conversation, group=group)
        return None

    async def _message(
        self, event: Mapping[str, Any], source: Mapping[str, Any], conversation: str, *, group: bool
    ) -> dict[str, Any] | None:
        """What is needed to answer a message, if it is addressed to the bot."""
        message = event["message"]
        quoted = message.get("quotedMessageId")
        quotes = await self._inbox.run(self._yui.quoted, PLATFORM, str(quoted), [conversation]) if quoted else None
        unreadable = message["type"] != "text"
        text, called_by, mentioned = ("", "", False) if unreadable else payloads.without_mentions(message)
        user = source.get("userId") or ""
        incoming = IncomingMessage(
            conversation=conversation,
            text=self._names.without_call(text).strip(),
            sender=self._conversations.pseudonym(PLATFORM, user) if user else "",
            addressed=not group or mentioned or quotes is not None or self._names.call(called_by),
            group=group,
            unreadable=unreadable,
        )
        if not await self._conversations.is_addressed(incoming):
            return None
        if unreadable:
            return {"kind": "message", "text": "", "unreadable": True}
        return {"kind": "message", "text": incoming.text, "quote_token": message.get("quoteToken", ""), "quotes": quotes or ""}

    async def _edited(
        self, event: Mapping[str, Any], source: Mapping[str, Any], conversation: str, *, group: bool
    ) -> dict[str, Any] | None:
        """A message that was changed: its new text is answered, unless the old one has been and there is no way to reply."""
        known = await self._inbox.run(self._inbox.of_message, PLATFORM, str(event["message"]["id"]))
        payload = await self._message(event, source, conversation, group=group)
        if payload is None:
            if known is not None and known.payload:
                await self._unsent(event, conversation)
            return None
        if not event.get("replyToken") and known is not None:
            if not known.payload:
                return None
            payload["reply_token"] = known.reply_token
        return payload

    async def _unsent(self, event: Mapping[str, Any], conversation: str) -> None:
        message_id = str((event.get("unsend") or {}).get("messageId") or event["message"]["id"])
        at = int(event["timestamp"]) / 1000
        await self._inbox.run(self._inbox.withdraw, PLATFORM, message_id, str(event["webhookEventId"]), conversation, at)

    # out

    async def run(self) -> None:
        """Answer what arrives until cancelled."""
        async with self._channel.opened():
            try:
                await self._channel.bot()
            except Unreadable:
                pass  # a look at the key, no more
            except Refused as refused:
                if refused.status in (401, 403):
                    log.error(
                        "LINE does not accept the channel access token: issue a new one and set YUI_LINE_CHANNEL_ACCESS_TOKEN."
                    )
                else:
                    log.warning("LINE does not answer at present; questions wait (status %d)", refused.status)
            try:
                await self._inbox.work(PLATFORM, self._deal)
            finally:
                await self._rides.stop()

    async def _deal(self, event: Event) -> None:
        fresh_until = event.received_at + FRESH
        group = bool(event.payload.get("group"))
        if group:
            address = str(event.payload.get("chat", ""))
            if await self._inbox.run(self._inbox.is_waiting, event):  # it may have been removed from the group since
                await self._inbox.run(self._yui.store.joined, PLATFORM, event.conversation, address, self._yui.clock())
        loading = None
        if not group and event.payload["kind"] == "message" and time.time() < fresh_until:
            loading = asyncio.create_task(self._channel.show_loading(str(event.payload["chat"])))
        try:
            reply = await self._reply(event)
        finally:
            if loading:
                loading.cancel()
        sent = Sent(Outcome.WITHDRAWN)
        if reply is None:
            await self._inbox.run(self._inbox.finish, event)
            self._rides.offer(event.conversation, event.reply_token)
        else:
            sent = await self._send(event, reply, fresh_until)
        if group:
            await self._look_whether_left(event.conversation)
        about = {"kind": event.payload["kind"], "act": reply.act.value if reply else "silent", "outcome": sent.outcome.value}
        log.info("event", extra={"platform": PLATFORM, **about, "attempt": event.attempts, "request": sent.request_id})

    async def _look_whether_left(self, conversation: str) -> None:
        """Removed from the group while a reply was worked out or written down: what that has left behind goes as well."""
        if not await self._inbox.run(self._yui.store.knows_group, conversation):
            await self._conversations.left(conversation)

    async def _reply(self, event: Event) -> Reply | None:
        try:
            return await self._replied(event)
        except Exception as error:
            log.error("a LINE message could not be answered: %s", type(error).__name__)
            return self._conversations.trouble()

    async def _replied(self, event: Event) -> Reply | None:
        payload, group = event.payload, bool(event.payload.get("group"))
        if payload["kind"] == "greeting":
            return self._conversations.greeting(group=group)
        text, quotes = str(payload.get("text", "")), str(payload.get("quotes", ""))
        press = ""
        if payload["kind"] == "postback":
            data = str(payload["data"])
            if _rates(event):
                kind, _, signed = data.partition(":")
                rater = event.sender or event.conversation
                return await self._conversations.thank_for_rating(signed, rater, helpful=f"{kind}:" == rendering.UP)
            if data.startswith(rendering.DO):
                press = data.removeprefix(rendering.DO)
            else:
                quotes, _, text = data.removeprefix(rendering.SAY).partition(":")
        message = IncomingMessage(
            conversation=event.conversation,
            text=text,
            sender=event.sender,
            group=group,
            platform=PLATFORM,
            quotes=quotes,
            unreadable=bool(payload.get("unreadable")),
            press=press,
            id=event.id,
            # Of groups it is known since the bot came in; of people it is kept only when they get a role.
            place=None if group else Place(event.conversation, str(payload.get("chat", "")), Shape.CHAT.value),
        )
        return await self._conversations.reply_to(message)

    async def _send(self, event: Event, reply: Reply, fresh_until: float) -> Sent:
        rendered = rendering.messages(reply, str(event.payload.get("quote_token", "")))
        late: list[Event] = []
        riders = Riders()
        if event.tried and time.time() >= fresh_until:
            # A process died while it was replying, and the token can no longer tell whether it had: rather not twice.
            sent = Sent(Outcome.UNCERTAIN)
        elif not event.reply_token or time.time() >= fresh_until:
            sent = Sent(Outcome.STALE)
        else:
            room = rendering.MOST_MESSAGES - len(rendered)
            late = await self._inbox.run(self._inbox.late_answers, PLATFORM, event.conversation, room)
            if not await self._inbox.run(self._inbox.trying, event, late):
                return Sent(Outcome.WITHDRAWN)

            async def still_wanted() -> bool:
                return await self._inbox.run(self._inbox.is_waiting, event)

            answers = rendering.together([message for e in late for message in e.late], rendered)
            room = rendering.MOST_MESSAGES - len(answers)
            riders = await self._rides.behind(event.conversation, event.reply_token, room, tried=event.tried)
            sent = await self._channel.reply(
                event.reply_token,
                rendering.behind(answers, riders.messages),
                fresh_until,
                perhaps_sent=event.tried or riders.tried,
                still_wanted=still_wanted,
            )
        await self._rides.settle(riders, sent)
        answered = replace(sent, message_ids=sent.message_ids[: len(sent.message_ids) - len(riders.messages)])
        await self._settle(event, reply, rendered, answered, late)
        return sent

    async def _settle(self, event: Event, reply: Reply, rendered: list[dict[str, Any]], sent: Sent, late: list[Event]) -> None:
        """Write down what became of a reply, all in one transaction."""
        shown, unshown = (late, []) if sent.outcome in (Outcome.SENT, Outcome.UNCERTAIN) else ([], late)
        kept = None
        if sent.outcome is Outcome.STALE and not _rates(event):
            self._yui.metrics.late(PLATFORM)
            quote = str(event.payload.get("quote_token", ""))
            kept = rendering.kept(reply, quote, note=event.payload["kind"] != "greeting")
        await self._inbox.run(lambda: self._inbox.finish(event, kept, shown=shown, unshown=unshown))
        mine = sent.message_ids[-len(rendered) :]
        if mine and (reply.answer_id or event.payload.get("group")):
            await self._inbox.run(self._yui.store.sent, PLATFORM, event.conversation, mine, reply.answer_id, self._yui.clock())


def _rates(event: Event) -> bool:
    """Whether it is a press of a button that rates an answer."""
    return event.payload["kind"] == "postback" and str(event.payload["data"]).startswith((rendering.UP, rendering.DOWN))
