"""The stand-in of LINE accepts what LINE accepts and refuses what LINE refuses; events are as LINE describes them."""

from __future__ import annotations

import asyncio
import copy
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import httpx
import pytest
from linebot.v3 import WebhookParser, messaging
from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.messaging import (
    ApiException,
    AsyncApiClient,
    AsyncMessagingApi,
    AsyncMessagingApiBlob,
    BroadcastRequest,
    Configuration,
    FlexContainer,
    FlexMessage,
    Message,
    MessageAction,
    MulticastRequest,
    NarrowcastRequest,
    PostbackAction,
    PushMessageRequest,
    QuickReply,
    QuickReplyItem,
    ReplyMessageRequest,
    SetWebhookEndpointRequest,
    ShowLoadingAnimationRequest,
    TextMessage,
    TextMessageV2,
    URIAction,
    ValidateMessageRequest,
)

from tests import line_events as events
from tests import openapi
from tests.line_platform import MONTHLY, LinePlatform, graphemes, utf16

Json = dict[str, Any]
T = TypeVar("T")
PAYLOADS = sorted((Path(__file__).parent / "adapters" / "payloads").glob("line_*.json"))
SECONDS = 5
KEY = "123e4567-e89b-12d3-a456-426614174000"

needs_description = pytest.mark.skipif(openapi.find("messaging-api.yml") is None, reason="LINE's messaging-api.yml is not at hand")
needs_events = pytest.mark.skipif(not events.described(), reason="LINE's webhook.yml is not at hand")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK would send even loopback calls through a developer's proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def line() -> Iterator[LinePlatform]:
    with LinePlatform() as platform:
        yield platform


def ask(line: LinePlatform, question: Callable[[AsyncMessagingApi], Awaitable[T]], *, token: str | None = None) -> T:
    async def run() -> T:
        async with AsyncApiClient(Configuration(access_token=token or line.access_token, host=line.base)) as client:
            return await question(AsyncMessagingApi(client))

    return asyncio.run(run())


def reply(line: LinePlatform, token: str, *messages: Message, seconds: float = SECONDS) -> Any:
    request = ReplyMessageRequest(replyToken=token, messages=list(messages))
    return ask(line, lambda api: api.reply_message(request, _request_timeout=seconds))


def push(line: LinePlatform, to: str, *messages: Message, key: str | None = None, seconds: float = SECONDS) -> Any:
    request = PushMessageRequest(to=to, messages=list(messages) or [TextMessage(text="お知らせ")])
    return ask(line, lambda api: api.push_message(request, x_line_retry_key=key, _request_timeout=seconds))


def refused(do: Callable[[], object]) -> ApiException:
    with pytest.raises(ApiException) as caught:
        do()
    return caught.value


def post(line: LinePlatform, path: str, body: object, **headers: str) -> httpx.Response:
    return httpx.post(
        line.base + path,
        content=json.dumps(body),
        headers={"content-type": "application/json", "authorization": f"Bearer {line.access_token}", **headers},
        trust_env=False,
    )


# What is accepted


def test_everything_a_bot_says_arrives(line: LinePlatform) -> None:
    group = line.new_group()
    token = line.new_reply_token(group)
    assert re.fullmatch("[0-9a-f]{32}", token)
    card = FlexContainer.from_dict(
        {
            "type": "carousel",
            "contents": [
                {
                    "type": "bubble",
                    "body": {
                        "type": "box",
                        "layout": "vertical",
                        "contents": [
                            {"type": "text", "text": "第22条", "weight": "bold", "color": "#1A5B3C", "wrap": True},
                            {
                                "type": "box",
                                "layout": "baseline",
                                "contents": [{"type": "text", "contents": [{"type": "span", "text": "発起人"}]}],
                            },
                            {"type": "separator"},
                        ],
                    },
                    "footer": {
                        "type": "box",
                        "layout": "horizontal",
                        "contents": [
                            {"type": "button", "action": {"type": "uri", "label": "条文", "uri": "https://example.com/22"}}
                        ],
                    },
                }
            ],
        }
    )
    quick = QuickReply(
        items=[
            QuickReplyItem(action=MessageAction(label="もっと", text="もっと")),
            QuickReplyItem(action=PostbackAction(label="役に立った", data="useful=1", displayText="役に立った")),
            QuickReplyItem(action=URIAction(label="全文", uri="https://example.com")),
        ]
    )
    mention = {"who": {"type": "mention", "mentionee": {"type": "user", "userId": line.new_user()}}}
    answer = reply(
        line,
        token,
        TextMessage(text="3人です", quoteToken=line.new_quote_token(group)),
        TextMessageV2.from_dict({"type": "textV2", "text": "{who} さん {{}}", "substitution": mention}),
        FlexMessage(altText="第22条", contents=card, quickReply=quick),
    )
    [sent] = line.replies
    assert (sent.reply_token, sent.conversation_id, sent.people) == (token, group, 0)
    assert sent.texts == ["3人です", "{who} さん {{}}", "第22条"]
    assert [m.id for m in answer.sent_messages] == list(sent.ids)
    assert sent.messages[2]["quickReply"]["items"][1]["action"]["displayText"] == "役に立った"
    assert line.charged == 0
    assert line.violations == []
    [call] = line.calls
    assert (call.method, call.path, call.status) == ("POST", "/v2/bot/message/reply", 200)
    assert call.body["replyToken"] == token
    assert call.headers["authorization"] == f"Bearer {line.access_token}"
    assert abs(call.at - time.time()) < 60


def test_what_was_sent_can_be_quoted_in_its_own_chat_only(line: LinePlatform) -> None:
    here, there = line.new_group(), line.new_group()
    [said] = push(line, here).sent_messages
    quoting = TextMessage(text="これです", quoteToken=said.quote_token)
    push(line, here, quoting)
    assert line.violations == []
    for wrong in (lambda: push(line, there, quoting), lambda: reply(line, line.new_reply_token(there), quoting)):
        error = refused(wrong)
        assert error.status == 400
        assert json.loads(error.body)["details"][0]["property"] == "messages[0].quoteToken"
    assert refused(lambda: push(line, here, TextMessage(text="?", quoteToken="made-up"))).status == 400
    assert len(line.violations) == 3
    assert len(line.pushes) == 2


# Reply tokens


def test_a_reply_token_works_once_and_for_a_minute(line: LinePlatform) -> None:
    group = line.new_group()
    used, old, young = (line.new_reply_token(group) for _ in range(3))
    reply(line, used, TextMessage(text="1"))
    line.token_age[old] = 61
    line.token_age[young] = 50
    for token in (used, old, "0" * 32):
        error = refused(lambda token=token: reply(line, token, TextMessage(text="2")))
        assert (error.status, json.loads(error.body)) == (400, {"message": "Invalid reply token"})
    reply(line, young, TextMessage(text="3"))
    assert [s.texts for s in line.replies] == [["1"], ["3"]]
    assert line.violations == []  # time ran out; nothing was wrong with the request


def test_redelivery_gives_a_token_another_minute_for_twenty_minutes(line: LinePlatform) -> None:
    group = line.new_group()
    late, too_late = line.new_reply_token(group), line.new_reply_token(group)
    line.token_age[late] = 300
    line.redeliver(late)
    reply(line, late, TextMessage(text="遅れました"))
    line.token_age[too_late] = 20 * 60
    line.redeliver(too_late)
    assert refused(lambda: reply(line, too_late, TextMessage(text="?"))).status == 400


def test_a_refused_body_does_not_use_up_the_token(line: LinePlatform) -> None:
    token = line.new_reply_token(line.new_group())
    assert refused(lambda: reply(line, token, TextMessage(text="あ" * 5001))).status == 400
    reply(line, token, TextMessage(text="あ" * 5000))


def test_a_reply_takes_no_retry_key(line: LinePlatform) -> None:
    token = line.new_reply_token(line.new_group())
    body = {"replyToken": token, "messages": [{"type": "text", "text": "a"}]}
    assert post(line, "/v2/bot/message/reply", body, **{"x-line-retry-key": KEY}).status_code == 400
    assert line.violations
    assert post(line, "/v2/bot/message/reply", body).status_code == 200


# Retry keys and the month's quota


def test_a_retry_key_is_accepted_and_charged_once(line: LinePlatform) -> None:
    group = line.new_group(count=5)
    line.fail("message/push", 500, after_accepting=True)
    line.fail("message/push", 503)
    assert refused(lambda: push(line, group, key=KEY)).status == 500
    assert refused(lambda: push(line, group, key=KEY)).status == 503
    error = refused(lambda: push(line, group, key=KEY.upper()))
    assert error.status == 409
    assert error.headers["x-line-accepted-request-id"] not in ("", error.headers["x-line-request-id"])
    assert json.loads(error.body)["sentMessages"][0]["id"] == line.pushes[0].ids[0]
    assert (len(line.pushes), line.charged, line.pushes[0].retry_key) == (1, 5, KEY)
    push(line, group, key=KEY.replace("1", "2"))
    assert line.charged == 10


def test_an_error_before_acceptance_leaves_the_retry_key_free(line: LinePlatform) -> None:
    group = line.new_group()
    line.fail("message/push", 500)
    assert refused(lambda: push(line, group, key=KEY)).status == 500
    assert line.pushes == []
    push(line, group, key=KEY)
    assert len(line.pushes) == 1


@pytest.mark.parametrize("key", ["again", "123e4567e89b12d3a456426614174000", "{" + KEY + "}"])
def test_a_retry_key_is_a_uuid(line: LinePlatform, key: str) -> None:
    assert refused(lambda: push(line, line.new_group(), key=key)).status == 400
    assert line.violations


def test_people_are_charged_not_messages(line: LinePlatform) -> None:
    one, other, gone = line.new_user(), line.new_user(), line.new_user()
    line.blocked.add(gone)
    group = line.new_group(count=30)
    three = [TextMessage(text=t) for t in "abc"]
    push(line, group, *three)
    push(line, one, *three)
    push(line, gone)
    ask(line, lambda api: api.multicast(MulticastRequest(to=[one, other, gone], messages=three)))
    ask(line, lambda api: api.broadcast(BroadcastRequest(messages=three)))
    answer = ask(line, lambda api: api.narrowcast_with_http_info(NarrowcastRequest(messages=three)))
    assert answer.status_code == 202
    assert [(p.kind, p.people) for p in line.pushes] == [
        ("push", 30),
        ("push", 1),
        ("push", 0),
        ("multicast", 2),
        ("broadcast", 2),
        ("narrowcast", 0),
    ]
    assert line.charged == 35
    assert ask(line, lambda api: api.get_message_quota()).value == 200
    assert ask(line, lambda api: api.get_message_quota_consumption()).total_usage == 35
    assert line.violations == []


def test_the_month_ends_with_429(line: LinePlatform) -> None:
    group = line.new_group(count=5)
    line.quota, line.used_before = 200, 196
    error = refused(lambda: push(line, group))
    assert (error.status, json.loads(error.body)["message"]) == (429, MONTHLY)
    assert (line.pushes, line.charged) == ([], 196)
    reply(line, line.new_reply_token(group), TextMessage(text="返事は無料"))
    line.used_before = 195
    push(line, group)
    assert line.charged == 200
    assert refused(lambda: push(line, group)).status == 429
    line.quota = None
    push(line, group)
    assert ask(line, lambda api: api.get_message_quota()).type == "none"


def test_nothing_reaches_a_group_the_bot_has_left(line: LinePlatform) -> None:
    group = line.new_group()
    ask(line, lambda api: api.leave_group(group))
    assert refused(lambda: push(line, group)).status == 400
    line.absent_status = 404
    assert refused(lambda: push(line, group)).status == 404
    assert refused(lambda: ask(line, lambda api: api.get_group_summary(group))).status == 404
    assert refused(lambda: push(line, "U" + "9" * 32)).status == 404
    assert line.charged == 0
    assert line.violations == []
    line.absent_status = 400
    assert refused(lambda: push(line, "田中さん")).status == 400
    assert line.violations


@pytest.mark.parametrize("to", [[], ["U" + f"{i:032x}" for i in range(501)], ["C" + "a" * 32]], ids=["none", "501", "a group"])
def test_multicast_is_for_five_hundred_people(line: LinePlatform, to: list[str]) -> None:
    body = {"to": to, "messages": [{"type": "text", "text": "a"}]}
    assert post(line, "/v2/bot/message/multicast", body).status_code == 400
    assert line.violations


# Everything else on the platform


def test_loading_is_for_one_to_one_chats(line: LinePlatform) -> None:
    def load(chat_id: str, seconds: int = 20) -> Any:
        request = ShowLoadingAnimationRequest.construct(chat_id=chat_id, loading_seconds=seconds)
        return ask(line, lambda api: api.show_loading_animation_with_http_info(request))

    assert load(events.USER, 60).status_code == 202
    assert line.violations == []
    for wrong in (lambda: load(events.GROUP), lambda: load(events.USER, 12), lambda: load(events.USER, 65)):
        assert refused(wrong).status == 400
    assert len(line.violations) == 3


def test_groups_rooms_and_people(line: LinePlatform) -> None:
    ann = line.new_user("安")
    group = line.new_group("清掃事業部", count=12, members={ann: "安さん"})
    room = "R" + "1" * 32
    line.rooms[room] = copy.deepcopy(line.groups[group])
    assert ask(line, lambda api: api.get_group_summary(group)).group_name == "清掃事業部"
    assert ask(line, lambda api: api.get_group_member_count(group)).count == 12
    assert ask(line, lambda api: api.get_group_member_profile(group, ann)).display_name == "安さん"
    assert ask(line, lambda api: api.get_room_member_count(room)).count == 12
    assert ask(line, lambda api: api.get_room_member_profile(room, ann)).display_name == "安さん"
    assert ask(line, lambda api: api.get_profile(ann)).display_name == "安"
    push(line, room)
    assert line.charged == 12
    ask(line, lambda api: api.leave_room(room))
    stranger = events.USER
    for wrong in (
        lambda: ask(line, lambda api: api.get_profile(stranger)),
        lambda: ask(line, lambda api: api.get_group_member_profile(group, stranger)),
        lambda: ask(line, lambda api: api.get_room_member_count(room)),
    ):
        assert refused(wrong).status == 404
    line.blocked.add(ann)
    assert refused(lambda: ask(line, lambda api: api.get_profile(ann))).status == 404
    assert refused(lambda: ask(line, lambda api: api.get_group_members_ids(group))).status == 403
    assert refused(lambda: ask(line, lambda api: api.get_followers())).status == 403


def test_the_account_and_its_webhook(line: LinePlatform) -> None:
    assert ask(line, lambda api: api.get_bot_info()).user_id == line.info["userId"] == events.BOT
    assert ask(line, lambda api: api.get_webhook_endpoint()).active
    new = "https://yui.example.com/line"
    ask(line, lambda api: api.set_webhook_endpoint(SetWebhookEndpointRequest(endpoint=new)))
    assert ask(line, lambda api: api.get_webhook_endpoint()).endpoint == new
    line.webhook_test |= {"success": False, "statusCode": 0, "reason": "COULD_NOT_CONNECT"}
    assert not ask(line, lambda api: api.test_webhook_endpoint(messaging.TestWebhookEndpointRequest(endpoint=new))).success
    assert ask(line, lambda api: api.test_webhook_endpoint()).reason == "COULD_NOT_CONNECT"
    line.webhook_endpoint = None
    assert refused(lambda: ask(line, lambda api: api.get_webhook_endpoint())).status == 404
    assert line.violations == []


def test_what_people_sent_can_be_fetched(line: LinePlatform) -> None:
    async def fetch(message_id: str) -> Any:
        async with AsyncApiClient(Configuration(access_token=line.access_token, host=line.base)) as client:
            return await AsyncMessagingApiBlob(client).get_message_content_with_http_info(message_id)

    line.contents = {"1": ("image/jpeg", b"\xff\xd8picture"), "2": 202, "3": 410}
    assert bytes(asyncio.run(fetch("1")).data) == b"\xff\xd8picture"
    assert asyncio.run(fetch("2")).status_code == 202
    assert refused(lambda: asyncio.run(fetch("3"))).status == 410
    assert refused(lambda: asyncio.run(fetch("4"))).status == 404


def test_a_wrong_token_an_unknown_path_and_an_unreadable_body(line: LinePlatform) -> None:
    for wrong in ("another", "channel-token "):
        error = refused(lambda wrong=wrong: ask(line, lambda api: api.get_bot_info(), token=wrong + "x"))
        assert error.status == 401
        assert json.loads(error.body)["message"]
        assert error.headers["x-line-request-id"]
    allowed = {"authorization": f"Bearer {line.access_token}"}
    path = line.base + "/v2/bot/message/push"
    with httpx.Client(headers=allowed, trust_env=False) as client:
        assert client.get(line.base + "/v2/bot/nothing").json() == {"message": "Not found"}
        assert client.get(path).status_code == 404
        assert client.get(line.base + "/").status_code == 404
        json_type = {"content-type": "application/json"}
        assert client.post(path, content=b"{", headers=json_type).status_code == 400
        assert client.post(path, content=b"[]", headers=json_type).status_code == 400
        assert client.post(path, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
        assert client.post(path, content=b" " * (2 * 1024 * 1024 + 1), headers=json_type).status_code == 413
        assert all(c.status >= 400 for c in line.calls)
    assert httpx.get(line.base + "/v2/bot/info", trust_env=False).status_code == 401


def test_validating_sends_nothing(line: LinePlatform) -> None:
    good, bad = (ValidateMessageRequest(messages=[TextMessage(text="あ" * n)]) for n in (5000, 5001))
    ask(line, lambda api: api.validate_reply(good))
    ask(line, lambda api: api.validate_push(good))
    ask(line, lambda api: api.validate_multicast(good))
    ask(line, lambda api: api.validate_narrowcast(good))
    ask(line, lambda api: api.validate_broadcast(good))
    assert refused(lambda: ask(line, lambda api: api.validate_push(bad))).status == 400
    assert (line.replies, line.pushes, line.violations) == ([], [], [])


# Trouble on request


def test_errors_with_their_own_body_and_headers(line: LinePlatform) -> None:
    group = line.new_group()
    line.fail("message/push", 429, times=2, body={"message": "The API rate limit has been exceeded."}, headers={"retry-after": "3"})
    line.fail("group/", 502, body="<html>Bad gateway</html>")
    for _ in range(2):
        error = refused(lambda: push(line, group))
        assert (error.status, error.headers["retry-after"]) == (429, "3")
        assert "rate limit" in error.body
    push(line, group)
    assert refused(lambda: ask(line, lambda api: api.get_group_summary(group))).body.startswith("<html>")
    assert [c.status for c in line.calls] == [429, 429, 200, 502]


@pytest.mark.parametrize("after_accepting", [False, True])
def test_a_hanging_answer(line: LinePlatform, *, after_accepting: bool) -> None:
    group = line.new_group()
    line.hang("message/push", 0.4, after_accepting=after_accepting)
    with pytest.raises(TimeoutError):
        push(line, group, key=KEY, seconds=0.1)
    line.wait_for(lambda: line.calls[0].status == 499)
    assert len(line.pushes) == int(after_accepting)
    if after_accepting:
        assert refused(lambda: push(line, group, key=KEY)).status == 409
    else:
        push(line, group, key=KEY)
    assert len(line.pushes) == 1


def test_a_slow_answer_to_a_patient_caller_is_right(line: LinePlatform) -> None:
    line.hang("message/push", 0.2)
    started = time.monotonic()
    push(line, line.new_group())
    assert time.monotonic() - started >= 0.2
    assert len(line.pushes) == 1


@pytest.mark.parametrize("after_accepting", [False, True])
def test_a_broken_connection(line: LinePlatform, *, after_accepting: bool) -> None:
    line.drop("message/reply", after_accepting=after_accepting)
    token = line.new_reply_token(line.new_group())
    with pytest.raises(aiohttp.ClientError):
        reply(line, token, TextMessage(text="a"))
    assert len(line.replies) == int(after_accepting)


def test_the_end_does_not_wait_for_a_hanging_answer() -> None:
    started = time.monotonic()
    with LinePlatform() as line:
        line.hang("message/push", 60)
        with pytest.raises(TimeoutError):
            push(line, line.new_group(), seconds=0.1)
    assert time.monotonic() - started < 10


def test_waiting(line: LinePlatform) -> None:
    async def both() -> Any:
        asyncio.get_running_loop().call_later(0.05, lambda: line.violations.append("seen"))
        return await line.wait_for_async(lambda: line.violations)

    assert line.wait_for(lambda: 7) == 7
    assert asyncio.run(both()) == ["seen"]
    with pytest.raises(AssertionError, match="no calls"):
        line.wait_for(lambda: False, timeout=0.05)
    with pytest.raises(AssertionError, match="no calls"):
        asyncio.run(line.wait_for_async(lambda: False, timeout=0.05))


# The limits: what is just allowed, what is just too much, and where LINE would point

EMOJI, FAMILY = "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def said(**more: Any) -> Json:
    return {"type": "text", "text": "はい", **more}


def quick(*actions: Json, **more: Any) -> Json:
    return said(quickReply={"items": [{"type": "action", "action": a, **more} for a in actions]})


def act(kind: str = "message", **more: Any) -> Json:
    needed = {
        "message": {"text": "a"},
        "uri": {"uri": "https://a.jp"},
        "postback": {"data": "a"},
        "datetimepicker": {"data": "a", "mode": "date"},
    }
    return {"type": kind, "label": "a", **needed.get(kind, {}), **more}


def template(kind: str, **more: Any) -> Json:
    return {"type": "template", "altText": "a", "template": {"type": kind, **more}}


def carousel(*columns: int, text: int = 120, **more: Any) -> Json:
    return template("carousel", columns=[{"text": "a" * text, "actions": [act()] * n, **more} for n in columns])


def flex(*contents: Json, layout: str = "vertical", **bubble: Any) -> Json:
    box = {"type": "box", "layout": layout, "contents": list(contents)}
    return {"type": "flex", "altText": "a", "contents": {"type": "bubble", "body": box, **bubble}}


def bubbles(n: int, size: int = 10, last: str = "mega") -> Json:
    each = [flex({"type": "text", "text": "a" * size}, size="mega")["contents"] for _ in range(n)]
    return {"type": "flex", "altText": "a", "contents": {"type": "carousel", "contents": [*each[:-1], {**each[-1], "size": last}]}}


def v2(mentions: int, text: str = "") -> Json:
    names = [f"m{i}" for i in range(mentions)]
    people = {n: {"type": "mention", "mentionee": {"type": "all"}} for n in names}
    return {"type": "textV2", "text": text or "".join(f"{{{n}}}" for n in names), "substitution": people}


def picture(start: str) -> Json:
    return {"type": "image", "originalContentUrl": start + "//a.jp/1.png", "previewImageUrl": "https://a.jp/1.png"}


def sticker(n: int) -> Json:
    return {"type": "text", "text": "$" * 20, "emojis": [{"index": i % 20, "productId": "5a", "emojiId": "001"} for i in range(n)]}


URL, ITEM, BODY = "https://a.jp/", "quickReply.items", "contents.body.contents[0]"
PLACE = {"type": "location", "title": "a", "address": "b", "latitude": 35.7, "longitude": 139.7}
LIMITS: dict[str, tuple[Json, Json, str]] = {
    "text": (said(text="あ" * 5000), said(text="あ" * 5001), "text"),
    "text in UTF-16": (said(text=EMOJI * 2500), said(text=EMOJI * 2500 + "a"), "text"),
    "empty text": (said(text=" "), said(text=""), "text"),
    "textV2": (v2(0, "a" * 5000), v2(0, "a" * 5001), "text"),
    "20 mentions": (v2(20), v2(21), "substitution"),
    "placeholder": (v2(1), v2(1, "{m0}{m1}"), "text"),
    "20 emoji": (sticker(20), sticker(21), "emojis"),
    "emoji place": (sticker(1), {**sticker(1), "text": "a$"}, "emojis[0].index"),
    "altText": ({**flex(), "altText": "あ" * 1500}, {**flex(), "altText": "あ" * 1501}, "altText"),
    "no altText": (flex(), {**flex(), "altText": ""}, "altText"),
    "13 quick replies": (quick(*[act()] * 13), quick(*[act()] * 14), ITEM),
    "quick reply label": (quick(act(label=FAMILY * 20)), quick(act(label="あ" * 21)), f"{ITEM}[0].action.label"),
    "quick reply kind": (quick(act()), quick(act(), type="button"), f"{ITEM}[0].type"),
    "quick reply icon": (quick(act(), imageUrl=URL), quick(act(), imageUrl="http://a.jp"), f"{ITEM}[0].imageUrl"),
    "message action": (quick(act(text="が" * 300)), quick(act(text="が" * 301)), f"{ITEM}[0].action.text"),
    "postback data": (quick(act("postback", data="a" * 300)), quick(act("postback", data="a" * 301)), f"{ITEM}[0].action.data"),
    "displayText": (
        quick(act("postback", displayText=FAMILY * 300)),
        quick(act("postback", displayText=FAMILY * 301)),
        f"{ITEM}[0].action.displayText",
    ),
    "uri length": (
        quick(act("uri", uri=URL.ljust(1000, "a"))),
        quick(act("uri", uri=URL.ljust(1001, "a"))),
        f"{ITEM}[0].action.uri",
    ),
    "uri scheme": (quick(act("uri", uri="tel:0312345678")), quick(act("uri", uri="ftp://a.jp")), f"{ITEM}[0].action.uri"),
    "date picker": (quick(act("datetimepicker")), quick(act("datetimepicker", mode="year")), f"{ITEM}[0].action.mode"),
    "camera": (quick(act("camera")), template("confirm", text="a", actions=[act("camera"), act()]), "template.actions[0].type"),
    "menu switch": (quick(act("location")), quick(act("richmenuswitch", richMenuAliasId="a", data="a")), f"{ITEM}[0].action.type"),
    "buttons": (
        template("buttons", text="a", actions=[act()] * 4),
        template("buttons", text="a", actions=[act()] * 5),
        "template.actions",
    ),
    "buttons text": (
        template("buttons", text="a" * 160, actions=[act()]),
        template("buttons", text="a" * 161, actions=[act()]),
        "template.text",
    ),
    "buttons with title": (
        template("buttons", title="a" * 40, text="a" * 60, actions=[act()]),
        template("buttons", title="a", text="a" * 61, actions=[act()]),
        "template.text",
    ),
    "title": (
        template("buttons", title="a" * 40, text="a", actions=[act()]),
        template("buttons", title="a" * 41, text="a", actions=[act()]),
        "template.title",
    ),
    "template label": (
        template("buttons", text="a", actions=[act(label="a" * 20)]),
        template("buttons", text="a", actions=[act(label="a" * 21)]),
        "template.actions[0].label",
    ),
    "confirm": (
        template("confirm", text="a", actions=[act()] * 2),
        template("confirm", text="a", actions=[act()]),
        "template.actions",
    ),
    "confirm text": (
        template("confirm", text="a" * 240, actions=[act()] * 2),
        template("confirm", text="a" * 241, actions=[act()] * 2),
        "template.text",
    ),
    "10 columns": (carousel(*[1] * 10), carousel(*[1] * 11), "template.columns"),
    "3 actions": (carousel(3), carousel(4), "template.columns[0].actions"),
    "even columns": (carousel(2, 2), carousel(2, 1), "template.columns"),
    "column text": (carousel(1), carousel(1, text=121), "template.columns[0].text"),
    "column with image": (
        carousel(1, text=60, thumbnailImageUrl=URL),
        carousel(1, text=61, thumbnailImageUrl=URL),
        "template.columns[0].text",
    ),
    "flex button": (
        flex({"type": "button", "action": act(label="a" * 40)}),
        flex({"type": "button", "action": act(label="a" * 41)}),
        f"{BODY}.action.label",
    ),
    "tap": (
        flex({"type": "box", "layout": "vertical", "contents": [], "action": {"type": "message", "text": "a"}}),
        flex({"type": "button", "action": {"type": "message", "text": "a"}}),
        f"{BODY}.action.label",
    ),
    "bubble size": (flex({"type": "text", "text": "a" * 29_800}), flex({"type": "text", "text": "あ" * 10_000}), "contents"),
    "carousel size": (bubbles(4, 12_000), bubbles(5, 10_000), "contents"),
    "12 bubbles": (bubbles(12), bubbles(13), "contents.contents"),
    "one bubble size": (bubbles(2), bubbles(2, last="kilo"), "contents.contents"),
    "no bubbles": (bubbles(1), {**bubbles(1), "contents": {"type": "carousel", "contents": []}}, "contents.contents"),
    "empty bubble": (flex(), {"type": "flex", "altText": "a", "contents": {"type": "bubble"}}, "contents"),
    "flex text": (flex({"type": "text", "text": "a"}), flex({"type": "text", "text": ""}), f"{BODY}.text"),
    "baseline": (
        flex({"type": "text", "text": "a"}, layout="baseline"),
        flex({"type": "separator"}, layout="baseline"),
        f"{BODY}.type",
    ),
    "colour": (flex({"type": "separator", "color": "#1A5B3CFF"}), flex({"type": "separator", "color": "green"}), f"{BODY}.color"),
    "flex image": (flex({"type": "image", "url": URL}), flex({"type": "image", "url": "http://a.jp"}), f"{BODY}.url"),
    "image": (picture("https:"), picture("http:"), "originalContentUrl"),
    "place": (PLACE, {**PLACE, "title": "a" * 101}, "title"),
    "sender": (said(sender={"name": "結" * 20}), said(sender={"name": "結" * 21}), "sender.name"),
}


@pytest.fixture(scope="module", params=["described", "not described"])
def judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinePlatform]:
    """With LINE's description and without: the documented limits hold in both."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "not described":
            patch.setenv("YUI_REFERENCE", str(tmp_path_factory.mktemp("nothing")))
        elif openapi.find("messaging-api.yml") is None:
            pytest.skip("LINE's messaging-api.yml is not at hand")
        platform = LinePlatform()
    with platform:
        assert platform.schema_checked == (request.param == "described")
        yield platform


@pytest.mark.parametrize("name", LIMITS)
def test_limits(judge: LinePlatform, name: str) -> None:
    allowed, too_much, where = LIMITS[name]
    assert post(judge, "/v2/bot/message/validate/push", {"messages": [allowed]}).text == "{}"
    answer = post(judge, "/v2/bot/message/validate/push", {"messages": [said(), too_much]})
    assert answer.status_code == 400
    assert f"messages[1].{where}" in {d["property"] for d in answer.json()["details"]}


@pytest.mark.parametrize("messages", [[], [said()] * 6, "はい", [{"type": "text"}], [{"type": "song"}], ["はい"], [{}]])
def test_one_to_five_messages(judge: LinePlatform, messages: object) -> None:
    group = judge.new_group()
    assert post(judge, "/v2/bot/message/push", {"to": group, "messages": [said()] * 5}).status_code == 200
    before, sent = len(judge.violations), len(judge.pushes)
    assert post(judge, "/v2/bot/message/push", {"to": group, "messages": messages}).status_code == 400
    assert post(judge, "/v2/bot/message/reply", {"replyToken": "a" * 32, "messages": messages}).status_code == 400
    assert len(judge.violations) >= before + 2
    assert len(judge.pushes) == sent
    judge.pushes.clear()  # the month is not what is measured here


@pytest.mark.parametrize("units", [["a", "b"], ["組合"], ["a" * 31]])
def test_aggregation_units(judge: LinePlatform, units: list[str]) -> None:
    body = {"to": judge.new_user(), "messages": [said()]}
    assert post(judge, "/v2/bot/message/push", {**body, "customAggregationUnits": ["notice_1"]}).status_code == 200
    assert post(judge, "/v2/bot/message/push", {**body, "customAggregationUnits": units}).status_code == 400


def test_lengths() -> None:
    assert utf16(f"結{EMOJI}") == 3
    assert graphemes(f"か\u3099{FAMILY}\U0001f1ef\U0001f1f5\U0001f1f0\U0001f1f7\U0001f44d\U0001f3fd") == 5
    assert graphemes("\u3099") == 1
    assert graphemes("") == 0


@needs_description
@pytest.mark.parametrize(
    ("message", "where"),
    [
        (said(quotToken="a"), "messages[0]"),
        ({"type": "text"}, "messages[0]"),
        ({"type": "song"}, "messages[0].type"),
        ({"type": "sticker", "packageId": 1, "stickerId": "2"}, "messages[0].packageId"),
        (quick(act("massage")), "messages[0].quickReply.items[0].action.type"),
        (quick(act(txt="a")), "messages[0].quickReply.items[0].action"),
        (flex({"type": "text", "text": "a", "weight": "heavy"}), "messages[0].contents.body.contents[0].weight"),
        (flex({"type": "buton"}), "messages[0].contents.body.contents[0].type"),
        (flex({"type": "box", "layout": "upright", "contents": []}), "messages[0].contents.body.contents[0].layout"),
        (flex(size="huge"), "messages[0].contents.size"),
        ({"type": "flex", "altText": "a", "contents": {"type": "balloon"}}, "messages[0].contents.type"),
        (flex(header={"type": "text", "text": "a"}), "messages[0].contents.header.type"),
        (
            v2(1) | {"substitution": {"m0": {"type": "mention", "mentionee": {"type": "user"}}}},
            "messages[0].substitution.m0.mentionee",
        ),
        (template("form", text="a"), "messages[0].template.type"),
    ],
)
def test_the_description_is_followed_into_every_object(line: LinePlatform, message: Json, where: str) -> None:
    user = line.new_user()
    assert line.schema_checked
    answer = post(line, "/v2/bot/message/push", {"to": user, "messages": [message]})
    assert answer.status_code == 400
    assert where in {d["property"] for d in answer.json()["details"]}
    assert line.violations[0].startswith(f"POST /v2/bot/message/push {where}: ")
    assert line.pushes == []


@needs_description
def test_the_answers_are_as_described(line: LinePlatform) -> None:
    """So that a bot is not built on an answer LINE never gives."""
    api = openapi.load("messaging-api.yml")
    assert api
    ann = line.new_user()
    group = line.new_group(members={ann: "安"})
    push(line, group, key=KEY)
    refused(lambda: push(line, group, key=KEY))
    refused(lambda: push(line, group, TextMessage(text="")))
    reply(line, line.new_reply_token(group), TextMessage(text="a"))
    refused(lambda: reply(line, "0" * 32, TextMessage(text="a")))
    for question in (
        lambda a: a.get_bot_info(),
        lambda a: a.get_message_quota(),
        lambda a: a.get_message_quota_consumption(),
        lambda a: a.get_profile(ann),
        lambda a: a.get_group_summary(group),
        lambda a: a.get_group_member_count(group),
        lambda a: a.get_group_member_profile(group, ann),
        lambda a: a.get_webhook_endpoint(),
        lambda a: a.test_webhook_endpoint(),
        lambda a: a.show_loading_animation(ShowLoadingAnimationRequest(chatId=ann)),
        lambda a: a.broadcast(BroadcastRequest(messages=[TextMessage(text="a")])),
        lambda a: a.narrowcast(NarrowcastRequest(messages=[TextMessage(text="a")])),
    ):
        ask(line, question)
    assert {c.status for c in line.calls} == {200, 202, 400, 409}
    for call in line.calls:
        operation = api.operation_id(call.method, call.path)
        assert operation, call.path
        assert api.response_violations(operation, call.status, call.answer) == [], call.path


# Events

BUILT: dict[str, tuple[Json, str]] = {
    "text": (
        events.text(
            f"{EMOJI}@結 @田中 @All (hello)",
            mentions=[events.mention_bot(), events.mention_person(), events.mention_all()],
            emojis=[events.Emoji()],
            quoted="588001371946250199",
        ),
        "MessageEvent",
    ),
    "text from an unknown person": (events.text("a", source=events.group(user_id=None)), "MessageEvent"),
    "text in a room": (events.text("a", source=events.room()), "MessageEvent"),
    "text to the bot": (events.text("a", source=events.user(), redelivery=True), "MessageEvent"),
    "sticker": (events.sticker(quoted="1"), "MessageEvent"),
    "image": (events.image(image_set=("A1", 1, 2)), "MessageEvent"),
    "video": (events.video(), "MessageEvent"),
    "audio": (events.audio(), "MessageEvent"),
    "file": (events.file(), "MessageEvent"),
    "location": (events.location(), "MessageEvent"),
    "edited": (events.edited("@結 b", message_id="1", mentions=[events.mention_bot()]), "MessageEditedEvent"),
    "edited, with a token": (events.edited("b", message_id="1", reply_token="0" * 32), "MessageEditedEvent"),
    "join": (events.join(), "JoinEvent"),
    "leave": (events.leave(), "LeaveEvent"),
    "member joined": (events.member_joined(), "MemberJoinedEvent"),
    "member left": (events.member_left(events.USER, events.BOT), "MemberLeftEvent"),
    "follow": (events.follow(unblocked=True), "FollowEvent"),
    "unfollow": (events.unfollow(), "UnfollowEvent"),
    "unsend": (events.unsend("1"), "UnsendEvent"),
    "postback": (events.postback("a=1", params={"date": "2026-11-21"}), "PostbackEvent"),
    "account link": (events.account_link(), "AccountLinkEvent"),
    "account link failed": (events.account_link(ok=False), "AccountLinkEvent"),
    "standby": (events.text("a", standby=True), "MessageEvent"),
}
UNKNOWN: dict[str, tuple[Json, str]] = {
    "unknown event": (events.unknown_event(), "type"),
    "unknown message": (events.unknown_message(), "message.type"),
}
PARSED = {
    "line_account_link_failed": ["AccountLinkEvent"],
    "line_follow": ["FollowEvent"],
    "line_image": ["MessageEvent"],
    "line_join": ["JoinEvent"],
    "line_member_joined": ["MemberJoinedEvent"],
    "line_message_edited": ["MessageEditedEvent"],
    "line_postback": ["PostbackEvent"],
    "line_redelivery": ["MessageEvent"],
    "line_sticker": ["MessageEvent"],
    "line_text_group_mention": ["MessageEvent"],
    "line_text_group_mention_all": ["MessageEvent"],
    "line_text_group_plain": ["MessageEvent"],
    "line_text_group_quote": ["MessageEvent"],
    "line_text_user": ["MessageEvent"],
    "line_unknown_event": ["UnknownEvent", "MessageEvent"],
    "line_unsend": ["UnsendEvent"],
    "line_verify_button": [],
}


def parsed(raw: bytes) -> list[str]:
    found = WebhookParser("secret").parse(raw.decode(), events.signed(raw, "secret")["x-line-signature"])
    return [type(e).__name__ for e in found]


def look_alike(event: Json) -> None:
    """What holds of every event and no description says."""
    assert re.fullmatch("[0-7][0-9A-HJKMNP-TV-Z]{25}", event["webhookEventId"])
    assert re.fullmatch("[0-9a-f]{32}", event.get("replyToken", "0" * 32))
    for key, letter in {"userId": "U", "groupId": "C", "roomId": "R"}.items():
        assert re.fullmatch(letter + "[0-9a-f]{32}", event.get("source", {}).get(key, letter + "0" * 32))
    message = event.get("message", {})
    units = message.get("text", "").encode("utf-16-le")
    for part in [*message.get("mention", {}).get("mentionees", []), *message.get("emojis", [])]:
        words = units[2 * part["index"] : 2 * (part["index"] + part["length"])].decode("utf-16-le")
        assert re.fullmatch(r"@\w+|\(\w+\)", words)
        if part.get("isSelf"):
            assert words == "@結"


@pytest.mark.parametrize("name", BUILT)
def test_built_events_are_what_the_sdk_reads(name: str) -> None:
    event, kind = BUILT[name]
    look_alike(event)
    assert parsed(events.body([event])) == [kind]
    assert parsed(events.body([events.redelivered(event), event])) == [kind, kind]
    assert ("replyToken" in event) == (
        name not in ("leave", "member left", "unfollow", "unsend", "edited", "account link failed", "standby")
    )


@needs_events
@pytest.mark.parametrize("name", BUILT)
def test_built_events_are_as_described(name: str) -> None:
    event, _ = BUILT[name]
    assert events.violations(event) == []
    assert events.body_violations(events.body([event])) == []
    for key in ("webhookEventId", "deliveryContext", "timestamp", "mode"):
        assert events.violations({k: v for k, v in event.items() if k != key}), key
    assert events.violations({**event, "reply_token": "a"})
    assert events.body_violations(events.body([event], destination="yui"))


@needs_events
@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_kinds_are_unknown_in_that_alone(name: str) -> None:
    event, where = UNKNOWN[name]
    look_alike(event)
    assert [v.split(":")[0] for v in events.violations(event)] == [where]


def test_unknown_kinds_leave_the_rest_of_a_delivery_intact() -> None:
    raw = events.body([events.unknown_event(), events.unknown_message(), events.join()])
    assert parsed(raw) == ["UnknownEvent", "UnknownEvent", "JoinEvent"]


def test_the_signature_is_of_the_bytes() -> None:
    raw = events.body([events.text("結")])
    assert parsed(raw) == ["MessageEvent"]
    with pytest.raises(InvalidSignatureError):
        WebhookParser("secret").parse(raw.decode(), events.signed(raw + b" ", "secret")["x-line-signature"])
    with pytest.raises(InvalidSignatureError):
        WebhookParser("secret").parse(raw.decode(), events.signed(raw, "another")["x-line-signature"])


def test_what_is_given_is_used() -> None:
    event = events.text(
        "a", message_id="7", quote_token="q", reply_token="r", event_id="e", timestamp=1, source=events.room("R1", None)
    )
    assert (event["message"]["id"], event["message"]["quoteToken"], event["replyToken"]) == ("7", "q", "r")
    assert (event["webhookEventId"], event["timestamp"], event["source"]) == ("e", 1, {"type": "room", "roomId": "R1"})
    assert not event["deliveryContext"]["isRedelivery"]
    again = events.redelivered(event)
    assert again["deliveryContext"]["isRedelivery"]
    assert {k: v for k, v in again.items() if k != "deliveryContext"} == {k: v for k, v in event.items() if k != "deliveryContext"}
    assert "source" not in events.account_link(ok=False)
    assert json.loads(events.body()) == {"destination": events.BOT, "events": []}


@pytest.mark.parametrize("file", PAYLOADS, ids=lambda p: p.stem)
def test_payload_files(file: Path) -> None:
    raw = file.read_bytes()
    assert parsed(raw) == PARSED[file.stem]
    for event in json.loads(raw)["events"]:
        look_alike(event)


@needs_events
@pytest.mark.parametrize("file", PAYLOADS, ids=lambda p: p.stem)
def test_payload_files_are_as_described(file: Path) -> None:
    found = [v.split(":")[0] for v in events.body_violations(file.read_bytes())]
    assert found == (["events[0] type"] if file.stem == "line_unknown_event" else [])


def test_no_payload_file_is_missing() -> None:
    assert {p.stem for p in PAYLOADS} == set(PARSED)
