"""A passage is told only if it holds what the question asks for."""

import pytest

from knowledge.languages.colloquial import AskedFor


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("発起人は何人必要?", "発起人は3人以上です"),
        ("ランチはいくら?", "ランチは500円です"),
        ("いつまでに届ける?", "すぐに届けます"),
        ("何年も来ない人はどうする?", "除名できます"),
        ("労協法の22条は?", "22条は発起人の決まりです"),
        ("2025年は何団体?", "2025年10月1日時点で168団体"),
        ("2027年までですよね?", "2025年9月30日で終わりました"),
        ("会議は何日前に知らせる?", "2週間前まで"),
    ],
)
def test_what_holds_it(question: str, text: str) -> None:
    assert not AskedFor(question).lacks(text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("発起人は何人必要?", "発起人が定款を作ります"),
        ("ランチはいくら?", "ランチは月〜木です"),
        ("何時に開く?", "毎週水曜に開きます"),
        ("赤字の労協は何割?", "27.4%です"),
        ("2025年は何団体?", "2023年10月1日で31団体"),
        ("会社法の決まりでは?", "労働者協同組合法では3人です"),
        ("労協のうち、介護をしてる所はいくつ?", "全国に186団体あります"),
        ("150条って何?", "137条まであります"),
        ("何軒あずかってる?", "空き家の管理をしています"),
    ],
)
def test_what_lacks_it(question: str, text: str) -> None:
    assert AskedFor(question).lacks(text)
