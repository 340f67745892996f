"""Forms, cards, buttons that carry something and the author's consent on Discord: what people see, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.members import CoOp
from bot.messages import Act, Choice
from bot.wording import LANGUAGES, say
from knowledge import Audience
from tests.discord_objects import EMBED_LINKS, EPHEMERAL, ORDINARY, READ_MESSAGE_HISTORY, SEND_MESSAGES, Channel, Message, User
from tests.discord_platform import DiscordPlatform, Interaction
from tests.running import Running
from tests.scenarios.test_discord import TOKEN, discords_own_addresses, settings, told
from tests.scripted import Script, round_of, said

__all__ = ["discords_own_addresses"]  # a fixture that is always on

TIP = {"text": "足場は1人で組まない", "place": "東京の組合", "happened": "去年の夏", "outcome": "けがが減った"}
SAVE, REVIEW = "Save as tip", "review"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, filled: Callable[[Path], Path]) -> Iterator[tuple[DiscordPlatform, Running]]:
    with DiscordPlatform(token=TOKEN) as platform:
        platform.add_guild("組合のサーバー")
        platform.add_channel("玄関")
        with Running(settings(platform, filled(tmp_path_factory.mktemp("tips-discord")))) as bot:
            platform.wait_sent()  # it has introduced itself
            yield platform, bot


class Room:
    """A channel with its people: Hanako writes, Taro reads."""

    def __init__(self, place: tuple[DiscordPlatform, Running], script: Script, kind: str, **about: Any) -> None:
        self.platform, self.bot = place
        self.script = script
        self.hanako, self.taro = (self.platform.add_member(name) for name in ("花子", "太郎"))
        self.parent = self.platform.add_channel("広場") if kind == "thread" else None
        add = self.platform.add_channel
        self.channel: Channel = self.platform.dm(self.hanako) if kind == "dm" else add("相談", kind, parent=self.parent, **about)

    def pseudonym(self, who: User | Channel) -> str:
        return self.bot.yui.conversations.pseudonym("discord", str(who.id))

    def press(self, message: Message, label: str, user: User | None = None) -> Interaction:
        ids = {b["label"]: b["custom_id"] for row in message.components for b in row["components"]}
        return self.platform.press(message, ids[label], user or self.hanako)

    def count(self, many: int, since: int) -> list[Message]:
        """The next messages, once there are so many."""
        self.platform.wait_sent(since + many)
        return self.platform.sent[since:]

    def asked_about(self, text: str = TIP["text"]) -> tuple[Message, Message, Interaction]:
        """Taro wants to make a message of Hanako's into a tip: the message, what she is asked, what he is told."""
        before = len(self.platform.sent)
        message = self.platform.say(self.channel, self.hanako, text)
        wish = self.platform.message_command(message, SAVE, self.taro)
        wish.wait_response()
        return message, next(m for m in self.platform.sent[before:] if "いいですよ" in labels(m)), wish


@pytest.fixture
def room(place: tuple[DiscordPlatform, Running], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Room]]:
    script = Script(place[1].yui.conversations, monkeypatch)
    yield lambda kind="text", **about: Room(place, script, kind, **about)
    assert not place[0].violations


def labels(message: Message) -> list[str]:
    return [b["label"] for row in message.components for b in row["components"]]


def test_japanese_clients_see_every_command_in_japanese(place: tuple[DiscordPlatform, Running]) -> None:
    platform, _ = place
    names = {c["name"]: c["name_localizations"]["ja"] for c in platform.commands}
    assert names == {"ask": "質問", "tip": "コツ", "review": "確認", "link": "連携", "Save as tip": "コツとして登録"}
    (code,) = next(c["options"] for c in platform.commands if c["name"] == "link")
    assert code["name_localizations"]["ja"] == "コード"
    assert platform.syncs == 1
    assert all(i & (1 << 1 | 1 << 8 | 1 << 15) == 0 for i in platform.intents)


@pytest.mark.parametrize("kind", ["text", "thread"])
def test_a_form_in_a_server_stays_between_the_giver_and_the_bot(room: Callable[..., Room], kind: str) -> None:
    r = room(kind)
    signed = "draft.send." + "s" * 24
    r.script.says = said("これでよいですか。", Choice("送る", signed))
    opened = r.platform.slash(r.channel, r.hanako, "tip")
    fields = [c["component"] for c in opened.wait_modal()["components"]]
    assert [f["custom_id"] for f in fields] == list(TIP)
    assert [f["required"] for f in fields] == [True, False, False, False]
    sent = r.platform.submit_modal(opened, TIP)
    shown = sent.wait_response()
    assert shown.ephemeral
    (message, pieces) = r.script.offered[-1]
    assert pieces == TIP
    assert (message.conversation, message.sender) == (r.pseudonym(r.channel), r.pseudonym(r.hanako))
    assert message.group
    assert message.within == ((r.pseudonym(r.parent),) if r.parent else ())
    going_on = r.press(shown, "送る")
    assert going_on.wait_response().ephemeral
    heard = r.script.heard[-1]
    assert (heard.press, heard.text, heard.conversation) == (signed, "送る", message.conversation)


def test_a_form_alone_with_the_bot(room: Callable[..., Room]) -> None:
    r = room("dm")
    opened = r.platform.slash(r.channel, r.hanako, "tip")
    sent = r.platform.submit_modal(opened, {"text": TIP["text"]})
    assert not sent.wait_response().ephemeral
    message, pieces = r.script.offered[-1]
    assert pieces == {"text": TIP["text"], "place": "", "happened": "", "outcome": ""}
    assert (message.conversation, message.group) == (r.pseudonym(r.hanako), False)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_fits_in_every_language(language: str) -> None:
    """Discord takes 45 characters for a title and for a label, 80 on a button."""
    for key in ("tip_form", "tip_form_text", "tip_form_place", "tip_form_happened", "tip_form_outcome", "tip_form_write"):
        assert 0 < len(say(key, language)) <= 45
    assert all(len(say(f"tip_consent_{what}", language)) <= 80 for what in ("yes", "no"))


def test_ones_own_message_opens_the_form_with_its_words(room: Callable[..., Room]) -> None:
    r = room()
    own = r.platform.say(r.channel, r.hanako, f"{r.taro.mention} 足場は1人で組まない")
    opened = r.platform.message_command(own, SAVE, r.hanako)
    assert opened.wait_modal()["components"][0]["component"]["value"] == "足場は1人で組まない"
    r.platform.submit_modal(opened).wait_response()
    assert r.script.offered[-1][1]["text"] == "足場は1人で組まない"
    long = r.platform.say(r.channel, r.hanako, "足場は1人で組まない。" * 300)
    assert len(r.platform.message_command(long, SAVE, r.hanako).wait_modal()["components"][0]["component"]["value"]) <= 2_000


def test_what_a_bot_wrote_and_what_has_no_words_is_kindly_refused(room: Callable[..., Room]) -> None:
    r = room()
    bots = r.platform.say(r.channel, User("よそのボット", bot=True), "お知らせです")
    for message in (bots, r.platform.say(r.channel, r.hanako, ""), r.platform.say(r.channel, r.hanako, r.taro.mention)):
        refused = r.platform.message_command(message, SAVE, r.taro).wait_response()
        assert refused.ephemeral
        assert "コツにできません" in refused.content
    assert not r.script.offered


@pytest.mark.parametrize("kind", ["text", "thread"])
def test_somebody_elses_message_becomes_a_tip_when_they_agree(room: Callable[..., Room], kind: str) -> None:
    r = room(kind)
    message, question, wish = r.asked_about()
    assert wish.ephemeral
    assert "書いた人に" in told(wish.wait_response())
    assert question.pings.users == {r.hanako.id}
    assert not question.pings.everyone
    assert question.reference is message
    assert labels(question) == ["いいですよ", "やめてください"]
    assert not r.script.offered
    files = b"".join(f.read_bytes() for f in r.bot.yui.settings.data_dir.glob("yui.db*"))
    assert TIP["text"].encode() not in files
    hint = r.press(question, "いいですよ", r.taro).wait_response()
    assert hint.ephemeral
    assert "書いた人だけ" in hint.content
    assert not r.script.offered
    agreed = r.press(question, "いいですよ")
    r.platform.wait(lambda: agreed.followups)
    assert agreed.followups[0].ephemeral
    heard, pieces = r.script.offered[-1]
    assert pieces["text"] == TIP["text"]
    assert (heard.sender, heard.conversation, heard.group) == (r.pseudonym(r.hanako), r.pseudonym(r.channel), True)
    assert not question.components
    assert not question.embeds


def test_who_does_not_want_it_is_left_in_peace(room: Callable[..., Room]) -> None:
    r = room()
    message, question, _ = r.asked_about()
    r.press(question, "やめてください").wait_response()
    assert "何も残していません" in question.content
    assert not question.components
    assert TIP["text"] not in told(question)
    before = len(r.channel.messages)
    again = r.platform.message_command(message, SAVE, r.taro).wait_response()
    assert again.ephemeral
    assert "もう書いた人に" in again.content
    assert len([m for m in r.channel.messages[before:] if not m.ephemeral]) == 0
    assert not r.script.offered


def test_a_message_that_is_gone_when_its_author_agrees(room: Callable[..., Room]) -> None:
    r = room()
    message, question, _ = r.asked_about()
    r.platform.delete(message)
    r.press(question, "いいですよ")
    r.platform.wait(lambda: "なくなって" in question.content)
    assert not r.script.offered
    assert TIP["text"] not in told(question)


def test_the_words_are_those_of_the_moment_where_discord_tells_them(room: Callable[..., Room]) -> None:
    r = room()
    message, question, _ = r.asked_about(f"<@BOT> {TIP['text']}")
    r.platform.edit(message, f"{r.platform.bot.mention} 足場は2人で組む")
    agreed = r.press(question, "いいですよ")
    r.platform.wait(lambda: agreed.followups)
    assert r.script.offered[-1][1]["text"] == "足場は2人で組む"


@pytest.mark.parametrize("lacks", [SEND_MESSAGES, EMBED_LINKS])
def test_where_the_author_cannot_be_asked(room: Callable[..., Room], lacks: int) -> None:
    r = room(permissions=ORDINARY & ~lacks)
    message = r.platform.say(r.channel, r.hanako, TIP["text"])
    answer = r.platform.message_command(message, SAVE, r.taro).wait_response()
    assert answer.ephemeral
    assert "聞けません" in answer.content
    assert len(r.channel.messages) == 2


def test_without_the_history_the_author_is_asked_all_the_same(room: Callable[..., Room]) -> None:
    r = room(permissions=ORDINARY & ~READ_MESSAGE_HISTORY)
    _, question, _ = r.asked_about()
    agreed = r.press(question, "いいですよ")
    r.platform.wait(lambda: agreed.followups)
    assert r.script.offered[-1][1]["text"] == TIP["text"]


def test_a_round_in_a_direct_message_is_a_card_a_message_with_its_own_buttons(room: Callable[..., Room]) -> None:
    r = room("dm")
    r.script.says = round_of(7)
    before = len(r.platform.sent)
    r.platform.say(r.channel, r.hanako, "確認")
    cards = r.count(7, before)
    assert cards[0].content == "確認を待つものがあります。"
    assert [c.embeds[0]["title"] for c in cards] == [f"{n}. コツの確認" for n in range(1, 8)]
    assert all(labels(c) == ["公開", "まとめる", "たずねる", "見送る", "あとで"] for c in cards)
    pressed = r.press(cards[2], "公開")
    assert not pressed.wait_response().ephemeral
    heard = r.script.heard[-1]
    assert heard.press == r.script.says.cards[2].choices[0].data
    assert (heard.conversation, heard.group) == (r.pseudonym(r.hanako), False)


def test_a_round_in_a_server_is_seen_by_one_person_alone(room: Callable[..., Room]) -> None:
    r = room()
    r.script.says = round_of(7, Choice("元に戻す", "undo.tip-1." + "s" * 24))
    asked = r.platform.slash(r.channel, r.hanako, REVIEW)
    asked.wait_response()
    r.platform.wait(lambda: len(asked.followups) == 7)
    assert asked.ephemeral
    assert labels(asked.wait_response()) == ["元に戻す", "文字で答える"]
    assert all(m.flags & EPHEMERAL for m in asked.followups)
    heard = r.script.heard[-1]
    assert (heard.text, heard.conversation, heard.group, heard.within) == ("確認", r.pseudonym(r.hanako), False, ())
    pressed = r.press(asked.followups[6], "あとで")
    assert pressed.wait_response().ephemeral
    heard = r.script.heard[-1]
    assert heard.press.startswith(f"tip-{7:016x}.1.postpone")
    assert (heard.conversation, heard.group) == (r.pseudonym(r.hanako), False)


def write(r: Room, message: Message, text: str) -> Message:
    opened = r.press(message, "文字で答える")
    opened.wait_modal()
    return r.platform.submit_modal(opened, {"text": text}).wait_response()


def test_what_is_told_in_words_in_a_server_is_not_shown_to_all_either(room: Callable[..., Room]) -> None:
    r = room()
    r.script.says = replace(said("お名前は?", Choice("とばす")), act=Act.TAKE_TIP)
    shown = r.platform.submit_modal(r.platform.slash(r.channel, r.hanako, "tip"), TIP).wait_response()
    assert labels(shown) == ["とばす", "文字で答える"]
    assert write(r, shown, "花子").flags & EPHEMERAL
    heard = r.script.heard[-1]
    assert (heard.text, heard.conversation, heard.group) == ("花子", r.pseudonym(r.channel), True)
    r.script.says = said("答えを、次のメッセージに書いてください。")
    asked = r.platform.slash(r.channel, r.hanako, REVIEW).wait_response()
    assert write(r, asked, "定款で決めます").flags & EPHEMERAL
    heard = r.script.heard[-1]
    assert (heard.text, heard.conversation, heard.group) == ("定款で決めます", r.pseudonym(r.hanako), False)


def test_alone_with_the_bot_words_are_simply_written(room: Callable[..., Room]) -> None:
    r = room("dm")
    r.script.says = replace(said("お名前は?", Choice("とばす")), act=Act.TAKE_TIP)
    opened = r.platform.slash(r.channel, r.hanako, "tip")
    assert labels(r.platform.submit_modal(opened, TIP).wait_response()) == ["とばす"]


def test_a_round_where_no_embeds_are_allowed_is_its_text_whole(room: Callable[..., Room]) -> None:
    r = room(permissions=ORDINARY & ~EMBED_LINKS)
    r.script.says = round_of(7, text="足場は1人で組まない。" * 30)
    asked = r.platform.slash(r.channel, r.hanako, REVIEW)
    asked.wait_response()
    r.platform.wait(lambda: asked.followups)
    everything = "".join(m.content for m in [asked.wait_response(), *asked.followups])
    assert everything.count("足場は") == 7 * 30


def test_cards_keep_to_discords_limits_however_long_they_are(room: Callable[..., Room]) -> None:
    r = room("dm")
    r.script.says = round_of(12, text="_足場_は*1人*で組まない。" * 400, large=True)
    before = len(r.platform.sent)
    r.platform.say(r.channel, r.hanako, "確認")
    assert len(r.count(10, before)) == 10


def test_a_code_is_used_out_of_others_sight_for_the_channel_it_is_typed_in(room: Callable[..., Room]) -> None:
    r = room()
    asked = r.platform.slash(r.channel, r.hanako, "link", code="ABCD-EFGH")
    assert asked.wait_response().ephemeral
    heard = r.script.heard[-1]
    assert (heard.text, heard.group, heard.conversation) == ("連携 ABCD-EFGH", True, r.pseudonym(r.channel))


@pytest.mark.parametrize("code", ["ABC", " ", "<@1>", "ABCDEFGHIJKLMN"])
def test_what_is_no_code_is_not_taken_for_a_question(room: Callable[..., Room], code: str) -> None:
    r = room()
    asked = r.platform.slash(r.channel, r.hanako, "link", code=code)
    assert asked.wait_response().content == say("code_wrong", "ja")
    assert asked.ephemeral
    assert not r.script.heard


def test_an_author_who_could_not_be_asked_can_be_asked_later(room: Callable[..., Room]) -> None:
    r = room()
    message = r.platform.say(r.channel, r.hanako, TIP["text"])
    r.platform.fail("POST", f"channels/{r.channel.id}/messages", status=403, times=1)
    assert "聞けません" in r.platform.message_command(message, SAVE, r.taro).wait_response().content
    before = len(r.platform.sent)
    assert "書いた人に" in r.platform.message_command(message, SAVE, r.taro).wait_response().content
    assert any("いいですよ" in labels(m) for m in r.platform.sent[before:])


def test_a_tip_for_ones_own_does_not_go_to_the_co_op_a_channel_is_linked_to_meanwhile(
    place: tuple[DiscordPlatform, Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as unused:
        r = Room(place, Script(place[1].yui.conversations, unused), "text")
    members, curation, here = r.bot.yui.members, r.bot.yui.curation, r.pseudonym(r.channel)
    for co_op in ("ueda", "suzaka"):
        members.put_co_op(CoOp(co_op, co_op))
    members.link(here, "ueda")
    shown = r.platform.submit_modal(r.platform.slash(r.channel, r.hanako, "tip"), TIP).wait_response()
    for answer in ("匿名で", "うちの組合だけ", "とばす"):
        shown = r.press(shown, answer).wait_response()
    members.link(here, "suzaka")
    asked = r.press(shown, "送る").wait_response()
    assert "だれに見せますか" in asked.content
    assert curation.mine(r.pseudonym(r.hanako)) == []
    shown = r.press(asked, "うちの組合だけ").wait_response()
    assert TIP["outcome"] in shown.content
    r.press(shown, "送る").wait_response()
    (tip,) = curation.mine(r.pseudonym(r.hanako))
    assert (tip.co_op, tip.draft.audience) == ("suzaka", Audience.of("coop:suzaka"))


def test_a_message_in_a_thread_tells_which_channel_it_belongs_to(room: Callable[..., Room]) -> None:
    r = room("thread")
    before = len(r.platform.sent)
    r.platform.say(r.channel, r.hanako, "<@BOT> コツ:足場は1人で組まない")
    r.count(1, before)
    assert r.parent
    assert r.script.heard[-1].within == (r.pseudonym(r.parent),)


def test_a_choice_too_long_to_carry_is_said_and_none_is_there_twice(room: Callable[..., Room]) -> None:
    r = room("dm")
    r.script.says = said("どれですか。", Choice("長い", "x" * 94), Choice("送る", "a.b"), Choice("もう一度", "a.b"))
    before = len(r.platform.sent)
    r.platform.say(r.channel, r.hanako, "コツ")
    (message,) = r.count(1, before)
    assert [b["custom_id"] for row in message.components for b in row["components"]] == ["yui:say:長い", "yui:do:a.b"]


def test_thrown_out_of_a_server_nothing_of_its_channels_stays(room: Callable[..., Room]) -> None:
    r = room()
    guild = r.platform.add_guild("ほかのサーバー")
    channel = r.platform.add_channel("相談", guild=guild)
    r.platform.settle()
    r.platform.remove_guild(guild)
    gone = {r.bot.yui.conversations.pseudonym("discord", str(i)) for i in (guild.id, channel.id)}
    r.platform.wait(lambda: gone <= set(r.script.left))


def test_a_form_from_before_a_restart_is_taken(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with DiscordPlatform(token=TOKEN) as platform:
        platform.add_guild("組合のサーバー")
        user, channel = platform.add_member("花子"), platform.add_channel("相談")
        with Running(settings(platform, data_folder)):
            platform.wait_ready()
            opened = platform.slash(channel, user, "tip")
            opened.wait_modal()
        with Running(settings(platform, data_folder)) as bot:
            script = Script(bot.yui.conversations, monkeypatch)
            platform.wait(lambda: platform.identifies == 2)
            platform.wait_ready()
            platform.submit_modal(opened, TIP).wait_response()
            assert script.offered[-1][1] == TIP
        assert platform.syncs == 1
