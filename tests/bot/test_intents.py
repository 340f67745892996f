import time

import pytest

from bot.intents import Intent, language_of, recognise, two_questions


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


@pytest.mark.timed
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
        began = time.thread_time()
        recognise(text)
        two_questions(text)
        language_of(text)
        assert time.thread_time() - began < 0.5, text[:20]


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
        ("よくわかりました、ありがとう", Intent.THANKS),
        ("とても助かりました!本当にありがとうございます", Intent.THANKS),
        ("山本さんと井上さんならどっちが代表向き?", Intent.OUTSIDE),
        ("よくわからない", Intent.QUESTION),
        ("記録は何年保存しますか", Intent.QUESTION),
        ("議事録を消していいですか", Intent.QUESTION),
    ],
)
def test_commands_in_the_words_people_use(text: str, intent: Intent) -> None:
    assert recognise(text) is intent


def test_language() -> None:
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


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (
            "総会の案内は何日前まで?あと総会の議事録は何年とっておくんですか",
            ("総会の案内は何日前まで?", "総会の議事録は何年とっておくんですか"),
        ),
        ("監事は何人で、任期は何年?", ("監事は何人で", "任期は何年?")),
        ("労協は今いくつあって、最初のはどこの県?", ("労協は今いくつあって", "労協は最初のはどこの県?")),
        ("県に届けるのは何日以内ですか", None),
        ("辞めたい人がいて、何日前に言えばいいですか", None),
    ],
)
def test_two_questions_in_one_message(text: str, asked: tuple[str, str] | None) -> None:
    assert two_questions(text) == asked


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("理事さんが引っ越して住所が変わりました。届けは要りますか", Intent.QUESTION),
        ("田中さんの住所を教えて", Intent.PRIVATE),
        ("理事さんの電話番号を教えて", Intent.PRIVATE),
        ("膝が痛いときに効く体操ある?", Intent.OUTSIDE),
        ("国民年金は65歳からいくらもらえますか", Intent.OUTSIDE),
        ("家電の修理をしている労協はありますか", Intent.QUESTION),
        ("組合員も厚生年金に入れますか", Intent.QUESTION),
    ],
)
def test_offices_are_no_persons_and_everyday_subjects_are_outside(text: str, intent: Intent) -> None:
    assert recognise(text) is intent
