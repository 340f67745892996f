import pytest

from bot.intents import Intent, aspect, language_of, leans_back, points_back, recognise, without_pointer


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("こんにちは!", Intent.GREETING),
        ("Ｈｅｌｌｏ", Intent.GREETING),
        ("ありがとうございます🙏", Intent.THANKS),
        ("👍", Intent.PRAISE),
        ("👎", Intent.BLAME),
        ("続きを見る", Intent.MORE),
        ("やさしい日本語で教えてください", Intent.EASY),
        ("２", Intent.CHOICE),
        ("…", Intent.EMPTY),
        ("今日の運勢は", Intent.OUTSIDE),
        ("血圧の薬とグレープフルーツは大丈夫?", Intent.OUTSIDE),
        ("火事です!", Intent.EMERGENCY),
        ("佐藤さんは何口出資しとる?", Intent.PRIVATE),
    ],
)
def test_plain_intents(text: str, intent: Intent) -> None:
    assert recognise(text) is intent


@pytest.mark.parametrize(
    "question",
    [
        "役員の選挙は無記名ですか",
        "あんず薬局の話をしたのはどこ?",
        "アースデーの天候不順で中止になった?"[:6] + "はいつ?",
        "ありがとうを伝える総会の案内は何日前?",
        "組合員名簿には住所を書きますか",
        "1人1票ですか",
        "料理の仕事をしている組合は?",
        "試しに加入できますか",
        "使い方の決まった補助金は?",
        "労働者協同組合はんしんの仕事は?",
    ],
)
def test_questions_stay_questions(question: str) -> None:
    assert recognise(question) is Intent.QUESTION


def test_language_and_aspect() -> None:
    assert language_of("How many directors?") == "en"
    assert language_of("NPO") == ""
    assert language_of("ﾘｼﾞ ﾊ") == "ja"
    assert language_of("W.Co って what is") == "ja"
    assert aspect("理事は何人必要?") == "何人"
    assert aspect("監事は?") == ""


def test_pointing_back() -> None:
    assert points_back("それって何人から?")
    assert points_back("じゃあ期限は?")
    assert points_back("その次に多いのは")
    assert not points_back("総会の招集は何日前?")
    assert leans_back("期限は?")
    assert not leans_back("創立総会の公告の期限はいつまでですか")
    assert without_pointer("じゃあ期限は?") == "期限は?"
    assert without_pointer("それは") == "それは"
