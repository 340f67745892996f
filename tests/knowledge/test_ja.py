import pytest

from knowledge.languages import ja


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("第三条", "3条"),
        ("第３条", "3条"),
        ("第九十四条の三", "94条の3"),
        ("6ヶ月", "6か月"),
        ("六か月", "6か月"),
        ("6カ月", "6か月"),
        ("四分の三", "4分の3"),
        ("百分の三", "100分の3"),
        ("ﾛｳｷｮｳ", "ロウキョウ"),
        ("ＷＮＪ", "wnj"),
        ("三人から", "3人から"),
        ("1,922人", "1922人"),
        ("4千円", "4000円"),
        ("４千円", "4000円"),
        ("2千人", "2000人"),
        ("3万5千円", "35000円"),
        ("3万五千円", "35000円"),
        ("3万5,000円", "35000円"),
        ("4千5百円", "4500円"),
        ("3百円", "300円"),
        ("1千万円", "1000万円"),
        ("20,220千円", "20220000円"),
        ("四千円", "4000円"),
        ("教えて〜", "教えて"),
        ("ながーーい", "ながい"),
        ("\u202e逆\u200b", "逆"),
    ],
)
def test_one_spelling_for_what_means_the_same(written: str, same: str) -> None:
    assert ja.normalise(written) == same


@pytest.mark.parametrize(
    "kept", ["第2千葉ビル", "2千葉県", "5百貨店", "2022万円", "三重県", "一般", "四国", "十分に", "三田さん", "サーバー"]
)
def test_kanji_that_are_no_numbers_stay(kept: str) -> None:
    assert ja.normalise(kept) == kept


def test_sentences_lose_nothing() -> None:
    text = "決まりは3つです。出資・意見・従事!「本当?」と聞かれた。\n終わり"
    found = ja.sentences(text)
    assert "".join(found) == text.replace("\n", "")
    assert found[0] == "決まりは3つです。"


def test_terms_leave_out_grammar() -> None:
    terms = ja.terms(ja.normalise("発起人は何人必要ですか"))
    assert "発起" in terms.words
    assert not {"は", "です", "か"} & set(terms.words)
    assert "発起" in terms.bigrams
    assert terms.readings[0] == "ホッキ"


def test_terms_of_nothing_and_of_much() -> None:
    assert ja.terms("").words == ()
    assert len(ja.terms("総会の公告は2週間前。" * 5_000).words) > 10_000
