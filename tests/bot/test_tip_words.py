"""What a message says in the talk about a tip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.tips.pieces import place_in, tells_outcome, time_in, told
from bot.tips.words import (
    Wish,
    Word,
    beginning,
    clean,
    is_question,
    label,
    only_asks,
    page,
    says,
    wants_anothers,
    wish,
)
from bot.wording import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("word", Word)
def test_every_label_can_be_typed(word: Word, language: str) -> None:
    assert says(label(word, language), word)
    assert says(f" {label(word, language).upper()}。", word)


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_that_stand_together_are_told_apart(language: str) -> None:
    together = (
        (Word.SEND, Word.SKIP, Word.BACK, Word.LEAVE, Word.MEND, Word.RESUME, Word.DISCARD, Word.OWN),
        (Word.SAME, Word.ADD, Word.DIFFERS, Word.BACK, Word.LEAVE),
        (Word.SCRUB, Word.ALLOW, Word.REWRITE, Word.BACK, Word.LEAVE),
        (Word.BY_NAME, Word.BY_CO_OP, Word.ANONYMOUS, Word.BACK, Word.LEAVE),
        (Word.OWN_CO_OP, Word.CHOSEN, Word.FEDERATION, Word.PUBLIC, Word.BACK, Word.LEAVE),
        (Word.GO_ON, Word.ANEW, Word.LEAVE),
        (Word.YES, Word.NO),
    )
    for words in together:
        assert {w: [o for o in words if says(label(w, language), o)] for w in words} == {w: [w] for w in words}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("おくって", Word.SEND),
        ("送信", Word.SEND),
        ("飛ばして", Word.SKIP),
        ("おぼえてない", Word.SKIP),
        ("特になし。", Word.SKIP),
        ("１つ前に戻る", Word.BACK),
        ("もうやめる", Word.LEAVE),
        ("コツの続き", Word.RESUME),
        ("私のコツ", Word.OWN),
        ("名前は出さないで", Word.ANONYMOUS),
        ("組合の名前", Word.BY_CO_OP),
        ("誰でも", Word.PUBLIC),
    ],
)
def test_words_are_understood_in_other_forms(text: str, word: Word) -> None:
    assert says(text, word)


@pytest.mark.parametrize("text", ["送るのは木曜です", "おくる相手", "戻り道", "ok", "了解", "👍", "", "お願いします"])
def test_nothing_else_sends(text: str) -> None:
    assert not says(text, Word.SEND)


ASKS = """総会の公告は何日前?/監事って何人/これでいいですか/監事の任期は？/総会っていつ/When do we meet?
理事の任期を教えて/どうすればいい/監事が2人でもいい?/保冷剤はどこで買えますか/监事有几个人?"""
TELLS = """去年の夏/去年の夏かな?/3年前だっけ？/何もなかった/いつもの厨房/どこでもできる/いつだったかなあ/夏？
お客さんに何が食べたいか聞いた/すごくよかったです。/助かったよ?/?"""


@pytest.mark.parametrize("text", ASKS.replace("\n", "/").split("/"))
def test_a_question_is_told_from_an_answer(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize("text", ["", *TELLS.replace("\n", "/").split("/")])
def test_an_answer_is_told_from_a_question(text: str) -> None:
    assert not is_question(text)


def test_a_question_alone_is_told_from_an_account_with_one() -> None:
    assert only_asks("総会の公告は何日前?")
    assert not only_asks("氷を足しました。何個がいいですか?")


@pytest.mark.parametrize(
    ("text", "when", "where"),
    [
        ("去年の夏、みどり生協の配食で保冷剤を上に置いた", "去年の夏", "みどり生協の配食"),
        ("2024年5月に上田市の学童で紙芝居をやった", "2024年5月", "上田市の学童"),
        ("3年前から台所で当番表を貼っている", "3年前", "台所"),
        ("令和6年の春ごろカフェで朝市", "令和6年の春ごろ", "カフェ"),
        ("理事の任期は2年でよかった", "", ""),
        ("電話でお願いした", "", ""),
        ("みんなで分けた", "", ""),
        ("月に2日の草刈りは3人", "", ""),
    ],
)
def test_when_and_where_are_heard_in_an_account(text: str, when: str, where: str) -> None:
    assert (time_in(text), place_in(text)) == (when, where)


def test_how_it_went_is_heard() -> None:
    assert tells_outcome("置いたらいたみませんでした")
    assert tells_outcome("みんな喜んだ")
    assert not tells_outcome("保冷剤を上に置く")


def test_named_lines_are_pieces() -> None:
    draft = told("保冷剤を上に置く\nどこ：厨房\n【いつ】: 先週\n結果:いたまない")
    assert (draft.text, draft.place, draft.happened, draft.outcome) == ("保冷剤を上に置く", "厨房", "先週", "いたまない")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1", Wish(1)),
        ("２番", Wish(2)),
        ("1 を消して", Wish(1, Word.DISCARD)),
        ("消して 1", Wish(1, Word.DISCARD)),
        ("3番を取り下げて", Wish(3, Word.DISCARD)),
        ("1をなおす", Wish(1, Word.MEND)),
        ("なおす2", Wish(2, Word.MEND)),
        ("delete 1", Wish(1, Word.DISCARD)),
        ("消して", None),
        ("わたしの記録を消して", None),
        ("0を消して", None),
        ("10を消して", None),
        ("1年前", None),
    ],
)
def test_what_is_wanted_of_ones_own_tips(text: str, found: Wish | None) -> None:
    assert wish(text) == found


@pytest.mark.parametrize(
    ("text", "number"), [("わたしのコツ", 1), ("わたしのコツ 2", 2), ("my tips", 1), ("コツ", None), ("2", None)]
)
def test_pages_of_ones_own_tips(text: str, number: int | None) -> None:
    assert page(text) == number


@pytest.mark.parametrize("text", ["今の田中さんの話をコツにして", "さっきの話、コツに入れて", "いまのをコツにしといて"])
def test_a_wish_about_anothers_words(text: str) -> None:
    assert wants_anothers(text)


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    plain = clean(text)
    assert clean(plain) == plain
    begun = beginning(text)
    assert begun is None or begun in text
    assert told(text).text in text
    for find in (is_question, only_asks, tells_outcome, wants_anothers, wish, page, time_in, place_in):
        find(text)
    assert time_in(text) in text
