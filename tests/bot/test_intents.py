import time

import pytest

from bot.intents import Intent, aspect, language_of, leans_back, points_back, recognise, two_questions, without_pointer


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


@pytest.mark.parametrize(
    "unit",
    [
        "ありがとう",
        "こんにちは",
        "了解です",
        "わかりました",
        "ok",
        "わたしの記録を",
        "くわしく",
        "あ",
        "@ボット",
        "田中さん",
        "なるほど",
    ],
)
def test_no_message_takes_long_to_recognise(unit: str) -> None:
    for text in (unit * 12 + "すき", unit * 300, unit * 300 + "すき"):
        began = time.perf_counter()
        recognise(text)
        two_questions(text)
        language_of(text)
        assert time.perf_counter() - began < 0.5, text[:20]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("記録を消して", Intent.FORGET),
        ("わたしの記録を消してくれますか", Intent.FORGET),
        ("履歴を消して", Intent.FORGET),
        ("Forget me", Intent.FORGET),
        ("何を記録しているの?", Intent.RECORDS),
        ("What do you store?", Intent.RECORDS),
        ("くわしくお願いします", Intent.MORE),
        ("more please", Intent.MORE),
        ("やさしい日本語でお願い", Intent.EASY),
        ("ふつうの日本語で", Intent.PLAIN),
        ("もっと字を大きくしてください", Intent.LARGER),
        ("字をふつうに", Intent.SMALLER),
        ("つかいかた教えて", Intent.HELP),
        ("違った", Intent.BLAME),
        ("ありがとうございます", Intent.THANKS),
        ("ありがとうね", Intent.THANKS),
        ("記録は何年保存しますか", Intent.QUESTION),
        ("議事録を消していいですか", Intent.QUESTION),
    ],
)
def test_commands_in_the_words_people_use(text: str, intent: Intent) -> None:
    assert recognise(text) is intent


def test_language_and_aspect() -> None:
    assert language_of("How many directors?") == "en"
    assert language_of("NPO") == ""
    assert language_of("ﾘｼﾞ ﾊ") == "ja"
    assert language_of("W.Co って what is") == "ja"
    assert language_of("創立総会 公告 期限") == "ja"
    assert language_of("没収 什器 需要 多少 如何") == "ja"
    assert language_of("이사는 몇 명 필요해요?") == "ko"
    assert language_of("成立合作社需要几个人?") == "zh"
    assert language_of("理事的任期是多少年?请问") == "zh"
    assert language_of("Cần mấy người để lập hợp tác xã?") == "vi"
    assert language_of("can bao nhieu nguoi de lap hop tac xa") == "vi"
    assert language_of("Quantas pessoas preciso para abrir uma cooperativa?") == "pt"
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
