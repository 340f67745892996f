"""Readings stand behind difficult words, once, and change nothing else."""

from __future__ import annotations

import json
import re
import time
import tomllib
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import wording
from bot.bootstrap import Yui
from knowledge import Audience, Question, corpus
from knowledge.languages.readings import with_readings

QUESTIONS = Path(__file__).parents[1] / "questions"
EASY = [p.easy for d in corpus.load() for p in d.passages if p.easy]
BUTTONS = {"statute"}  # pressed, they are sent as they read
ROOM = 190  # characters of an answer that leave room for its sources

_BRACKETS = re.compile("[（(][ぁ-ゖー]+[）)]")
_TEXT = st.text() | st.lists(
    st.sampled_from(
        [
            *"定款を出資「」『』（）() 3第人年、。",
            "（ていかん）",
            "（きまり）",
            "委任(いにん)",
            "届け出ます",
            "三重県",
            "\n",
            "\ud800",
        ]
    )
).map("".join)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("定款を 作ります。定款は", "定款（ていかん）を 作ります。定款は"),
        ("20万円以下の 過料です。", "20万円以下の 過料（かりょう）です。"),
        ("労働者協同組合を 作る", "労働者協同組合（ろうどうしゃきょうどうくみあい）を 作る"),
        (
            "従事分量配当と 就労創出等積立金",
            "従事分量配当（じゅうじぶんりょうはいとう）と 就労創出等積立金（しゅうろうそうしゅつとうつみたてきん）",
        ),
        ("行政庁に 認めて もらう", "行政庁（ぎょうせいちょう）に 認（みと）めて もらう"),
        ("2週間以内に 届け出ます。届け出る 紙", "2週間以内に 届け出（とどけで）ます。届け出る 紙"),
        ("口数は 同じです", "口数（くちすう）は 同じです"),
        ("三重県と 山口県と 東京都", "三重県（みえけん）と 山口県（やまぐちけん）と 東京都"),
        ("島根県奥出雲町の 人", "島根県（しまねけん）奥出雲町（おくいずもちょう）の 人"),
        ("創立総会を 開きます。総会は", "創立総会（そうりつそうかい）を 開きます。総会は"),
    ],
)
def test_a_difficult_word_is_read_where_it_first_stands(text: str, read: str) -> None:
    assert with_readings(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "3人で 2年 働きます。378億円、10時 30分",
        "会社の 仕事を 組合員が 決めます。",
        "みんなで はなします",
        "第23条を 見ます",
        "小林さんが 話します",
        "一人一口、二人目、三か月、第二号",
        "https://example.jp/定款 を 見ます",
        "",
    ],
)
def test_what_everybody_reads_stays_plain(text: str) -> None:
    assert with_readings(text) == text


def test_an_explanation_is_no_reading() -> None:
    assert with_readings("定款（きまり）を 見ます") == "定款（ていかん）（きまり）を 見ます"
    assert with_readings("規約(きまり)を 見ます") == "規約（きやく）(きまり)を 見ます"


def test_a_reading_that_is_there_is_not_repeated() -> None:
    for text in ("甲賀市(こうかし)の 会", "「委任(いにん)」と いいます", "定款（ていかん）を 見ます"):
        assert with_readings(text) == text


def test_names_in_quotation_marks_are_left_as_they_are() -> None:
    assert with_readings("「生きがいつくり推進事業」の 写真") == "「生きがいつくり推進事業」の 写真"
    assert with_readings("「わたしの記録を消して」と 書く") == "「わたしの記録を消して」と 書く"
    assert with_readings("「発起人」と いいます") == "「発起人」（ほっきにん）と いいます"


def test_names_that_nobody_told_us_how_to_read() -> None:
    assert with_readings("鮭酒造の 人") == "鮭酒造の 人"


def test_where_there_is_little_room_the_hardest_words_are_read() -> None:
    text = "理事が 定款を 見ます"
    assert with_readings(text, len(text) + 7) == "理事が 定款（ていかん）を 見ます"
    assert with_readings(text, len(text) + 11) == "理事（りじ）が 定款（ていかん）を 見ます"
    assert with_readings(text, 3) == text


@given(_TEXT, st.none() | st.integers(0, 300))
def test_only_readings_are_added(text: str, room: int | None) -> None:
    read = with_readings(text, room)
    assert _BRACKETS.sub("", read) == _BRACKETS.sub("", text)
    assert with_readings(read, room) == read
    assert room is None or len(read) <= max(room, len(text))


@pytest.mark.long
def test_every_easy_text_is_read_within_its_room_and_at_once() -> None:
    began = time.process_time()
    read = [with_readings(text, ROOM) for text in EASY]
    seconds = time.process_time() - began
    assert seconds / len(EASY) < 0.002
    for text, told in zip(EASY, read, strict=True):
        assert len(told) <= ROOM, text
        assert _BRACKETS.sub("", told) == _BRACKETS.sub("", text)
        assert re.findall(r"\d+", told) == re.findall(r"\d+", text)
        assert with_readings(told, ROOM) == told
    assert sum(told != text for text, told in zip(EASY, read, strict=True)) > 0.9 * len(EASY)


@pytest.mark.long
def test_an_answer_in_easy_japanese_is_read_and_fits_on_a_screen(shipped: Yui) -> None:
    read = 0
    for row in (QUESTIONS / "members.jsonl").read_text("utf-8").splitlines()[::4]:
        answer = shipped.knowledge.answer(Question(json.loads(row)["question"], language="ja-easy"))
        if answer.layers:
            body, where = wording.answer_text(answer, "ja-easy")
            plain = _BRACKETS.sub("", body)
            assert len(f"{body}\n{where}") <= 250 or plain == body
            read += plain != body
    assert read > 20


def test_readings_are_for_easy_japanese_and_once_in_an_answer(shipped: Yui) -> None:
    two = ["act-36#directors", "act-36#auditors"]
    told = {language: shipped.knowledge.tell(two, Audience(), language).layers[0].text for language in ("ja", "ja-easy")}
    assert told["ja-easy"].count("（ていかん）") == 1
    assert told["ja-easy"].count("定款") > 1
    assert "（ていかん）" not in told["ja"]


def test_the_fixed_sentences_carry_theirs() -> None:
    sentences = tomllib.loads((resources.files("bot.catalogues") / "ja-easy.toml").read_text("utf-8"))
    lacking = {key: read for key, text in sentences.items() if key not in BUTTONS and (read := with_readings(text)) != text}
    assert lacking == {}
