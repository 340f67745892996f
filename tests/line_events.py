"""Webhook events as LINE sends them, with every field it sends."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from tests.line_platform import utf16
from tests.openapi import load

Json = dict[str, Any]

BOT = "U" + "b" * 32
GROUP = "C" + "c" * 32
ROOM = "R" + "d" * 32
USER = "U" + "a" * 32
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Common(TypedDict, total=False):
    """What every event may be given; left out, it is made up."""

    source: Json
    timestamp: int  # milliseconds
    event_id: str
    redelivery: bool
    standby: bool  # another module answers: no reply token


class Answerable(Common, total=False):
    """An event that can be replied to."""

    reply_token: str


# Who and where


def user(user_id: str = USER) -> Json:
    return {"type": "user", "userId": user_id}


def group(group_id: str = GROUP, user_id: str | None = USER) -> Json:
    """`user_id` None: somebody who has not agreed to be known."""
    return {"type": "group", "groupId": group_id, **_known(user_id)}


def room(room_id: str = ROOM, user_id: str | None = USER) -> Json:
    return {"type": "room", "roomId": room_id, **_known(user_id)}


def _known(user_id: str | None) -> Json:
    return {"userId": user_id} if user_id else {}


@dataclass(frozen=True)
class Mention:
    """Who the words in a text stand for; where they stand is found in the text."""

    words: str
    kind: str = "user"
    user_id: str | None = None
    is_self: bool = False


def mention_bot(words: str = "@結") -> Mention:
    return Mention(words, user_id=BOT, is_self=True)


def mention_person(words: str = "@田中", user_id: str | None = USER) -> Mention:
    return Mention(words, user_id=user_id)


def mention_all(words: str = "@All") -> Mention:
    return Mention(words, kind="all")


@dataclass(frozen=True)
class Emoji:
    """One of LINE's own emoji, which the text holds as words."""

    words: str = "(hello)"
    product_id: str = "5ac1bfd5040ab15980c9b435"
    emoji_id: str = "001"


# Messages


def text(
    said: str,
    *,
    mentions: Sequence[Mention] = (),
    emojis: Sequence[Emoji] = (),
    quoted: str | None = None,
    message_id: str | None = None,
    quote_token: str | None = None,
    **common: Unpack[Answerable],
) -> Json:
    """`quoted`: the id of the message this one answers. The default source is a group."""
    message = {"type": "text", **_message(message_id, quote_token), "text": said}
    if emojis:
        places = _places(said, [e.words for e in emojis])
        message["emojis"] = [p | {"productId": e.product_id, "emojiId": e.emoji_id} for p, e in zip(places, emojis, strict=True)]
    if mentions:
        mentionees = []
        for place, mention in zip(_places(said, [m.words for m in mentions]), mentions, strict=True):
            one = {**place, "type": mention.kind, **_known(mention.user_id)}
            mentionees.append(one if mention.kind == "all" else one | {"isSelf": mention.is_self})
        message["mention"] = {"mentionees": mentionees}
    if quoted:
        message["quotedMessageId"] = quoted
    return _message_event(message, common)


def sticker(
    *,
    package_id: str = "446",
    sticker_id: str = "1988",
    keywords: Sequence[str] = ("Hello",),
    quoted: str | None = None,
    message_id: str | None = None,
    **common: Unpack[Answerable],
) -> Json:
    message = {
        "type": "sticker",
        **_message(message_id),
        "packageId": package_id,
        "stickerId": sticker_id,
        "stickerResourceType": "ANIMATION",
        "keywords": list(keywords),
    }
    return _message_event(message | ({"quotedMessageId": quoted} if quoted else {}), common)


def image(*, message_id: str | None = None, image_set: tuple[str, int, int] | None = None, **common: Unpack[Answerable]) -> Json:
    """`image_set`: id, which one, of how many, where several were sent at once."""
    message = {"type": "image", **_message(message_id), "contentProvider": {"type": "line"}}
    if image_set:
        message["imageSet"] = dict(zip(("id", "index", "total"), image_set, strict=True))
    return _message_event(message, common)


def video(*, message_id: str | None = None, duration: int = 60_000, **common: Unpack[Answerable]) -> Json:
    message = {"type": "video", **_message(message_id), "duration": duration, "contentProvider": {"type": "line"}}
    return _message_event(message, common)


def audio(*, message_id: str | None = None, duration: int = 60_000, **common: Unpack[Answerable]) -> Json:
    message = {"type": "audio", **_message(message_id, quotable=False), "duration": duration, "contentProvider": {"type": "line"}}
    return _message_event(message, common)


def file(*, name: str = "定款案.pdf", size: int = 21_340, message_id: str | None = None, **common: Unpack[Answerable]) -> Json:
    return _message_event({"type": "file", **_message(message_id, quotable=False), "fileName": name, "fileSize": size}, common)


def location(
    *, title: str = "事務所", address: str = "東京都豊島区東池袋", message_id: str | None = None, **common: Unpack[Answerable]
) -> Json:
    place = {"title": title, "address": address, "latitude": 35.7295, "longitude": 139.7193}
    return _message_event({"type": "location", **_message(message_id, quotable=False), **place}, common)


def unknown_message(kind: str = "hologram", **common: Unpack[Answerable]) -> Json:
    """A kind of message that does not exist yet."""
    return _message_event({"type": kind, **_message(None), "depth": 3}, common)


def edited(
    said: str, *, message_id: str, mentions: Sequence[Mention] = (), quote_token: str | None = None, **common: Unpack[Answerable]
) -> Json:
    """A text somebody changed. Only in groups; a reply token comes along at times, so it is given here or left out."""
    event = text(said, mentions=mentions, message_id=message_id, quote_token=quote_token, **common)
    event["type"] = "messageEdited"
    if "reply_token" not in common:
        event.pop("replyToken", None)
    return event


# Other events


def join(**common: Unpack[Answerable]) -> Json:
    return _event("join", group(user_id=None), {}, common)


def leave(**common: Unpack[Common]) -> Json:
    return _event("leave", group(user_id=None), {}, common, answerable=False)


def member_joined(*user_ids: str, **common: Unpack[Answerable]) -> Json:
    return _event("memberJoined", group(user_id=None), {"joined": {"members": [user(u) for u in user_ids or (USER,)]}}, common)


def member_left(*user_ids: str, **common: Unpack[Common]) -> Json:
    fields = {"left": {"members": [user(u) for u in user_ids or (USER,)]}}
    return _event("memberLeft", group(user_id=None), fields, common, answerable=False)


def follow(*, unblocked: bool = False, **common: Unpack[Answerable]) -> Json:
    return _event("follow", user(), {"follow": {"isUnblocked": unblocked}}, common)


def unfollow(**common: Unpack[Common]) -> Json:
    return _event("unfollow", user(), {}, common, answerable=False)


def unsend(message_id: str, **common: Unpack[Common]) -> Json:
    return _event("unsend", group(), {"unsend": {"messageId": message_id}}, common, answerable=False)


def postback(data: str, *, params: dict[str, str] | None = None, **common: Unpack[Answerable]) -> Json:
    return _event("postback", group(), {"postback": {"data": data, **({"params": params} if params else {})}}, common)


def account_link(*, ok: bool = True, nonce: str = "bm9uY2UtZm9yLXRlc3Rz", **common: Unpack[Answerable]) -> Json:
    """A failed one has no reply token, and says nothing of who it was."""
    event = _event("accountLink", user(), {"link": {"result": "ok" if ok else "failed", "nonce": nonce}}, common, answerable=ok)
    if not ok and "source" not in common:
        del event["source"]
    return event


def unknown_event(kind: str = "reaction", **common: Unpack[Answerable]) -> Json:
    """A kind of event that does not exist yet."""
    return _event(kind, group(), {kind: {"how": "unheard of"}}, common)


def redelivered(event: Json) -> Json:
    """The same event once more, as LINE repeats it: the same id, time and reply token."""
    return {**event, "deliveryContext": {"isRedelivery": True}}


# Requests


def body(events: Sequence[Json] = (), destination: str = BOT) -> bytes:
    """The request body. Without events it is what the console's Verify button sends."""
    return json.dumps({"destination": destination, "events": list(events)}, ensure_ascii=False, separators=(",", ":")).encode()


def signed(raw: bytes, secret: str) -> dict[str, str]:
    """The headers LINE sends with a body."""
    signature = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    return {"content-type": "application/json; charset=utf-8", "user-agent": "LineBotWebhook/2.0", "x-line-signature": signature}


def violations(event: Json) -> list[str]:
    """What in an event disagrees with LINE's description. Where that is not at hand, nothing is: ask `described()`."""
    return _violations("Event", event)


def body_violations(raw: bytes) -> list[str]:
    """The same for a whole request body."""
    whole = json.loads(raw)
    found = _violations("CallbackRequest", whole | {"events": []})
    return found + [f"events[{i}] {v}" for i, event in enumerate(whole["events"]) for v in violations(event)]


def described() -> bool:
    return load("webhook.yml") is not None


def _violations(schema: str, value: Json) -> list[str]:
    api = load("webhook.yml")
    if schema == "Event" and value.get("type") == "messageEdited":  # newer than the description, and otherwise a message event
        value = value | {"type": "message"}
    return [str(v) for v in api.violations(schema, value)] if api else []


# Their parts


def _event(kind: str, source: Json, fields: Json, common: Any, *, answerable: bool = True) -> Json:
    standby = common.get("standby", False)
    token = {"replyToken": common.get("reply_token") or secrets.token_hex(16)} if answerable and not standby else {}
    at = common.get("timestamp") or int(time.time() * 1000)
    return {
        "type": kind,
        **fields,
        "webhookEventId": common.get("event_id") or _ulid(at),
        "deliveryContext": {"isRedelivery": common.get("redelivery", False)},
        "timestamp": at,
        "source": common.get("source") or source,
        **token,
        "mode": "standby" if standby else "active",
    }


def _message_event(message: Json, common: Any) -> Json:
    return _event("message", group(), {"message": message}, common)


def _message(message_id: str | None, quote_token: str | None = None, *, quotable: bool = True) -> Json:
    quote = {"quoteToken": quote_token or secrets.token_urlsafe(60)} if quotable else {}
    return {"id": message_id or "5" + f"{secrets.randbelow(10**17):017}", **quote, "markAsReadToken": secrets.token_urlsafe(40)}


def _places(said: str, words: Sequence[str]) -> list[Json]:
    """Where the words stand, in UTF-16 units, each after the one before."""
    places, start = [], 0
    for one in words:
        start = said.index(one, start)
        places.append({"index": utf16(said[:start]), "length": utf16(one)})
        start += len(one)
    return places


def _ulid(milliseconds: int) -> str:
    number = milliseconds << 80 | secrets.randbits(80)
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
