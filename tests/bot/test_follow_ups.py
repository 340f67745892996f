import time

import pytest

from bot.follow_ups import aspect, follow_up, leans_back, points_back, without_pointer
from bot.memory import State
from knowledge import Context

TALKED = State(topic=("act-36",), earlier=("act-59", "case-33"), aspect="任期は何年")


def test_the_kind_of_thing_that_is_asked_for() -> None:
    assert aspect("理事は何人必要?") == "何人"
    assert aspect("理事の任期は何年?") == "任期は何年"
    assert aspect("任期は?") == "任期"
    assert aspect("監事は?") == ""


def test_pointing_back() -> None:
    assert points_back("それって何人から?")
    assert points_back("じゃあ期限は?")
    assert points_back("その次に多いのは")
    assert points_back("What about auditors?")
    assert not points_back("総会の招集は何日前?")
    assert leans_back("期限は?")
    assert not leans_back("創立総会の公告の期限はいつまでですか")
    assert without_pointer("じゃあ期限は?") == "期限は?"
    assert without_pointer("それの締切は?") == "締切は?"
    assert without_pointer("できたのは?") == "できたのは?"
    assert without_pointer("それは") == "それは"


@pytest.mark.parametrize(
    "message",
    ["監事は?", "じゃあ監事は?", "監事のほうは?", "あ、ちがった、監事のほう", "ごめん、間違えた。監事です"],
)
def test_another_subject_is_asked_the_same(message: str) -> None:
    asked = follow_up(message, TALKED)
    assert asked.text == "監事の任期は何年"
    assert asked.aspect == "任期は何年"
    assert asked.context.topic == TALKED.topic


def test_after_a_question_back_a_subject_alone_is_enough() -> None:
    state = State(aspect="期限", asked_back=True)
    assert follow_up("役員変更の届出のこと", state).text == "役員変更の届出の期限"
    assert follow_up("役員変更の届出のこと", State(aspect="期限")).text == "役員変更の届出のこと"


@pytest.mark.parametrize("message", ["次は?", "きっかけは?", "困ってることは?", "第27条は?", "できたのは?"])
def test_what_is_no_subject_is_not_asked_the_same(message: str) -> None:
    assert "任期" not in follow_up(message, TALKED).text


def test_what_was_talked_about_before_is_named() -> None:
    asked = follow_up("さっきの臨時総会、だれが呼びかける?", TALKED)
    assert asked.text == "臨時総会、だれが呼びかける?"
    assert (asked.context.refers_to, asked.context.earlier) == ("臨時総会", TALKED.earlier)
    assert follow_up("弁当の話に戻るけど、何人?", TALKED).context.refers_to == "弁当"
    assert follow_up("その調査は何団体?", TALKED).context.refers_to == "調査"
    assert follow_up("さっきの話だけど、いつまで?", TALKED).context.refers_to == ""


def test_something_else_is_asked_for() -> None:
    assert follow_up("ほかには?", TALKED).context.another
    assert follow_up("その次に多いのは?", TALKED).context.another
    assert not follow_up("それは何年?", TALKED).context.another


def test_a_question_without_a_noun_goes_on_from_what_was_talked_about() -> None:
    assert follow_up("出さなかったらどうなりますか", TALKED).context.topic == TALKED.topic
    assert follow_up("総会やと?", State(topic=("act-11",), aspect="何人")).text == "総会は何人"


def test_this_law_points_at_nothing_that_was_said() -> None:
    asked = follow_up("この法律はいつ見直すの", State())
    assert not asked.to_nothing
    assert asked.text == "労協の法律はいつ見直すの"


def test_a_question_that_says_what_it_is_about_goes_on_from_nothing() -> None:
    assert follow_up("創立総会の公告は何日前までにしますか", TALKED).context == Context()
    assert follow_up("じゃあ期限は?", State()).to_nothing


@pytest.mark.timed
@pytest.mark.parametrize("unit", ["さっきの", "あ", "ちがった、", "それの", "監事の", "に戻るけど", "じゃあ", "what about "])
def test_no_message_takes_long(unit: str) -> None:
    for text in (unit * 300, unit * 300 + "は?"):
        began = time.thread_time()
        follow_up(text, TALKED)
        assert time.thread_time() - began < 0.5
