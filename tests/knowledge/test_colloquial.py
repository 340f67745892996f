import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.languages import colloquial
from knowledge.languages.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    [
        "労協は何人から作れる",
        "発起人の人数",
        "定款の変更の届出",
        "理事の任期",
        "総会の招集",
        "監事の人数",
        "教育繰越金の割合",
        "総会の議事録の保存",
    ]
)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ろうきょうは なんにんから つくれる", "労協は 何人から 作れる"),
        ("ﾘｼﾞﾉ ﾆﾝｷﾊ", "理事の 任期は"),
        ("ていかんの へんこうの とどけで", "定款の 変更の 届出"),
        ("きょういくくりこしきんの わりあい", "教育繰越金の 割合"),
    ],
)
def test_kana_are_given_their_kanji(typed: str, meant: str) -> None:
    assert colloquial.understood(typed, lambda: VOCABULARY).text == meant


def test_half_width_kana_beside_kanji_are_read() -> None:
    assert colloquial.understood("ﾃｲｶﾝって必ず要りますか", lambda: VOCABULARY).text == "定款って必ず要りますか"


def test_only_kana_alone_is_written_in_kanji() -> None:
    assert colloquial.in_kanji("そうかいは 2かい ひらく", lambda: VOCABULARY).startswith("総会は2回")
    assert colloquial.in_kanji("tango crewはにんきです", lambda: VOCABULARY) == "tango crewはにんきです"


def test_a_date_with_strokes_is_read_as_one() -> None:
    assert colloquial.understood("2025/10/1時点の数は").text == "2025年10月1日時点の数は"


def test_kana_beside_kanji_stay() -> None:
    text = "総会の案内はいつまでに出すの"
    assert colloquial.understood(text, lambda: VOCABULARY).text == text


@pytest.mark.parametrize(
    ("typed", "held"),
    [
        ("労働者共同組合って何", "労働者協同組合"),
        ("従事分料配当は給料?", "従事分量配当"),
        ("ワーコレの数", "ワーカーズコレクティブ"),
        ("放デイしてるところ", "放課後等デイサービス"),
        ("創立爽快の公告", "創立総会"),
    ],
)
def test_slips_and_short_forms_are_read_as_what_they_mean(typed: str, held: str) -> None:
    assert held in colloquial.understood(typed).text


def test_a_right_spelling_that_holds_a_variant_stays() -> None:
    assert colloquial.unify("地域包括支援センター") == "地域包括支援センター"
    assert colloquial.unify("労協連の大会") == "労協連の大会"


def test_everyday_words_bring_the_word_of_the_texts() -> None:
    assert "脱退" in colloquial.understood("辞めたいとき").added
    assert "剰余金" in colloquial.understood("もうけの分け方").added


def test_what_is_taken_back_does_not_count() -> None:
    assert "脱退" not in colloquial.understood("脱退じゃなくて除名の通知はいつ").text


def test_of_a_long_account_the_question_counts() -> None:
    told = (
        "きのうの集まりは楽しかったです。お菓子もおいしかったし、みんな元気でした。写真もたくさん撮りました。"
        "駅前の花もきれいでしたよ。ところで、総会の招集は何日前までですか。"
    )
    found = colloquial.understood(told).text
    assert "招集" in found
    assert "お菓子" not in found


def test_a_question_that_points_back_keeps_what_it_points_at() -> None:
    told = (
        "うちは小さな組合です。働く仲間も少なくなりました。お茶を飲みながら話しました。"
        "監事の代わりに全員で見る監査会というものがあるそうです。それは何人までの組合で使えますか。"
    )
    assert "監査会" in colloquial.understood(told).text


@pytest.mark.parametrize("nothing", ["", " ", "教えて", "😀", "。"])
def test_next_to_nothing_is_no_trouble(nothing: str) -> None:
    assert isinstance(colloquial.understood(nothing, lambda: VOCABULARY).text, str)


def test_dialect_that_asks_is_understood_among_kana_alone() -> None:
    assert "いくら" in colloquial.understood("らんちは なんぼですか", lambda: VOCABULARY).text


def test_dialect_that_looks_like_part_of_a_word_stays_among_kana_alone() -> None:
    assert "いけない" not in colloquial.understood("けいけんしゃは いますか", lambda: VOCABULARY).text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("合平の届出", "合併の届出"),
        ("監差会は何人から", "監査会は何人から"),
        ("急民預金の例", "休眠預金の例"),
        ("総会の議事録保存期間", "総会の議事録保存期間"),
        ("何口出資する", "何口出資する"),
    ],
)
def test_kanji_that_make_no_word_are_read_as_one_that_sounds_alike(typed: str, meant: str) -> None:
    known = Vocabulary(
        [
            "合併の届出",
            "監査会の人数",
            "調査の結果",
            "休眠預金の例",
            "市民の会",
            "急な連休",
            "公平な会",
            "総会の議事録の保存期間",
            "区出資",
        ]
    )
    assert known.heard(typed) == meant


def test_what_is_said_of_stays_where_a_part_is_taken_back() -> None:
    assert colloquial.unwrapped("教育繰越金は5%じゃなくて10%だったよね") == "教育繰越金は10%だったよね"


_TEXTS = ["合併の届出", "監査会の人数", "市民の会", "理事の任期", "自治会との会議", "辞任の届出", "総会の招集", "創会の記念"]
_KANA = "りじのにんき じにんのとどけで しみんのかい じちかいとのかいぎ そうかいのしょうしゅう がっぺい"


@given(st.lists(st.sampled_from(_TEXTS)), st.lists(st.sampled_from(_TEXTS)))
def test_a_vocabulary_that_changes_reads_as_one_made_anew(before: list[str], after: list[str]) -> None:
    changed = Vocabulary(after, Vocabulary(before))
    anew = Vocabulary(after)
    assert changed.restore(_KANA) == anew.restore(_KANA)
    assert changed.heard("合平の届出と監差会") == anew.heard("合平の届出と監差会")
