"""Similar tips, personal data and bad input in the talk about a tip: each has a clear answer, and nothing is lost or half done."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.dialogues import Dialogues
from bot.errors import UserMistake
from bot.tips.tip import Action, Consent, Draft, Tip
from knowledge import Audience, Database, StoreUnavailable
from tests.bot.people import GIVER, LUNCH, OTHER, SUZAKAS_GROUP, UEDAS_COORDINATOR, UEDAS_GROUP
from tests.bot.tip_chat import TIP, Chat, chatting, choices


@pytest.fixture
def chat(sqlite: Database, tmp_path: Path) -> Iterator[Chat]:
    with chatting(sqlite, tmp_path) as found:
        yield found


def published(chat: Chat) -> str:
    tip = chat.people.offer(author=OTHER, consent=Consent.ANONYMOUS)
    chat.people.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR)
    return tip


def test_the_same_tip_is_not_sent_twice(chat: Chat) -> None:
    published(chat)
    reply = chat.say(f"コツ：{LUNCH}", "送る")
    assert "もうあります" in reply.text
    assert LUNCH in reply.text
    assert "同じ経験" in chat.say("同じ").text
    assert chat.tips == []
    assert [key for key, _ in chat.people.notices.take([OTHER])][-1:] == ["tip_helped"]
    chat.say("送る")
    assert chat.tips == []


def test_the_same_counts_as_a_sign_that_it_helps_once_for_each_co_op(chat: Chat) -> None:
    """For those who review it, and behind it in answers; told more often it is not."""
    tip = published(chat)
    curation, now = chat.people.curation, chat.people.clock.now

    def helped() -> int:
        return curation.attributions([tip])[tip].helped

    def weight() -> float:
        held = curation.tip(tip, UEDAS_COORDINATOR)
        assert held is not None
        chat.people.clock.now = dt.datetime.combine(held.check_at or now.date(), now.time(), now.tzinfo)
        (waiting,) = curation.queue(UEDAS_COORDINATOR)
        chat.people.clock.now = now
        return waiting.weight

    alone = weight()
    for person, group, counted in (
        (OTHER, UEDAS_GROUP, 0),  # who gave it
        (GIVER, UEDAS_GROUP, 1),
        ("line:third", UEDAS_GROUP, 1),
        (GIVER, UEDAS_GROUP, 1),
        ("line:fourth", SUZAKAS_GROUP, 2),
    ):
        assert "同じ経験" in chat.of(person, group).say(f"コツ：{LUNCH}", "送る", "同じ").text
        assert helped() == counted
    assert weight() == pytest.approx(3 * alone)
    assert chat.people.notices.take([OTHER])[-1][0] == "tip_helped"
    assert "tip_helped" not in [key for key, _ in chat.people.notices.take([GIVER])]


@pytest.mark.parametrize("word", ["足す", "ちがう経験", "送る"])
def test_another_experience_goes_on(chat: Chat, word: str) -> None:
    published(chat)
    reply = chat.say(f"コツ：{LUNCH}", "送る", word)
    assert bool(chat.tips) == (word == "送る")
    if "送る" in choices(reply):
        chat.say("送る")
    assert chat.only.draft.text == LUNCH


def test_nothing_is_shown_that_may_not_be_found_here(chat: Chat) -> None:
    tip = chat.people.offer(audience=Audience.of("coop:ueda"), author=OTHER)
    chat.people.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR)
    suzaka = chat.of(group=SUZAKAS_GROUP)
    suzaka.say(f"コツ：{LUNCH}", "送る")
    assert len(suzaka.tips) == 1
    assert all("もうあります" not in reply.text for reply in suzaka.replies if reply)


PERSONAL = "利用者の田中花子さんは糖尿病なので減塩にした。090-1234-5678"


def test_personal_data_is_taken_out_before_anything_is_sent(chat: Chat) -> None:
    reply = chat.say(f"コツ：{PERSONAL}", "送る")
    assert all(word in reply.text for word in ("田中花子さん", "糖尿病", "090-1234-5678"))
    assert "このままでよい" not in choices(reply)
    chat.say("送る", "このままでよい", "ええと")
    assert chat.tips == []
    chat.say("消す", "送る")
    text = chat.only.draft.text
    assert not any(word in text for word in ("田中", "糖尿病", "090"))
    assert "減塩にした" in text


def test_personal_data_is_found_in_every_piece(chat: Chat) -> None:
    reply = chat.say(f"コツ：{TIP}", "厨房 090-1234-5678", "先月", "田中花子さんがよろこんだ")
    assert "田中花子さん" in reply.text
    assert "090-1234-5678" in reply.text
    chat.say("消す", "送る")
    assert "090" not in chat.only.draft.place
    assert "田中" not in chat.only.draft.outcome


def test_ones_own_name_may_stay(chat: Chat) -> None:
    reply = chat.say("コツ：田中花子さんに教わった結び方でひもがゆるまない", "送る")
    assert "このままでよい" in choices(reply)
    chat.say("このままでよい", "送る")
    assert "田中花子さん" in chat.only.draft.text


def test_it_can_be_written_again(chat: Chat) -> None:
    chat.say(f"コツ：{PERSONAL}", "送る")
    assert "何をしましたか" in chat.say("書きなおす").text
    chat.say("減塩の献立を週に二日にした", "送る")
    assert chat.only.draft.text == "減塩の献立を週に二日にした"


# bad input


@pytest.mark.parametrize(("text", "says"), [("あ", "短すぎ"), ("保" * 20_000, "2,000文字"), ("保" * 2_001, "2,000文字")])
def test_a_text_too_short_or_too_long_is_said_to_be(chat: Chat, text: str, says: str) -> None:
    assert says in chat.say("コツ", text).text
    assert says in chat.of(OTHER).say(f"コツ：{text}").text
    chat.say(TIP, "保" * 20_000, "送る")
    assert (chat.only.draft.text, chat.only.draft.place) == (TIP, "")


def test_what_is_added_cannot_make_it_too_long(chat: Chat) -> None:
    chat.say("コツ：" + "保冷剤。" * 490)
    assert "2,000文字" in chat.say("あと、" + "氷。" * 100).text
    chat.say("送る")
    assert len(chat.only.draft.text) == 4 * 490


def test_a_sticker_or_a_file_is_no_tip(chat: Chat) -> None:
    chat.say("コツ")
    assert chat.waits("", unreadable=True)
    assert "文字で" in chat.say("", unreadable=True).text
    chat.say(TIP)
    assert "文字で" in chat.say("", unreadable=True).text
    chat.say("送る")
    assert len(chat.tips) == 1
    assert chat.of(OTHER).hear("", unreadable=True) is None


HOSTILE = ["<script>alert(1)</script>", "<b>太字</b>", "@everyone <@123>", "{0} {send} %s", "'; DROP TABLE tips;--", "{{7*7}}"]


@pytest.mark.parametrize("bad", HOSTILE)
def test_every_piece_is_plain_text(chat: Chat, bad: str) -> None:
    chat.say(f"コツ：{TIP}{bad}", bad, bad, bad, "名前で", bad, "だれでも")
    chat.say("送る")
    draft = chat.only.draft
    assert draft.text == TIP + bad
    assert draft.place == draft.happened == draft.outcome == draft.author_name == bad


def test_a_talk_kept_by_another_version_is_left_alone(chat: Chat) -> None:
    dialogues = Dialogues(chat.people.database)
    chat.say(f"コツ：{TIP}")
    row = dialogues.find(UEDAS_GROUP, GIVER, "tip", chat.people.clock())
    assert row is not None
    dialogues.keep(replace(row, step="a step of tomorrow"))
    assert chat.hear("厨房") is None
    chat.say(f"コツ：{TIP}", "送る")
    assert len(chat.tips) == 1


def test_a_refused_tip_stays_a_draft(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> Tip:
        raise UserMistake("いまは受けとれません。")

    chat.say(f"コツ：{TIP}", "厨房")
    with monkeypatch.context() as patched:
        patched.setattr(chat.people.curation, "offer", refuse)
        assert "いまは受けとれません" in chat.say("送る").text
    chat.say("送る")
    assert (chat.only.draft.text, chat.only.draft.place) == (TIP, "厨房")


def test_a_failure_loses_nothing(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Tip:
        raise OSError("The disk is gone.")

    chat.say(f"コツ：{TIP}")
    with monkeypatch.context() as patched:
        patched.setattr(chat.people.curation, "offer", fail)
        with pytest.raises(OSError, match="disk"):
            chat.hear("送る")
    chat.say("送る")
    assert chat.only.draft.text == TIP


def test_where_nobody_is_known_nothing_is_begun(chat: Chat) -> None:
    nobody = chat.of()
    nobody.person = ""
    assert "1対1" in nobody.say(f"コツ：{TIP}").text
    assert nobody.hear("厨房") is None
    assert not nobody.waits("厨房")


def test_a_message_of_no_conversation_begins_nothing(chat: Chat) -> None:
    nowhere = chat.of()
    nowhere.group = nowhere.person = ""
    assert "1対1" in nowhere.say(f"コツ：{TIP}").text
    assert nowhere.hear("厨房") is None
    assert "1対1" in chat.talk.offer(nowhere.message(""), Draft(TIP), "ja").text


def test_a_database_that_refuses_keeps_nobody_from_an_answer(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreUnavailable("The database does not answer.")

    monkeypatch.setattr(Dialogues, "find", refuse)
    assert chat.hear("監事は何人?") is None
    assert not chat.waits("監事は何人?")


def test_a_pressed_button_of_another_kind_is_left_to_others(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}")
    assert chat.hear("公開", press="tip-1.1.publish.sig") is None


def test_who_is_forgotten_has_no_draft(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}")
    chat.talk.forget(GIVER)
    assert not chat.waits("厨房")
    assert "ありません" in chat.say("コツのつづき").text


def test_no_text_and_no_name_is_logged(chat: Chat, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    chat.say(f"コツ：{PERSONAL}", "送る", "消す", "送る")
    assert not any(word in caplog.text for word in ("田中", "減塩", GIVER))
