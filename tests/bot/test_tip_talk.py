"""The talk by which a member offers a tip: told step by step or at once, skipped, undone, left, gone on with, sent once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.dialogues import Dialogues
from bot.members import CoOp
from bot.tips.talk import TipTalk
from bot.tips.tip import Consent, Draft, TipState
from bot.wording import LANGUAGES
from knowledge import FEDERATION, PUBLIC, Audience, Database
from tests.bot.people import GIVER, NOBODYS_GROUP, OTHER, SUZAKAS_GROUP, UEDAS_GROUP
from tests.bot.tip_chat import ITS_PIECES, ITS_QUESTION, TIP, Chat, chatting, choices


@pytest.fixture
def chat(sqlite: Database, tmp_path: Path) -> Iterator[Chat]:
    with chatting(sqlite, tmp_path) as found:
        yield found


def test_a_tip_is_told_one_thing_at_a_time(chat: Chat) -> None:
    assert "何をしましたか" in chat.say("コツ").text
    assert "どこ" in chat.say(TIP).text
    assert "いつ" in chat.say(ITS_PIECES[0]).text
    assert "どうなり" in chat.say(ITS_PIECES[1]).text
    assert "組合の名前で" in choices(chat.say(ITS_PIECES[2]))
    assert choices(chat.say("組合の名前で"))[:4] == ["うちの組合だけ", "えらんだ組合", "連合の組合みんな", "だれでも"]
    assert "どんなときに役立ちますか" in chat.say("連合の組合みんな").text
    summary = chat.say(ITS_QUESTION)
    assert all(piece in summary.text for piece in (TIP, *ITS_PIECES, ITS_QUESTION, "労協うえだ", "連合の組合みんな"))
    assert choices(summary)[0] == "送る"
    assert chat.tips == []
    assert "未確認" in chat.say("送る").text
    draft = chat.only.draft
    assert (draft.text, draft.place, draft.happened, draft.outcome) == (TIP, *ITS_PIECES)
    assert draft.question == ITS_QUESTION
    assert draft.consent is Consent.CO_OP
    assert draft.audience == Audience.of("coop:ueda", FEDERATION)
    assert (chat.only.author, chat.only.conversation, chat.only.co_op) == (GIVER, UEDAS_GROUP, "ueda")
    assert chat.only.state is TipState.WAITING


@pytest.mark.parametrize(
    "opening",
    [
        f"コツ：{TIP}",
        f"コツ:{TIP}",
        f"ｺﾂ：{TIP}",
        f"コツ　{TIP}",
        f"コツ {TIP}",
        f"こつ: {TIP}",
        f"tip: {TIP}",
        f"ＴＩＰ：{TIP}",
        f"\u200bコツ：{TIP}\x00",
    ],
)
def test_a_tip_begins_in_many_ways(chat: Chat, opening: str) -> None:
    assert "どこ" in chat.say(opening).text
    chat.say("送る")
    assert chat.only.draft.text == TIP


@pytest.mark.parametrize("opening", ["コツ", "コツを教える", "コツを書く", "コツを足す", "コツを登録したい", "コツ：", "add a tip"])
def test_a_beginning_without_words_asks_for_them(chat: Chat, opening: str) -> None:
    assert "何をしましたか" in chat.say(opening).text


@pytest.mark.parametrize(
    "text",
    ["コツを教えて", "コツある?", "コツ 夏の弁当はどうしてる?", "夏の弁当のコツは?", "コツコツ働く", "監事は何人?", "", "はい"],
)
def test_what_begins_no_tip_is_left_to_others(chat: Chat, text: str) -> None:
    assert chat.hear(text) is None
    assert not chat.waits(text)


def test_what_was_told_at_once_is_not_asked_again(chat: Chat) -> None:
    reply = chat.say("コツ：去年の夏、みどり生協の配食で、ふたの上に保冷剤を置いたらいたみませんでした。")
    assert "お名前" in reply.text
    reply = chat.say("匿名で", "だれでも", "とばす")
    assert "【どこ】みどり生協の配食" in reply.text
    assert "【いつ】去年の夏" in reply.text
    chat.say("送る")
    assert chat.only.draft.audience == Audience.of("coop:ueda", PUBLIC)


def test_lines_with_names_are_taken_apart(chat: Chat) -> None:
    lines = f"どこ：厨房\nいつ：先週\n結果：いたまない\nどんなとき：{ITS_QUESTION}"
    assert "お名前" in chat.say(f"コツ：{TIP}\n{lines}").text
    assert "こう送ります" in chat.say("いつ：先月", "とばす", "とばす").text
    chat.say("送る")
    draft = chat.only.draft
    assert draft.question == ITS_QUESTION
    assert (draft.text, draft.place, draft.happened, draft.outcome) == (TIP, "厨房", "先月", "いたまない")


def test_every_step_can_be_skipped(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "とばす", "覚えてない", "なし", "とばす", "とばす")
    summary = chat.say("とばす")
    assert "匿名で" in summary.text
    assert "うちの組合だけ" in summary.text
    chat.say("送る")
    assert chat.only.draft.audience == Audience.of("coop:ueda")


def test_sent_early_what_was_not_chosen_is_named(chat: Chat) -> None:
    reply = chat.say(f"コツ：{TIP}", "送る")
    assert "匿名で" in reply.text
    assert "うちの組合だけ" in reply.text
    assert "なおす" in choices(reply)
    draft = chat.only.draft
    assert draft.consent is Consent.ANONYMOUS
    assert draft.audience == Audience.of("coop:ueda")
    chat.say("なおす", "見せる人", "連合の組合みんな", "送る")
    assert chat.only.draft.audience == Audience.of("coop:ueda", FEDERATION)
    assert chat.only.version == 2


def test_a_second_tap_sends_nothing(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "送る")
    assert "もう送って" in chat.say("送る").text
    assert len(chat.tips) == 1


def test_two_processes_send_once(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}")
    together = threading.Barrier(2)
    message = chat.message("送る")

    def send() -> None:
        together.wait()
        TipTalk(chat.people.curation, chat.people.members, Dialogues(chat.people.database), chat.people.clock, "結").take(
            message, "ja"
        )

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(chat.tips) == 1


def test_nothing_told_is_not_sent(chat: Chat) -> None:
    assert "まだ何も" in chat.say("コツ", "送る").text
    assert chat.tips == []


def test_back_goes_one_step_back_and_keeps_what_was_told(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "厨房")
    reply = chat.say("もどる")
    assert "どこ" in reply.text
    assert "厨房" in reply.text
    assert "何をしましたか" in chat.say("もどる").text
    assert "何をしましたか" in chat.say("もどる").text
    chat.say("ふたの下にも保冷剤を置く", "とばす", "送る")
    assert chat.only.draft.text == "ふたの下にも保冷剤を置く"
    assert chat.only.draft.place == "厨房"


def test_any_piece_can_be_mended_before_it_is_sent(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "とばす", "とばす", "とばす", "匿名で", "だれでも", "とばす")
    assert "【どこ】" in chat.say("なおす", "2", "厨房").text
    assert "名前の出し方】みどり" in chat.say("なおす", "名前の出し方", "名前で", "みどり").text
    assert "こう送ります" in chat.say("なおす", "もどる").text
    chat.say("送る")
    assert (chat.only.draft.place, chat.only.draft.author_name, chat.only.draft.consent) == ("厨房", "みどり", Consent.NAME)


def test_a_name_is_asked_for_where_one_shall_stand(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "とばす", "とばす", "とばす")
    assert "どんな名前" in chat.say("名前で").text
    assert "名前だけ" in chat.say("みどり 090-1234-5678").text
    assert "だれに見せます" in chat.say("みどり").text


def test_chosen_co_ops_are_named(chat: Chat) -> None:
    chat.people.members.put_co_op(CoOp("hidden", "労協かくれ", findable=False))
    chat.say(f"コツ：{TIP}", "とばす", "とばす", "とばす", "とばす")
    asked = chat.say("えらんだ組合")
    assert "労協すざか" in choices(asked)
    assert "労協かくれ" not in choices(asked)
    assert "労協すざか" in chat.say("すざか").text
    assert "かくれ" not in chat.say("労協かくれ").text
    assert "労協すざか" in chat.say("労協すざか", "とばす").text
    chat.say("送る")
    assert chat.only.draft.audience == Audience.of("coop:ueda", "coop:suzaka")


def test_a_group_without_co_op_has_its_own_words(chat: Chat) -> None:
    chat = chat.of(group=NOBODYS_GROUP)
    chat.say(f"コツ：{TIP}", "とばす", "とばす")
    reply = chat.say("とばす")
    assert "組合の名前で" not in choices(reply)
    reply = chat.say("匿名で")
    assert "このグループだけ" in choices(reply)
    assert "えらんだ組合" not in choices(reply)
    chat.say("1", "送る")
    assert chat.only.co_op == ""
    assert chat.only.draft.audience == Audience.of(f"chat:{NOBODYS_GROUP}")


def test_the_question_it_was_offered_for_goes_with_it(chat: Chat) -> None:
    chat.say("コツを足す", question="夏の弁当は? 田中花子さん 090-1234-5678")
    chat.say(TIP, "送る")
    assert chat.only.draft.question.startswith("夏の弁当は?")
    assert "090" not in chat.only.draft.question


def test_pieces_told_in_a_form_are_not_asked_for(chat: Chat) -> None:
    reply = chat.talk.offer(chat.message(""), Draft(TIP, place="厨房", outcome="いたまない"), "ja")
    assert "いつ" in reply.text
    chat.say("先月", "送る")
    assert (chat.only.draft.place, chat.only.draft.happened) == ("厨房", "先月")


def test_for_anothers_words_they_are_asked_to_be_pasted(chat: Chat) -> None:
    reply = chat.say("今の田中さんの話をコツにして")
    assert "貼って" in reply.text
    assert "どこ" in chat.say(TIP).text


# leaving, going on, time, several people


def test_a_talk_that_is_left_can_be_gone_on_with_for_a_week(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "厨房")
    assert "@ボット コツのつづき" in chat.say("やめる").text
    assert not chat.waits("去年の夏")
    assert chat.hear("去年の夏") is None
    assert "いつ" in chat.say("コツのつづき", after=6 * 86_400).text
    chat.say("去年の夏", "送る")
    assert (chat.only.draft.text, chat.only.draft.place, chat.only.draft.happened) == (TIP, "厨房", "去年の夏")


def test_after_a_week_the_draft_is_gone(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "やめる")
    assert "ありません" in chat.say("コツのつづき", after=7 * 86_400 + 1).text


def test_a_draft_can_be_discarded(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "やめる", "書きかけを消す")
    assert "ありません" in chat.say("コツのつづき").text


def test_it_waits_five_minutes(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}")
    assert chat.waits("厨房", after=5 * 60)
    assert not chat.waits("厨房", after=1)
    assert chat.hear("厨房") is None
    assert "つづき" in chat.say("送る").text  # a late tap brings the talk back and sends nothing
    assert chat.tips == []
    assert chat.waits("厨房")


def test_it_waits_for_its_own_person_only(chat: Chat) -> None:
    other = chat.of(OTHER)
    chat.say(f"コツ：{TIP}")
    assert chat.waits("厨房")
    assert not other.waits("厨房")
    assert other.hear("厨房") is None
    assert not chat.of(group=SUZAKAS_GROUP).waits("厨房")


def test_two_people_tell_at_once(chat: Chat) -> None:
    other = chat.of(OTHER)
    chat.say(f"コツ：{TIP}")
    other.say("コツ：台車は段差のない道を通る")
    chat.say("厨房", after=1)
    other.say("配達", after=1)
    chat.say("送る")
    other.say("送る")
    assert (chat.only.draft.text, chat.only.draft.place) == (TIP, "厨房")
    assert (other.only.draft.text, other.only.draft.place) == ("台車は段差のない道を通る", "配達")


def test_small_talk_in_the_group_is_not_for_the_bot(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}")
    assert not any(chat.waits(text) for text in ("@田中 あとで電話して", "ありがとう", "おはよう", "👍", "🙏"))
    assert not chat.waits("", unreadable=True)


def test_messages_in_a_row_are_one_text(chat: Chat) -> None:
    chat.say("コツ：弁当の保冷剤は、")
    chat.say("上に置くと", "ぬるくならんかったよ", after=3)
    assert "どこ" in chat.say("あと、氷は袋を分ける").text
    chat.say("厨房", "送る")
    assert chat.only.draft.text == "弁当の保冷剤は、上に置くとぬるくならんかったよ\nあと、氷は袋を分ける"
    assert chat.only.draft.place == "厨房"


def test_a_quick_answer_is_an_answer(chat: Chat) -> None:
    for said in (("みどり生協の配食です", "去年の夏"), ("厨房", "先月から"), ("上田市で配食をやっています", "3年前")):
        chat.say(f"コツ：{TIP}")
        chat.say(*said, "送る", after=0)
        assert (chat.tips[-1].draft.place, chat.tips[-1].draft.happened) == (said[0].removesuffix("です"), said[1])
        chat.people.curation.withdraw(chat.tips[-1].id, GIVER)


def test_a_day_told_where_a_place_was_asked_is_a_day(chat: Chat) -> None:
    assert "どこ" in chat.say(f"コツ：{TIP}", "去年の夏から").text
    assert "どうなり" in chat.say("厨房").text
    chat.say("送る")
    assert (chat.only.draft.place, chat.only.draft.happened) == ("厨房", "去年の夏から")


def test_an_older_draft_is_not_lost_to_a_new_tip(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", "やめる")
    assert TIP in chat.say("コツ：台車は段差のない道を通る").text
    assert "どこ" in chat.say("つづける").text
    chat.say("コツ：台車は段差のない道を通る", "やめる", "コツのつづき", "新しく書く", "送る")
    assert chat.only.draft.text == "台車は段差のない道を通る"


# questions and commands in between


@pytest.mark.parametrize(
    "text",
    [
        "総会の公告は何日前?",
        "監事の任期は？",
        "総会の公告は何日前",
        "使い方",
        "わたしの記録を消して",
        "字を大きく",
        "今、利用者さんが倒れた!",
        "出典は",
    ],
)
def test_what_is_no_piece_is_answered_elsewhere_and_the_talk_waits(chat: Chat, text: str) -> None:
    chat.say(f"コツ：{TIP}")
    assert chat.hear(text, after=200) is None
    assert chat.waits("厨房", after=200)
    chat.say("厨房", "送る")
    assert chat.only.draft.place == "厨房"


@pytest.mark.parametrize("text", ["去年の夏だったかな?", "3年前だっけ？", "いつも", "夏"])
def test_a_doubtful_answer_is_an_answer(chat: Chat, text: str) -> None:
    chat.say(f"コツ：{TIP}", "厨房", text, "送る")
    assert chat.only.draft.happened == text


def test_where_a_question_is_asked_for_one_is_an_answer(chat: Chat) -> None:
    """Several ways to ask, one a line; nobody's telephone number with them."""
    chat.say(f"コツ：{TIP}", "とばす", "とばす", "とばす", "匿名で")
    assert "どんなとき" in chat.say("だれでも").text
    assert chat.waits("夏の弁当が悪くならないようにするには?")
    assert chat.hear("今、利用者さんが倒れた!") is None
    assert "電話" in chat.say("弁当がいたむ\n090-1234-5678 に聞かれたら?").text
    summary = chat.say("消す").text
    assert "【どんなとき】弁当がいたむ" in summary
    assert "090" not in summary
    asked = "弁当がいたまないようにするには？\n夏の配食で気をつけることは何ですか"
    assert asked in chat.say("なおす", "どんなとき", asked).text
    chat.say("送る")
    assert chat.only.draft.question == asked


def test_who_answers_a_question_is_not_asked_for_one(chat: Chat) -> None:
    chat.say("コツを足す", question="夏の弁当はどうする?")
    summary = chat.say(TIP, "とばす", "とばす", "とばす", "匿名で", "だれでも").text
    assert "【どんなとき】夏の弁当はどうする?" in summary
    assert "こう送ります" in summary


def test_a_question_alone_is_no_tip(chat: Chat) -> None:
    chat.say("コツ")
    assert chat.hear("総会の公告は何日前?") is None
    chat.say("保冷剤は上がいいですか? うちはそうしたら冷えました。", "送る")
    assert chat.only.draft.text.startswith("保冷剤は上がいいですか")


def test_remove_alone_asks_what(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}")
    reply = chat.say("消して")
    assert choices(reply) == ["書きかけを消す", "わたしの記録を消して"]
    chat.say("送る")
    assert len(chat.tips) == 1


def test_thanks_are_no_piece_but_an_outcome_may_be(chat: Chat) -> None:
    assert "どこ" in chat.say(f"コツ：{TIP}", "ありがとう").text
    chat.say("とばす", "とばす", "助かりました", "送る")
    assert (chat.only.draft.place, chat.only.draft.outcome) == ("", "助かりました")


# any language, anything


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_whole_talk_in_every_language_by_its_buttons(chat: Chat, language: str) -> None:
    chat.language = language
    chat.say("コツ", TIP)
    for _ in range(3):
        chat.say(choices(chat.replies[-1] or chat.say("?"))[0])  # skip
    for _ in range(2):
        asked = chat.replies[-1]
        assert asked is not None
        chat.say(choices(asked)[2])  # the third way to be named, the third audience
    summary = chat.say(choices(chat.replies[-1] or chat.say("?"))[0])  # skip
    chat.say(choices(summary)[0])
    assert chat.only.draft.consent is Consent.ANONYMOUS
    assert chat.only.draft.audience == Audience.of("coop:ueda", FEDERATION)


_BEGINNINGS = ["コツ", f"コツ：{TIP}", "コツ：台車は段差のない道を通る", "コツを足す", "今の話をコツにして", "コツのつづき"]
_OWN = ["わたしのコツ", "1を消して", "2 をなおす", "はい", "いいえ", "1", "2", "6", "9番"]
_COMMANDS = [
    "送る",
    "とばす",
    "もどる",
    "やめる",
    "なおす",
    "書きなおす",
    "書きかけを消す",
    "消して",
    "消す",
    "このままでよい",
    "同じ",
    "足す",
]
_CHOSEN = ["名前で", "匿名で", "えらんだ組合", "労協すざか", "だれでも", "つづける", "新しく書く"]
_TOLD = [
    "厨房",
    "去年の夏",
    "いたまなかった",
    "あと、氷は袋を分ける",
    "どこ：厨房",
    "田中花子さん 090-1234-5678",
    "監事は何人?",
    "ありがとう",
]
_SAID = st.sampled_from([*_BEGINNINGS, *_OWN, *_COMMANDS, *_COMMANDS, *_CHOSEN, *_TOLD]) | st.text(max_size=40)
_GIVES_UP = {"書きかけを消す", "新しく書く", "同じ", "1", "2", "6", "9番"}  # numbers choose what stands under them


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(st.tuples(_SAID, st.sampled_from([0, 5, 60, 400]), st.booleans()), max_size=14))
def test_whatever_is_said_nothing_is_sent_unasked_or_lost(chat: Chat, said: list[tuple[str, float, bool]]) -> None:
    other = chat.of(OTHER)
    for text, after, is_other in said:
        speaks, listens = (other, chat) if is_other else (chat, other)
        before, draft, untouched = len(speaks.tips), _draft(speaks), (listens.tips, _draft(listens))
        speaks.waits(text)
        reply = speaks.hear(text, after=after)
        assert reply is None or reply.text
        assert (listens.tips, _draft(listens)) == untouched
        more = len(speaks.tips) - before
        assert more <= 0 or text == "送る"
        assert more >= 0 or text in ("はい", "消す", "消して")
        if draft and text not in _GIVES_UP and text != "送る":
            assert _draft(speaks), text


def _draft(chat: Chat) -> str:
    row = Dialogues(chat.people.database).find(chat.group, chat.person, "tip", chat.people.clock())
    return str(row.draft["draft"]["text"]) if row else ""


def test_a_message_dealt_with_again_fills_one_step(chat: Chat) -> None:
    """As after a crash between what was kept and the reply; whoever writes the same words twice means them twice."""
    first = chat.say(f"コツ：{TIP}", id="1")
    assert chat.say(f"コツ：{TIP}", id="1").text == first.text
    second = chat.say("厨房", id="2")
    assert chat.say("厨房", id="2").text == chat.say(f"コツ：{TIP}", id="1").text == second.text
    assert "どうなり" in chat.say("厨房", id="3").text  # what was asked then: when
    chat.say("送る", id="4")
    assert "もう送って" in chat.say("送る", id="4").text
    assert (chat.only.draft.text, chat.only.draft.place, chat.only.draft.happened) == (TIP, "厨房", "厨房")


def test_a_question_in_between_is_answered_again(chat: Chat) -> None:
    chat.say(f"コツ：{TIP}", id="1")
    assert chat.hear("監事は何人?", id="2") is chat.hear("監事は何人?", id="2") is None


class PowerFailure(BaseException):
    pass


def fails(*_: object, **__: object) -> None:
    raise PowerFailure


@pytest.mark.parametrize(("at", "already"), [("offer", False), ("keep", True)])
def test_what_was_being_sent_when_the_process_died_is_sent_once(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, at: str, *, already: bool
) -> None:
    chat.say(f"コツ：{TIP}", id="1")
    with monkeypatch.context() as broken:
        broken.setattr(chat.people.curation if at == "offer" else Dialogues, at, fails)
        with pytest.raises(PowerFailure):
            chat.say("送る", id="2")
    assert len(chat.tips) == already
    assert ("もう送って" if already else "送りました") in chat.say("送る", id="2").text
    assert "もう送って" in chat.say("送る", id="2").text
    assert chat.only.draft.text == TIP
