"""Questions in their conversation, on the shipped corpus."""

import pytest

from bot.bootstrap import Yui
from knowledge import Context, Question
from knowledge.follow_up import own_subjects


def test_what_a_question_names_itself() -> None:
    assert own_subjects("期限は?") == []
    assert own_subjects("どこに出すの?") == []
    assert own_subjects("2025年10月はいくつ?") == ["2025年10月"]
    assert own_subjects("沖縄は?") == ["沖縄"]
    assert "脱退" in own_subjects("辞めるときは?")
    assert own_subjects("資金で何をしたの?", refers_to="資金") == []


@pytest.mark.parametrize(
    ("text", "context", "held"),
    [
        ("どこに出すの?", Context(("act-33#address",)), "知事"),
        ("期限は?", Context(("annual-filing",), points_back=True), "2週間"),
        ("香川で最初は?", Context(("case-niwatoko",)), "フリージア"),
        ("臨時総会、何分の1で求められる?", Context(("case-33",), ("act-59#deadline",), True, "臨時総会"), "5分の1"),
        ("27条は?", Context(("act-23",)), "2週間"),
    ],
)
def test_what_is_told(shipped: Yui, text: str, context: Context, held: str) -> None:
    answer = shipped.knowledge.answer(Question(text, context=context))
    assert held in "".join(layer.text for layer in answer.layers)


def test_nothing_is_told_of_another_place(shipped: Yui) -> None:
    assert not shipped.knowledge.answer(Question("青森で最初は?", context=Context(("case-niwatoko",)))).answered


def test_the_newest_figure_is_told_unless_another_time_is_asked_for(shipped: Yui) -> None:
    assert "31団体" in shipped.knowledge.answer(Question("広島市のは何団体ある?")).layers[0].text
    assert "14団体" in shipped.knowledge.answer(Question("広島市は2017年度末に何団体あった?")).layers[0].text


def test_others_that_do_the_same(shipped: Yui) -> None:
    context = Context(("case-33",), another=True)
    told = shipped.knowledge.answer(Question("ほかの組合は?", context=context)).told
    assert told
    assert not [i for i in told if i.startswith("case-33")]
