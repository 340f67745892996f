"""The round in the chat: what waits, decided by one tap or one line, however often and by however many it is pressed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import UserMistake
from bot.members import Grant, Role
from bot.messages import Card, IncomingMessage, Reply
from bot.tips.tip import Action, Draft, TipState
from knowledge import FEDERATION, Audience, Database
from tests.bot.people import (
    ASKED,
    FEDERATIONS,
    GIVER,
    LUNCH,
    OTHER,
    SUZAKA,
    SUZAKAS_COORDINATOR,
    SUZAKAS_GROUP,
    UEDA,
    UEDAS_COORDINATOR,
    UEDAS_GROUP,
    People,
    people,
)

NIGHT = "会議は月に1回、夜の7時から公民館でしています。"


@pytest.fixture
def here(database: Database, tmp_path: Path) -> Iterator[People]:
    with people(database, tmp_path) as found:
        yield found


def say(here: People, text: str = "", who: str = UEDAS_COORDINATOR, press: str = "", group: str = "") -> Reply | None:
    return here.round.take(IncomingMessage(group or who, text, who, group=bool(group), press=press), "ja")


def told(reply: Reply | None) -> str:
    assert reply is not None
    return reply.text


def cards(here: People, who: str = UEDAS_COORDINATOR) -> tuple[Card, ...]:
    reply = say(here, "確認", who)
    assert reply is not None
    return reply.cards


def button(card: Card, label: str) -> str:
    return next(c.data for c in card.choices if c.text == label)


def ask(here: People, text: str = ASKED, co_op: str = UEDA) -> None:
    group = {UEDA: UEDAS_GROUP, SUZAKA: SUZAKAS_GROUP}[co_op]
    here.questions.record(text, asker=OTHER, conversation=group, co_op=co_op, nearest=())


def state(here: People, tip: str) -> TipState:
    held = here.curation.tip(tip, FEDERATIONS)
    assert held is not None
    return held.state


def test_one_tap_publishes_and_the_card_tells_what_there_is(here: People) -> None:
    tip = here.offer(place="上田市", outcome="1つもいたみませんでした")
    (card,) = cards(here)
    assert card.title == "1. コツの確認"
    assert LUNCH in card.text
    assert "上田市" in card.text
    assert [c.text for c in card.choices] == ["公開", "たずねる", "見送る", "あとで"]
    assert told(say(here, press=button(card, "公開"))).startswith("公開しました。\nいま確認するものはありません。")
    assert here.finds(SUZAKAS_GROUP) == [tip]


def test_a_second_tap_a_second_coordinator_and_an_old_card_do_nothing(here: People) -> None:
    tip = here.offer()
    (card,) = cards(here)
    (others,) = cards(here, FEDERATIONS)
    say(here, press=button(card, "公開"))
    assert told(say(here, press=button(card, "公開"))).startswith("もう済んでいます。")
    assert told(say(here, who=FEDERATIONS, press=button(others, "公開"))).startswith("もう済んでいます。")
    here.curation.change(tip, GIVER, Draft(NIGHT, audience=Audience.of(FEDERATION)))
    assert told(say(here, press=button(card, "見送る"))).startswith("この間に変わっています。")
    assert state(here, tip) is TipState.WAITING
    here.curation.withdraw(tip, GIVER)
    assert told(say(here, press=button(card, "公開"))).startswith("もうありません。")


def test_a_forged_button_is_no_button(here: People) -> None:
    tip = here.offer()
    signed = button(cards(here)[0], "見送る")
    value, _, signature = signed.rpartition(".")
    for forged in (f"{value.replace('decline', 'publish')}.{signature}", f"{signed}x", "tip-1.1.publish", "."):
        assert say(here, press=forged) is None
    assert say(here, press=here.signer.sign("rating", value)) is None
    assert state(here, tip) is TipState.WAITING


@pytest.mark.parametrize("who", [SUZAKAS_COORDINATOR, OTHER])
def test_a_foreign_button_decides_nothing_and_tells_nothing(here: People, who: str) -> None:
    tip = here.offer()
    (card,) = cards(here)
    for choice in card.choices:
        reply = told(say(here, who=who, press=choice.data))
        assert reply.startswith("このコツを決められるのは")
        assert "保冷剤" not in reply
    assert state(here, tip) is TipState.WAITING


def test_who_reviews_nothing_is_not_heard_here(here: People) -> None:
    here.offer()
    for group in ("", UEDAS_GROUP):
        assert told(say(here, "確認", OTHER, group=group)).startswith("「確認」は、コツや質問を確かめる係の人のためのものです。")
    assert say(here, "1 公開", OTHER) is None


def test_whose_role_was_taken_back_decides_nothing_more(here: People) -> None:
    tip = here.offer()
    ask(here)
    shown = cards(here)
    say(here, press=next(button(c, "答える") for c in shown if "質問" in c.title))
    here.members.take(UEDAS_COORDINATOR, Grant(Role.COORDINATOR, UEDA))
    assert say(here, "夏のお弁当には、氷を入れています。") is None  # no answer any more
    for reply in (say(here, "1 公開"), *(say(here, press=c.data) for card in shown for c in card.choices)):
        assert told(reply).startswith("このコツを決められるのは")
    assert state(here, tip) is TipState.WAITING
    assert len(here.questions.topics(FEDERATIONS)) == 1


@pytest.mark.parametrize("label", ["見送る", "たずねる", "あとで"])
def test_what_another_coordinator_has_decided_holds(here: People, label: str) -> None:
    tip = here.offer()
    (card,), (others,) = cards(here), cards(here, FEDERATIONS)
    say(here, who=FEDERATIONS, press=button(others, "公開"))
    assert told(say(here, press=button(card, label))).startswith("この間に変わっています。")
    assert state(here, tip) is TipState.PUBLISHED
    assert here.finds(SUZAKAS_GROUP) == [tip]


def test_putting_off_twice_is_putting_off_once(here: People) -> None:
    here.offer()
    data = button(cards(here)[0], "あとで")
    assert told(say(here, press=data)).startswith("1週間あとに、また出します。")
    here.clock.now += dt.timedelta(seconds=1)
    assert told(say(here, press=data)).startswith("もう済んでいます。")
    assert told(say(here, "元に戻す")) == "元に戻しました。"
    assert len(cards(here)) == 1


def test_an_undo_button_takes_back_its_own_decision_only(here: People) -> None:
    tip = here.offer()
    (card,) = cards(here)
    say(here, press=button(card, "あとで"))
    here.clock.now += dt.timedelta(minutes=1)
    done = say(here, press=button(card, "公開"))
    assert done is not None
    (undo,) = [c.data for c in done.choices if c.text == "元に戻す"]
    assert len(undo) <= 90
    assert [told(say(here, press=undo)) for _ in range(2)] == ["元に戻しました。", "もう済んでいます。"]
    assert cards(here) == ()  # still put off
    here.clock.now += dt.timedelta(minutes=1)
    here.curation.decide(tip, 1, Action.DECLINE, FEDERATIONS, reason="ちがいます")
    assert told(say(here, press=undo)) == "もう済んでいます。"
    assert state(here, tip) is TipState.DECLINED


def test_what_was_decided_long_ago_is_not_taken_back_by_a_word(here: People) -> None:
    tip = here.offer()
    say(here, press=button(cards(here)[0], "公開"))
    assert say(here, "監事は何人いりますか") is None  # another talk
    assert say(here, "取り消し") is None
    here.clock.now += dt.timedelta(days=2)
    assert say(here, "元に戻す") is None
    assert state(here, tip) is TipState.PUBLISHED


@pytest.mark.parametrize(
    ("text", "after", "reason"),
    [
        ("公開", TipState.PUBLISHED, ""),
        ("出して", TipState.PUBLISHED, ""),
        ("いいよ", TipState.PUBLISHED, ""),
        ("これは公開でお願いします", TipState.PUBLISHED, ""),
        ("1番、出してください", TipState.PUBLISHED, ""),
        ("だめです", TipState.DECLINED, "いまのところ、みんなに知らせるには情報が足りません。"),
        ("却下、個人名があるから", TipState.DECLINED, "個人名があるから"),
        ("聞き返す:いつのこと?", TipState.ASKED_BACK, "いつのこと?"),
        ("いいです", TipState.WAITING, None),  # yes or no?
        ("公開はいつですか", TipState.WAITING, None),
        ("公開しないで", TipState.WAITING, None),
        ("1 いいです", TipState.WAITING, None),
        ("1と2 公開", TipState.WAITING, None),
    ],
)
def test_in_ones_own_words_about_the_only_card(here: People, text: str, after: TipState, reason: str | None) -> None:
    tip = here.offer()
    cards(here)
    say(here, text)
    assert state(here, tip) is after
    heard = here.notices.take([GIVER])
    assert [values["reason"] for _, values in heard] == ([] if reason is None else [reason])


def test_of_several_cards_one_is_named_first(here: People) -> None:
    first = here.offer()
    here.clock.now += dt.timedelta(minutes=1)
    second = here.offer(NIGHT)
    assert len(cards(here)) == 2
    assert "番号で" in told(say(here, "いいよ"))
    named = say(here, "2番")
    assert named is not None
    assert [c.title for c in named.cards] == ["2. コツの確認"]
    assert "「2 公開」" in named.text
    assert say(here, "ありがとう") is None  # others answer that, and the talk goes on
    assert told(say(here, "いいよ")).startswith("公開しました。\nあと1件です。")
    assert (state(here, first), state(here, second)) == (TipState.WAITING, TipState.PUBLISHED)
    assert told(say(here, "まちがえた、戻して")) == "元に戻しました。"
    assert state(here, second) is TipState.WAITING
    assert say(here, "労協は何人から作れますか") is None
    assert say(here, "いいよ") is None  # that belongs to another talk now
    assert told(say(here, "2番 出して")).startswith("公開しました。")


@pytest.mark.parametrize(
    "text",
    [
        "コツ:畑の草は朝のうちに取ると楽でした",
        "わたしのコツ",
        "わたしの記録を消して",
        "連携 ABCD-EFGH",
        "連携コード",
        "お知らせ:明日は休みです",
        "労協は何人から作れますか",
    ],
)
def test_what_begins_something_else_is_not_published_as_an_answer(here: People, text: str) -> None:
    ask(here)
    say(here, press=button(cards(here)[0], "答える"))
    assert say(here, text) is None
    assert say(here, "畑のすみの小屋です。") is None  # what follows belongs to that
    assert len(here.questions.topics(UEDAS_COORDINATOR)) == 1


@pytest.mark.parametrize("text", ["やっぱりやめます", "やめとく", "まちがえた、戻して", "公開してください"])
def test_words_of_command_are_not_published_as_an_answer(here: People, text: str) -> None:
    ask(here)
    say(here, press=button(cards(here)[0], "答える"))
    assert say(here, text) is not None
    assert here.finds(UEDAS_GROUP) == []
    assert len(here.questions.topics(UEDAS_COORDINATOR)) == 1


def test_an_answer_about_a_person_is_looked_at_again(here: People) -> None:
    ask(here)
    cards(here)
    named, ill = "鈴木花子さんに聞くと、保冷剤の置き方を教えてくれます。", "鈴木花子さんは糖尿病なので、お弁当を別に作っています。"
    for text in (ill, ill):
        say(here, "1 答える")
        refused = told(say(here, text))
        assert "個人の情報" in refused
        assert "同じ文" not in refused
    assert "同じ文をもう一度" in told(say(here, named))
    assert here.finds(UEDAS_GROUP) == []
    assert told(say(here, named)).startswith("公開しました。")
    assert len(here.finds(UEDAS_GROUP)) == 1
    assert here.notices.take([UEDAS_COORDINATOR]) == []  # who has just published it knows


def test_not_in_a_group(here: People) -> None:
    tip = here.offer()
    data = button(cards(here)[0], "公開")
    for reply in (say(here, "確認", group=UEDAS_GROUP), say(here, press=data, group=UEDAS_GROUP)):
        assert "1対1" in told(reply)
        assert "保冷剤" not in told(reply)
    assert say(here, "1 公開", group=UEDAS_GROUP) is None
    assert state(here, tip) is TipState.WAITING


@pytest.mark.parametrize("word", ["確認", "今週の確認", "ラウンド", "確認。", "ROUND"])
def test_nothing_waits(here: People, word: str) -> None:
    assert told(say(here, word)) == "いま確認するものはありません。おつかれさまでした。"


def test_at_most_seven_cards_and_the_rest_afterwards(here: People) -> None:
    for number in range(9):
        here.offer(f"{number}番目の話。" + LUNCH * number)
    reply = say(here, "確認")
    assert reply is not None
    assert len(reply.cards) == 7
    assert reply.body == "確認を待つものが9件あります。上から7件です。"
    for left, card in enumerate(reversed(reply.cards)):
        said = say(here, press=button(card, "公開"))
        assert said is not None
        assert len(said.cards) == (2 if left == 6 else 0)
        assert left == 6 or f"あと{6 - left}件です。" in said.text


def test_what_is_asked_about_more_comes_first(here: People) -> None:
    here.offer()
    here.clock.now += dt.timedelta(hours=1)
    for _ in range(5):
        ask(here)
    here.clock.now += dt.timedelta(hours=1)
    assert [card.title for card in cards(here)] == ["1. 答えのない質問(5回)", "2. コツの確認"]


@pytest.mark.parametrize(
    ("text", "after", "reason"),
    [
        ("1 公開", TipState.PUBLISHED, None),
        ("１番を公開する", TipState.PUBLISHED, None),
        ("1 たずねる いつのことですか", TipState.ASKED_BACK, "いつのことですか"),
        ("1 見送る 第22条とちがいます", TipState.DECLINED, "第22条とちがいます"),
        ("1 見送り", TipState.DECLINED, "いまのところ、みんなに知らせるには情報が足りません。"),
    ],
)
def test_typed_it_does_the_same_and_the_giver_hears_why(here: People, text: str, after: TipState, reason: str | None) -> None:
    tip = here.offer()
    cards(here)
    assert told(say(here, text)).endswith("おつかれさまでした。")
    assert state(here, tip) is after
    ((_, values),) = here.notices.take([GIVER])
    assert values["reason"] == (reason or "")


@pytest.mark.parametrize("text", ["1 公開しないで", "1 公開はまだ早い", "1 答える こうします", "1 まとめる"])
def test_what_a_tips_card_does_not_take_is_said(here: People, text: str) -> None:
    tip = here.offer()
    cards(here)
    assert told(say(here, text)).startswith("1はコツです。「1 公開」")
    assert state(here, tip) is TipState.WAITING


@pytest.mark.parametrize("text", ["1 たずねる いつですか", "1 公開", "1 見送る", "1 閉じるのはまだ"])
def test_what_a_questions_card_does_not_take_is_said(here: People, text: str) -> None:
    ask(here)
    cards(here)
    assert told(say(here, text)).startswith("1は質問です。「1 答える 答えの文」「1 閉じる」「1 あとで」")
    assert len(here.questions.topics(UEDAS_COORDINATOR)) == 1


def test_a_number_without_a_card_and_other_talk(here: People) -> None:
    here.offer()
    assert say(here, "1 公開") is None  # nothing has been shown yet
    cards(here)
    assert told(say(here, "5 公開")).startswith("その番号のカードはありません。")
    for text in ("1人で労協は作れる?", "1", "公開", "3 万円の経費は?"):  # the first begins another talk
        assert say(here, text) is None


def test_undone_by_button_and_by_word(here: People) -> None:
    tip = here.offer()
    done = say(here, press=button(cards(here)[0], "公開"))
    assert done is not None
    (undo,) = [c.data for c in done.choices if c.text == "元に戻す"]
    assert told(say(here, who=SUZAKAS_COORDINATOR, press=undo)).startswith("このコツを決められるのは")
    assert told(say(here, press=undo)) == "元に戻しました。"
    assert told(say(here, press=undo)) == "もう済んでいます。"
    cards(here)
    say(here, "1 見送る ちがう")
    assert told(say(here, "元に戻す")) == "元に戻しました。"
    assert state(here, tip) is TipState.WAITING
    assert told(say(here, "元に戻す")) == "もう済んでいます。"


def test_postponed_it_comes_back(here: People) -> None:
    here.offer()
    ask(here)
    cards(here)
    say(here, "1 あとで")
    say(here, "2 あとで")
    assert cards(here) == ()
    here.clock.now += dt.timedelta(days=8)
    assert len(cards(here)) == 2


def test_the_next_words_answer_a_question(here: People) -> None:
    ask(here)
    reply = say(here, press=button(cards(here)[0], "答える"))
    assert reply is not None
    assert ASKED in reply.text
    assert [c.text for c in reply.choices] == ["やめる"]
    assert told(say(here, LUNCH)).startswith("公開しました。")
    (tip,) = here.finds(UEDAS_GROUP)
    assert here.finds(SUZAKAS_GROUP) == []  # its coordinator speaks for Ueda
    assert [key for key, _ in here.notices.take([OTHER])] == ["question_answered"]
    assert told(say(here, "元に戻す")) == "元に戻しました。"
    assert len(here.questions.topics(UEDAS_COORDINATOR)) == 1
    assert state(here, tip) is TipState.WAITING


def test_an_answer_in_one_line_reaches_all_who_asked(here: People) -> None:
    for co_op in (UEDA, SUZAKA):
        ask(here, co_op=co_op)
    here.members.give(GIVER, Grant(Role.COORDINATOR, UEDA))
    here.members.give(GIVER, Grant(Role.COORDINATOR, SUZAKA))
    (card,) = cards(here, GIVER)
    assert card.title.endswith("(2回)")
    assert told(say(here, f"1 答える {LUNCH}", GIVER)).startswith("公開しました。")
    assert len(here.finds(UEDAS_GROUP)) == len(here.finds(SUZAKAS_GROUP)) == 1


def test_an_answer_can_be_left_and_is_not_waited_for_too_long(here: People) -> None:
    ask(here)
    data = button(cards(here)[0], "答える")
    say(here, press=data)
    assert told(say(here, "やめる")) == "やめました。"
    assert say(here, "こんにちは、よい天気ですね") is None
    say(here, press=data)
    assert "短すぎます" in told(say(here, "え"))  # and can be written again
    here.clock.now += dt.timedelta(minutes=16)
    assert say(here, "労協は何人から作れますか") is None
    assert len(here.questions.topics(UEDAS_COORDINATOR)) == 1


def test_a_question_that_somebody_else_settled(here: People) -> None:
    ask(here)
    (card,), (others,) = cards(here), cards(here, FEDERATIONS)
    assert told(say(here, press=button(card, "閉じる"))).startswith("閉じました。")
    for label in ("閉じる", "答える", "あとで"):
        assert told(say(here, who=FEDERATIONS, press=button(others, label))).startswith("もう済んでいます。")


@pytest.mark.parametrize(("label", "said"), [("閉じる", "閉じました。"), ("あとで", "1週間あとに、また出します。")])
def test_settling_a_question_is_undone_by_button_and_by_word(here: People, label: str, said: str) -> None:
    ask(here)
    done = say(here, press=button(cards(here)[0], label))
    assert told(done).startswith(said)
    assert done is not None
    (undo,) = [c.data for c in done.choices if c.text == "元に戻す"]
    assert len(undo) <= 90
    assert told(say(here, who=SUZAKAS_COORDINATOR, press=undo)) == "もう済んでいます。"
    assert say(here, who=OTHER, press=f"{undo}x") is None
    assert here.questions.topics(UEDAS_COORDINATOR) == []
    assert told(say(here, press=undo)) == "元に戻しました。"
    assert told(say(here, press=undo)) == "もう済んでいます。"
    here.clock.now += dt.timedelta(minutes=1)
    say(here, press=button(cards(here)[0], label))
    assert told(say(here, press=undo)) == "もう済んでいます。"  # the old button is not for the new decision
    assert told(say(here, "もどす")) == "元に戻しました。"
    assert told(say(here, "もどす")) == "もう済んでいます。"
    assert len(here.questions.topics(UEDAS_COORDINATOR)) == 1


def test_the_word_takes_back_the_last_thing_of_either_kind(here: People) -> None:
    tip = here.offer()
    ask(here, NIGHT)
    shown = {c.title.split(". ")[1][:2]: c for c in cards(here)}
    say(here, press=button(shown["答え"], "閉じる"))
    say(here, press=button(shown["コツ"], "公開"))
    assert told(say(here, "元に戻す")) == "元に戻しました。"
    assert state(here, tip) is TipState.WAITING
    assert here.questions.topics(UEDAS_COORDINATOR) == []
    say(here, "確認")
    say(here, "1 公開")
    here.clock.now += dt.timedelta(minutes=1)
    ask(here)
    (card,) = cards(here)
    say(here, press=button(card, "あとで"))
    assert told(say(here, "元に戻す")) == "元に戻しました。"
    assert state(here, tip) is TipState.PUBLISHED
    assert len(here.questions.topics(UEDAS_COORDINATOR)) == 1


def test_a_card_tells_how_often_it_helped_and_refuses_in_the_reviewers_language(here: People) -> None:
    tip = here.offer()
    here.curation.lived_too(tip, OTHER, f"coop:{SUZAKA}")
    (card,) = cards(here)
    assert "役に立った 1件" in card.text
    merge = here.signer.sign("round", f"{tip}.1.merge.tip-0")
    reply = here.round.take(IncomingMessage(UEDAS_COORDINATOR, "", UEDAS_COORDINATOR, press=merge), "en")
    assert told(reply).startswith("There is no such tip to merge it into.")


def test_the_same_tip_twice_is_merged(here: People) -> None:
    kept = here.offer()
    say(here, press=button(cards(here)[0], "公開"))
    again = here.offer()
    (card,) = cards(here)
    assert "似たコツ" in card.text
    assert told(say(here, press=button(card, "まとめる"))).startswith("まとめました。")
    assert state(here, again) is TipState.MERGED
    assert here.finds(UEDAS_GROUP) == [kept]


def test_a_tip_is_not_merged_into_what_its_own_cannot_find(here: People) -> None:
    here.members.give(UEDAS_COORDINATOR, Grant(Role.COORDINATOR, SUZAKA))
    kept = here.offer(co_op=SUZAKA, audience=Audience.of("coop:suzaka"))
    here.clock.now += dt.timedelta(hours=1)
    tip = here.offer()
    shown = cards(here)
    assert "似たコツ" in shown[1].text
    assert "まとめる" not in [c.text for card in shown for c in card.choices]
    with pytest.raises(UserMistake):
        here.curation.decide(tip, 1, Action.MERGE, FEDERATIONS, into=kept)
    assert here.finds(UEDAS_GROUP) == [tip]


def test_a_card_fits_on_every_platform(here: People) -> None:
    long = "電話は090-1234-5678です。" + "とても長い話が続きます。" * 100
    for number in range(3):
        here.offer(f"{long}{'。' * number}", place="上田" * 100, happened="夏" * 100, outcome="よい" * 200)
    ask(here, "どうして" * 60)
    shown = cards(here)
    assert len(shown) == 4
    for card in shown:
        assert len(card.title) <= 40
        assert len(card.text) <= 300
        assert all(len(c.text) <= 20 and 0 < len(c.data) <= 90 for c in card.choices)
    assert "個人の情報" in shown[0].text + shown[1].text


@pytest.mark.long
def test_fifty_things_in_a_hundred_taps(here: People) -> None:
    for number in range(30):
        here.offer(f"{number}番目の話。{'保冷剤' * number}を使いました。")
    for number in range(20):
        ask(here, f"{number}番目の{'雪かき' * (number + 1)}はどうする?")
    reply, taps, shown = say(here, "確認"), 1, 0
    while reply is not None and reply.cards:
        for card in reply.cards:
            shown += 1
            if "質問" in card.title:
                say(here, press=button(card, "答える"))
                done = say(here, f"{shown}回目に答えます。みんなで決めています。")
                taps += 2
            else:
                done = say(here, press=button(card, "公開"))
                taps += 1
        reply = done
    assert here.curation.queue(UEDAS_COORDINATOR) == here.questions.topics(UEDAS_COORDINATOR) == []
    assert taps <= 100
