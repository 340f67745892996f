"""LINE from end to end: signed payloads in at the front door, what a stand-in of LINE received over HTTP out."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapters.line import channel
from bot.config import Settings
from tests import line_events as events
from tests.line_platform import LinePlatform, Sent
from tests.running import SECRET, TOKEN, Running, rows

PAYLOADS = sorted((Path(__file__).parents[1] / "adapters" / "payloads").glob("line_*.json"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Path:
    return filled(tmp_path_factory.mktemp("line"))


def settings(line: LinePlatform, data: Path) -> Settings:
    return Settings(
        data_dir=data,
        line_channel_secret=SECRET,
        line_channel_access_token=TOKEN,
        line_api_base=line.base,
        public_url="https://yui.example.org",
        _env_file=None,
    )


@pytest.fixture(scope="module")
def running(data: Path) -> Iterator[tuple[LinePlatform, Running]]:
    with LinePlatform(secret=SECRET, access_token=TOKEN) as line, Running(settings(line, data)) as bot:
        yield line, bot


class Chat:
    """One chat of LINE: what is written in it, and what the bot's replies are."""

    def __init__(self, line: LinePlatform, bot: Running, *, group: bool) -> None:
        self.line, self.bot, self.group = line, bot, group
        self.id = line.new_group() if group else line.new_user()

    def source(self, who: str | None) -> dict[str, Any]:
        return events.group(self.id, who) if self.group else events.user(self.id)

    def text(self, said: str, who: str | None = "U" + "1" * 32, **about: Any) -> dict[str, Any]:
        about.setdefault("reply_token", self.line.new_reply_token(self.id))
        about.setdefault("quote_token", self.line.new_quote_token(self.id))
        return events.text(said, source=self.source(who), **about)

    def post(self, *sent: dict[str, Any]) -> None:
        assert self.bot.line(*sent).status_code == 200

    @property
    def replies(self) -> list[Sent]:
        return [r for r in self.line.replies if r.conversation_id == self.id]

    def say(self, said: str, who: str | None = "U" + "1" * 32, **about: Any) -> Sent:
        """Post a message and wait for its reply."""
        before = len(self.replies)
        self.post(self.text(said, who, **about))
        self.line.wait_for(lambda: len(self.replies) > before)
        return self.replies[-1]

    def quiet(self, *sent: dict[str, Any]) -> bool:
        """Whether these events get no reply; a question after them shows that they have been dealt with."""
        before = len(self.replies)
        self.post(*sent)
        self.post(self.text("@ボット こんにちは", "U" + "9" * 32))
        self.line.wait_for(lambda: len(self.replies) > before)
        time.sleep(0.1)
        return len(self.replies) == before + 1


@pytest.fixture
def chat(running: tuple[LinePlatform, Running]) -> Iterator[Callable[..., Chat]]:
    line, bot = running
    yield lambda **about: Chat(line, bot, **{"group": True, **about})
    assert not line.violations
    assert not line.pushes


def test_a_question_in_a_group_is_answered_in_one_call_quoting_it(chat: Callable[..., Chat]) -> None:
    group = chat()
    asked = group.text("@結 労協は何人から作れますか", mentions=[events.mention_bot("@結")])
    group.post(asked)
    group.line.wait_for(lambda: group.replies)
    (reply,) = group.replies
    (message,) = reply.messages
    assert "3人" in message["text"].splitlines()[0]
    assert "第22条" in message["text"]
    assert message["quoteToken"] == asked["message"]["quoteToken"]
    labels = [item["action"]["label"] for item in message["quickReply"]["items"]]
    assert labels == ["くわしく", "やさしい日本語で", "コツを足す", "👍 役に立った", "👎 ちがった"]
    assert all(item["action"]["displayText"] for item in message["quickReply"]["items"])


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("@ボット 理事は何人?", {}),
        ("＠ボット　理事は何人?", {}),
        ("＠結さん、理事は何人?", {}),
        ("/質問 理事は何人?", {}),
        ("／ask 理事は何人?", {}),
        ("ボット、理事は何人?", {}),
        ("👨‍👩‍👧 @結 理事は何人?", {"mentions": [events.mention_bot("@結")]}),
    ],
)
def test_every_way_to_call_it(chat: Callable[..., Chat], said: str, about: dict[str, Any]) -> None:
    assert "3人" in chat().say(said, **about).texts[0]


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("労協は何人から作れますか", {}),
        ("結、あした来る?", {}),
        ("メールは bot@ボット.example です", {}),
        ("@田中 労協は何人から?", {"mentions": [events.mention_person("@田中")]}),
        ("@All 総会です", {"mentions": [events.mention_all("@All")]}),
        ("@結衣 明日の当番代わって?", {"mentions": [events.mention_person("@結衣")]}),
        ("@結 子 労協は何人から?", {"mentions": [events.mention_person("@結 子")]}),
    ],
)
def test_it_keeps_quiet_in_a_group_unless_it_is_called(chat: Callable[..., Chat], said: str, about: dict[str, Any]) -> None:
    group = chat()
    assert group.quiet(group.text(said, **about))


def test_quoting_the_bot_asks_about_what_it_said_there(chat: Callable[..., Chat]) -> None:
    group = chat()
    first = group.say("@ボット 監事の任期は?")
    group.say("@ボット 創立総会の公告の期限は?")
    assert "4年" in first.texts[0]
    about = group.say("出典", quoted=first.ids[0])
    assert "第36条" in about.texts[0]
    assert group.quiet(group.text("それでいいと思う", quoted="1234567890"))


def test_what_goes_on_from_an_answer_needs_no_call_from_the_same_person(chat: Callable[..., Chat]) -> None:
    group = chat()
    group.say("@ボット 総会の招集は何日前まで?")
    assert group.quiet(group.text("くわしく", "U" + "2" * 32))  # somebody else
    group.say("@ボット 総会の招集は何日前まで?")
    assert group.quiet(group.text("ありがとう"))
    group.say("@ボット 総会の招集は何日前まで?")
    assert "第61条" in group.say("出典").texts[0]


def test_a_person_who_is_not_known_is_answered(chat: Callable[..., Chat]) -> None:
    group = chat()
    assert "3人" in group.say("@ボット 理事は何人?", None).texts[0]
    assert group.quiet(group.text("くわしく", None))


def test_alone_with_the_bot_no_call_is_needed_and_it_shows_that_it_works(chat: Callable[..., Chat]) -> None:
    alone = chat(group=False)
    assert "3人" in alone.say("理事は何人?").texts[0]
    assert any(c.path.endswith("/loading/start") and c.body["chatId"] == alone.id for c in alone.line.calls)
    for made in (events.sticker, events.image, events.video, events.audio, events.location, events.file):
        before = len(alone.replies)
        alone.post(made(source=alone.source(None), reply_token=alone.line.new_reply_token(alone.id)))
        alone.line.wait_for(lambda before=before: len(alone.replies) > before)  # type: ignore[misc]
        assert "文字で送って" in alone.replies[-1].texts[0]


def test_buttons_say_what_can_be_typed_and_rate_exactly_their_answer(chat: Callable[..., Chat]) -> None:
    group = chat()
    first = group.say("@ボット 理事は何人?")
    items = {i["action"]["label"]: i["action"] for i in first.messages[-1]["quickReply"]["items"]}
    group.say("@ボット 監事の任期は?")

    def press(label: str) -> Sent:
        before = len(group.replies)
        token = group.line.new_reply_token(group.id)
        group.post(events.postback(items[label]["data"], source=group.source("U" + "3" * 32), reply_token=token))
        group.line.wait_for(lambda: len(group.replies) > before)
        return group.replies[-1]

    before = group.bot.yui.store.rating_counts()
    assert "記録しました" in press("👎 ちがった").texts[0]
    assert group.bot.yui.store.rating_counts()[False] == before.get(False, 0) + 1
    assert press("くわしく").texts[0]
    made_up = events.postback("up:made.up", source=group.source(None), reply_token=group.line.new_reply_token(group.id))
    other = events.postback("richmenu=2", source=group.source(None), reply_token=group.line.new_reply_token(group.id))
    assert group.quiet(other)
    count = len(group.replies)
    group.post(made_up)
    group.line.wait_for(lambda: len(group.replies) > count)
    assert "まだ答え" in group.replies[-1].texts[0]


def test_on_joining_it_says_once_what_it_does_stores_and_how_to_delete(chat: Callable[..., Chat]) -> None:
    group = chat()
    join = events.join(source=events.group(group.id, None), reply_token=group.line.new_reply_token(group.id))
    group.post(join)
    group.post(join)
    group.line.wait_for(lambda: group.replies)
    (hello,) = group.replies
    for told in ("@ボット", "【記録】", "何を記録しているの", "わたしの記録を消して"):
        assert told in hello.texts[0]
    assert group.bot.yui.store.group_count("line") > 0
    member = events.member_joined("U" + "4" * 32, source=events.group(group.id, None))
    assert group.quiet(member)
    before = group.bot.yui.store.group_count("line")
    group.post(events.leave(source=events.group(group.id, None)))
    assert group.bot.yui.store.group_count("line") == before - 1


def test_choices_last_for_the_person_who_made_them(chat: Callable[..., Chat]) -> None:
    group, her, him = chat(), "U" + "5" * 32, "U" + "6" * 32
    assert "ふつうの日本語で" in group.say("@ボット やさしい日本語で", her).texts[0]
    easy, usual = group.say("@ボット 理事は何人?", her).texts[0], group.say("@ボット 理事は何人?", him).texts[0]
    assert easy != usual
    group.say("@ボット 字を大きく", her)
    (large,) = group.say("@ボット 監事の任期は?", her).messages
    assert large["type"] == "flex"
    assert large["contents"]["body"]["contents"][0]["size"] == "xl"
    assert "4年" in large["altText"]
    assert group.say("@ボット 監事の任期は?", him).messages[0]["type"] == "text"
    group.say("@ボット 字をふつうに", her)
    assert group.say("@ボット 監事の任期は?", her).messages[0]["type"] == "text"


def test_a_person_is_removed_everywhere(chat: Callable[..., Chat]) -> None:
    alone = chat(group=False)
    alone.say("やさしい日本語で")
    alone.say("理事は何人?")
    alone.say("👍")
    person = alone.bot.yui.conversations.pseudonym("line", alone.id)
    assert "12時間" in alone.say("何を記録しているの?").texts[0]
    assert "消しました" in alone.say("わたしの記録を消して").texts[0]
    time.sleep(0.2)
    database = alone.bot.yui.database
    tables = sa.MetaData()
    tables.reflect(database.engine)
    with database.read() as c:
        for table in tables.tables.values():
            for row in c.execute(sa.select(table)).all():
                assert person not in map(str, row), table.name
        assert not c.scalar(
            sa.select(sa.func.count()).select_from(tables.tables["ratings"]).where(sa.text("rater = :p")), {"p": person}
        )
    assert "理事" in alone.say("理事は何人?").texts[0]


def test_no_text_no_token_and_no_id_stays(chat: Callable[..., Chat], data: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    group, who = chat(), "U" + "7" * 32
    asked = group.text("@ボット ひみつのあいことば総会の招集は何日前?", who)
    group.post(asked)
    group.line.wait_for(lambda: group.replies)
    assert group.quiet(group.text("みんなの内緒のはなし", who))
    time.sleep(0.2)
    kept = rows(group.bot.yui)
    for hidden in ("みんなの内緒", asked["replyToken"], who):
        assert hidden not in kept
        assert hidden not in caplog.text
    assert "ひみつのあいことば" not in rows(group.bot.yui, without="asked")  # what was asked is in the record alone
    assert "ひみつのあいことば" not in caplog.text
    group.bot.yui.inbox.tidy()
    asyncio.run(group.bot.yui.conversations.forget(group.bot.yui.conversations.pseudonym("line", who)))
    files = b"".join(f.read_bytes() for f in data.glob("yui.db*"))
    for hidden in ("内緒のはなし", "ひみつのあいことば", who):
        assert hidden.encode() not in files


def test_unsent_and_edited_messages(chat: Callable[..., Chat]) -> None:
    group = chat()
    gone = group.text("@ボット 理事は何人?", message_id="111")
    unsent = events.unsend("111", source=group.source("U" + "1" * 32), timestamp=gone["timestamp"] + 5)
    assert group.quiet(unsent, gone)  # the unsending came first
    old = group.text("@ボット 理事は何人?", message_id="222")
    source, token = group.source("U" + "1" * 32), group.line.new_reply_token(group.id)
    new = events.edited(
        "@ボット 監事の任期は?",
        message_id="222",
        quote_token=group.line.new_quote_token(group.id),
        source=source,
        reply_token=token,
        timestamp=old["timestamp"] + 9,
    )
    before = len(group.replies)
    group.post(new)
    group.post(old)
    group.line.wait_for(lambda: len(group.replies) > before)
    time.sleep(0.2)
    assert [("4年" in r.texts[0]) for r in group.replies[before:]] == [True]


def test_a_question_in_the_same_call_as_forget_me_is_answered(chat: Callable[..., Chat]) -> None:
    alone = chat(group=False)
    alone.post(alone.text("わたしの記録を消して"), alone.text("理事は何人?"))
    alone.line.wait_for(lambda: len(alone.replies) == 2)
    assert any("3人" in r.texts[0] for r in alone.replies)
    group = chat()
    assert "1対1" in group.say("@ボット わたしの記録を消して", None).texts[0]


def test_a_button_goes_on_from_the_answer_it_stands_under(chat: Callable[..., Chat]) -> None:
    group = chat()
    first = group.say("@ボット 監事の任期は?")
    group.say("@ボット 創立総会の公告の期限は?")
    more = first.messages[-1]["quickReply"]["items"][1]["action"]["data"]
    before = len(group.replies)
    token = group.line.new_reply_token(group.id)
    group.post(events.postback(more, source=group.source("U" + "8" * 32), reply_token=token))
    group.line.wait_for(lambda: len(group.replies) > before)
    assert "4年" in group.replies[-1].texts[0]


def test_large_type_opens_its_sources_at_a_touch(chat: Callable[..., Chat]) -> None:
    alone = chat(group=False)
    alone.say("字を大きく")
    (bubble,) = alone.say("理事は何人?").messages
    (button,) = bubble["contents"]["footer"]["contents"]
    assert button["action"]["uri"].startswith("https://laws.e-gov.go.jp/")


def test_after_leaving_nothing_of_the_group_is_kept(chat: Callable[..., Chat]) -> None:
    group = chat()
    group.say("@ボット 理事は何人?")
    group.post(events.leave(source=events.group(group.id, None)))
    conversation = group.bot.yui.conversations.pseudonym("line", group.id)
    tables = sa.MetaData()
    tables.reflect(group.bot.yui.database.engine)

    def kept() -> set[str]:
        with group.bot.yui.database.read() as c:
            rows = [(name, set(map(str, row))) for name, table in tables.tables.items() for row in c.execute(sa.select(table))]
        return {name for name, row in rows if {group.id, conversation} & row}

    # An answer that was being written down when the group was left goes as soon as that is done.
    deadline = time.monotonic() + 10
    while (left_over := kept()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left_over


def test_the_same_event_five_times_at_once_is_answered_once(chat: Callable[..., Chat]) -> None:
    group = chat()
    asked = group.text("@ボット 理事は何人?")
    with ThreadPoolExecutor(5) as pool:
        assert {r.status_code for r in pool.map(lambda _: group.bot.line(asked), range(5))} == {200}
    group.line.wait_for(lambda: group.replies)
    group.post(events.redelivered(asked))
    assert group.quiet()
    assert sum("3人" in r.texts[0] for r in group.replies) == 1


def test_300_events_in_one_call(chat: Callable[..., Chat]) -> None:
    groups = [chat() for _ in range(30)]
    many = [g.text("@ボット こんにちは" if n == 0 else "おはよう", "U" + f"{n:032x}") for g in groups for n in range(10)]
    assert groups[0].bot.line(*many).status_code == 200
    groups[0].line.wait_for(lambda: all(g.replies for g in groups), 30)
    assert all(len(g.replies) == 1 for g in groups)


def test_long_and_odd_messages(chat: Callable[..., Chat]) -> None:
    group = chat()
    assert "長すぎ" in group.say("@ボット " + "👨‍👩‍👧‍👦" * 1_000).texts[0]
    assert group.say("@ボット " + "😀" * 2_500).texts[0]
    assert "文字で送って" in group.say("@ボット").texts[0]
    assert group.quiet(
        events.unknown_message(source=group.source(None), reply_token=group.line.new_reply_token(group.id)),
        events.unknown_event(source=group.source(None)),
        {"type": "message"},
        {"type": "message", "webhookEventId": 3, "timestamp": "x", "source": {"type": "group", "groupId": group.id}, "message": 7},
    )


def test_odd_events_cost_the_others_nothing(chat: Callable[..., Chat]) -> None:
    group = chat()
    odd = group.text("@ボット 理事は何人?")
    odd["timestamp"] = 1e999
    strange = group.text("@ボット 理事は何人?")
    strange["webhookEventId"] = "\ud800"
    raw = json.dumps({"destination": "U", "events": [odd, strange, group.text("@ボット 監事の任期は?")]}).encode()
    assert group.bot.http.post("/webhook/line", content=raw, headers=events.signed(raw, SECRET)).status_code == 200
    group.line.wait_for(lambda: group.replies)
    assert "4年" in group.replies[0].texts[0]


def test_a_join_that_was_worked_off_late_is_said_with_the_next_reply(chat: Callable[..., Chat]) -> None:
    group = chat()
    join = events.join(source=events.group(group.id, None), reply_token=group.line.new_reply_token(group.id))
    group.line.token_age[join["replyToken"]] = 90
    group.post(join)
    group.line.wait_for(
        lambda: any(c.status == 400 and c.body.get("replyToken") == join["replyToken"] for c in group.line.calls if c.body)
    )
    time.sleep(0.2)
    hello, answer = group.say("@ボット 理事は何人?").messages
    assert "【記録】" in hello["text"]
    assert "3人" in answer["text"]


def test_an_answer_that_cannot_be_read_is_an_answer(data_folder: Path) -> None:
    with LinePlatform(secret=SECRET, access_token=TOKEN) as line:
        line.fail("/v2/bot/info", 200, body={})
        with Running(settings(line, data_folder)) as bot:
            group = Chat(line, bot, group=True)
            line.fail("/message/reply", 200, body={}, after_accepting=True)
            assert "3人" in group.say("@ボット 理事は何人?").texts[0]
            assert group.quiet()
            assert len([c for c in line.calls if c.path.endswith("/reply")]) == 2


@pytest.mark.parametrize("file", PAYLOADS, ids=lambda f: f.stem)
def test_every_kind_of_payload_is_taken(running: tuple[LinePlatform, Running], file: Path) -> None:
    _, bot = running
    raw = file.read_bytes()
    assert bot.http.post("/webhook/line", content=raw, headers=events.signed(raw, SECRET)).status_code == 200


def test_what_is_not_from_line_is_refused(running: tuple[LinePlatform, Running]) -> None:
    line, bot = running
    raw = events.body([events.text("@ボット 理事は何人?")])

    def post(content: bytes, headers: dict[str, Any] | None) -> int:
        return bot.http.post("/webhook/line", content=content, headers=headers or {}).status_code

    time.sleep(0.5)  # replies to what was sent before this test

    def said() -> int:  # not what is asked for announcements all the time: how many people are in a group
        return sum(call.method == "POST" for call in line.calls)

    before = said()
    assert post(raw, None) == 400
    assert post(raw, events.signed(raw, "another-secret")) == 400
    assert post(raw, {"x-line-signature": b"\xff\xe3\x81\x82"}) == 400
    assert post(raw + b" ", events.signed(raw, SECRET)) == 400
    for odd in (b"", b"{", b"[]", b"null", b'{"destination":"x"}', b'{"events":3}', b"\xff\xfe", '{"events":[]}'.encode("utf-16")):
        assert post(odd, events.signed(odd, SECRET)) == 400
    assert post(b"x" * 5_000_000, None) == 413
    assert bot.http.get("/webhook/line").status_code == 405
    empty = events.body([])
    assert post(empty, events.signed(empty, SECRET)) == 200
    assert said() == before


@pytest.mark.parametrize("after", [False, True], ids=["before-accepting", "after-accepting"])
@pytest.mark.parametrize("status", [500, 503, 0])
def test_a_reply_is_repeated_where_that_is_safe(chat: Callable[..., Chat], status: int, *, after: bool) -> None:
    group = chat()
    if status:
        group.line.fail("/message/reply", status, after_accepting=after)
    else:
        group.line.drop("/message/reply", after_accepting=after)
    group.post(group.text("@ボット 理事は何人?"))
    group.line.wait_for(lambda: group.replies)
    group.say("@ボット 監事の任期は?")
    assert [len(r.messages) for r in group.replies] == [1, 1]


def test_a_call_that_hangs_is_given_up_and_repeated(chat: Callable[..., Chat], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "_TIMEOUT", 0.5)
    group = chat()
    group.line.hang("/message/reply", 3)
    assert "3人" in group.say("@ボット 理事は何人?").texts[0]


def test_429_waits_and_a_refused_quote_is_left_out(chat: Callable[..., Chat]) -> None:
    group = chat()
    group.line.fail("/message/reply", 429, body={"message": "The API rate limit has been exceeded. Try again later."})
    assert "3人" in group.say("@ボット 理事は何人?").texts[0]
    reply = group.say("@ボット 監事の任期は?", quote_token="of-another-chat")
    assert "quoteToken" not in reply.messages[0]
    assert any("quoteToken" in v for v in group.line.violations)
    group.line.violations.clear()


def test_an_answer_that_comes_too_late_is_shown_with_the_next_reply(chat: Callable[..., Chat]) -> None:
    group = chat()
    asked = group.text("@ボット 理事は何人?")
    group.line.token_age[asked["replyToken"]] = 90
    group.post(asked)
    group.line.wait_for(
        lambda: any(c.status == 400 and c.body["replyToken"] == asked["replyToken"] for c in group.line.calls if "reply" in c.path)
    )
    time.sleep(0.2)
    reply = group.say("@ボット 監事の任期は?")
    first, second = reply.messages
    assert "さきほどのご質問" in first["text"]
    assert "3人" in first["text"]
    assert first["quoteToken"] == asked["message"]["quoteToken"]
    assert "4年" in second["text"]
    assert len(group.say("@ボット 理事は何人?").messages) == 1
    told = group.bot.http.get("/metrics").text
    assert 'yui_late_total{platform="line"}' in told
    assert 'yui_refused_total{platform="line",status="400"}' in told


def test_a_redelivered_event_whose_answer_was_late_is_answered_at_once(chat: Callable[..., Chat]) -> None:
    group = chat()
    asked = group.text("@ボット 理事は何人?")
    group.line.token_age[asked["replyToken"]] = 90
    group.post(asked)
    group.line.wait_for(
        lambda: any(c.status == 400 and c.body["replyToken"] == asked["replyToken"] for c in group.line.calls if "reply" in c.path)
    )
    time.sleep(0.2)
    group.line.token_age.clear()
    group.line.redeliver(asked["replyToken"])
    group.post(events.redelivered(asked))
    group.line.wait_for(lambda: group.replies)
    assert "さきほど" not in group.replies[0].texts[0]
    assert len(group.say("@ボット 監事の任期は?").messages) == 1


def test_a_wrong_token_is_said_and_the_rest_runs_on(data_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with LinePlatform(secret=SECRET, access_token="another") as line, Running(settings(line, data_folder)) as bot:
        line.wait_for(lambda: "YUI_LINE_CHANNEL_ACCESS_TOKEN" in caplog.text)
        assert bot.http.post("/api/ask", json={"question": "理事は何人?"}).json()["answered"]
    assert TOKEN not in caplog.text


@pytest.mark.long
def test_after_a_restart_everything_that_still_can_be_is_answered_once(data_folder: Path) -> None:
    with LinePlatform(secret=SECRET, access_token=TOKEN) as line:
        first = Running(settings(line, data_folder))
        chats: list[Chat] = []
        with first as bot:
            line.fail("/message/reply", 500, times=10_000)
            chats = [Chat(line, bot, group=True) for _ in range(40)]
            for c in chats:
                c.post(c.text("@ボット 理事は何人?"))
            line.wait_for(lambda: sum("reply" in c.path for c in line.calls) > 5)
        line._faults.clear()
        with Running(settings(line, data_folder)) as bot:
            line.wait_for(lambda: all(c.replies for c in chats), 40)
            time.sleep(0.3)
        assert all(len(c.replies) == 1 for c in chats)
        assert not line.violations
        assert not line.pushes


def test_the_doctor_looks_at_every_step(data_folder: Path) -> None:
    import asyncio

    from bot.bootstrap import build, enabled_adapters
    from bot.channels import Finding

    with LinePlatform(secret=SECRET, access_token=TOKEN) as line:
        yui = build(settings(line, data_folder))

        def findings() -> dict[str, Finding]:
            async def collect() -> list[Finding]:
                (adapter,) = enabled_adapters(yui)
                assert adapter.examine
                return [f async for f in adapter.examine()]

            return {f.name: f for f in asyncio.run(collect())}

        line.webhook_endpoint = {"endpoint": "https://elsewhere.example.org/", "active": True}
        assert not findings()["LINE webhook"].well
        line.webhook_endpoint = {"endpoint": "https://yui.example.org/webhook/line", "active": False}
        assert "switched off" in findings()["LINE webhook"].told
        line.webhook_endpoint = {"endpoint": "https://yui.example.org/webhook/line", "active": True}
        line.webhook_test = {**line.webhook_test, "success": False, "reason": "COULD_NOT_CONNECT", "statusCode": 0}
        assert "COULD_NOT_CONNECT" in findings()["LINE webhook"].told
        line.webhook_test = {**line.webhook_test, "success": True, "reason": "OK", "statusCode": 200}
        line.used_before = 30
        found = findings()
        assert all(f.well for f in found.values())
        assert "170 of 200" in found["LINE quota"].told
        line.used_before = 200
        assert "next month" in findings()["LINE quota"].remedy
        assert "no group" in found["LINE groups"].told
        line.access_token = "changed"
        assert "YUI_LINE_CHANNEL_ACCESS_TOKEN" in findings()["LINE token"].remedy
        yui.close()
    assert json.dumps([f.told for f in found.values()])
