"""Sheets for members without a phone: what can be read on them, how large, and where the code leads."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
import segno
from PIL import Image
from pypdfium2 import raw

from bot.announcing import sheet
from bot.announcing.announcement import Content, Event, State
from bot.announcing.paper import Entry, entries_about, handout, notice
from bot.announcing.typesetting import NOT_FIRST
from bot.bootstrap import Yui
from bot.errors import UserMistake
from knowledge import Audience, Kind
from tests.bot.announcing.announcements import FESTIVAL, GRANT, announcement, at

TODAY = dt.date(2026, 7, 6)
PAGE = "https://yui.example.jp/announcements/0123456789ab.Qk3Zp0aY6m1sVtXw8uRbLcDe"
PARAGRAPH = (
    "今年の助成は、居場所づくりに取りくむ組合を応援するものです。家賃、備品、光熱費などに使えます。"
    "「はじめての申しこみ」も歓迎します！！"
)
LONG = replace(GRANT, text="\n".join([PARAGRAPH] * 20))
ANSWER = "監事は1人以上必要です。組合員が20人を超えない組合は、監事の代わりに組合員監査会を置けます。"


def pages_of(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def lines_of(pdf: bytes) -> list[str]:
    return [line.strip() for page in pages_of(pdf) for line in page.splitlines() if line.strip()]


def sizes_in(pdf: bytes) -> set[float]:
    """The sizes of all type, in points."""
    found = set()
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            text = page.get_textpage()
            found |= {
                round(raw.FPDFText_GetFontSize(text, i), 1) for i in range(text.count_chars()) if text.get_text_range(i, 1).strip()
            }
    return found


def test_a_notice_fits_on_one_page_and_says_everything() -> None:
    (text,) = pages_of(notice(announcement(FESTIVAL), "労協うえだ", PAGE, TODAY))
    plain = re.sub(r"\s", "", text)
    for told in (
        "夏祭りのお知らせ",
        "2026年8月1日(土)",
        "午前10時〜午後3時",
        "長野県上田市中央公民館",
        "屋台と盆おどり",
        "労協うえだから",
        "1/1ページ",
    ):
        assert told in plain


@pytest.mark.parametrize("content", [FESTIVAL, LONG])
def test_nothing_is_smaller_than_14_points(content: Content) -> None:
    assert min(sizes_in(notice(announcement(content), "", PAGE, TODAY))) >= 14


def test_a_short_notice_is_set_larger() -> None:
    assert max(sizes_in(notice(announcement(FESTIVAL), "", PAGE, TODAY))) > sheet.TITLE


def test_a_long_notice_goes_on_over_pages_that_are_numbered_and_named() -> None:
    pages = pages_of(notice(announcement(LONG), "", PAGE, TODAY))
    assert 2 <= len(pages) <= 4
    for number, page in enumerate(pages, 1):
        assert f"{number} / {len(pages)} ページ" in page
        assert "居場所づくり助成" in page
    assert "".join("".join(pages).split()).count("はじめての申しこみ") == 20


def test_no_line_begins_with_a_sign_that_belongs_to_the_one_before() -> None:
    for line in lines_of(notice(announcement(LONG), "", PAGE, TODAY)):
        assert line[0] not in NOT_FIRST - {"2", "(", "（"}, line


def test_the_font_is_in_the_file() -> None:
    pdf = notice(announcement(FESTIVAL), "", PAGE, TODAY)
    with pypdfium2.PdfDocument(pdf) as document:
        objects = [o for o in document[0].get_objects() if o.type == raw.FPDF_PAGEOBJ_TEXT]
        fonts = [raw.FPDFTextObj_GetFont(o.raw) for o in objects]
        assert fonts
        assert all(raw.FPDFFont_GetIsEmbedded(f) for f in fonts)
    assert len(pdf) < 300_000  # the letters that are used, not the whole font


def test_the_code_leads_to_the_page(tmp_path: Path) -> None:
    """Each module of the printed code is dark where it is in the code of the address, and light elsewhere."""
    pdf = tmp_path / "notice.pdf"
    pdf.write_bytes(notice(announcement(FESTIVAL), "", PAGE, TODAY))
    scale = 4.0
    with pypdfium2.PdfDocument(pdf) as document:
        picture = document[0].render(scale=scale).to_pil().convert("L")
    black = picture.point(lambda v: 255 if v < 8 else 0)
    expected = [list(row) for row in segno.make(PAGE, error="m", micro=False).matrix]
    left, top, right, bottom = (
        black.crop((0, round(picture.height * 0.68), round(picture.width * 0.27), round(picture.height * 0.9))).getbbox()
        or (0,) * 4
    )
    top, bottom = top + round(picture.height * 0.68), bottom + round(picture.height * 0.68)
    side = (right - left) / len(expected)
    assert abs(side - (bottom - top) / len(expected)) < 0.1
    read = [
        [int(black.getpixel((left + (x + 0.5) * side, top + (y + 0.5) * side)) == 255) for x in range(len(expected))]  # type: ignore[arg-type]
        for y in range(len(expected))
    ]
    assert read == expected


def test_without_an_address_and_for_a_draft_there_is_no_code() -> None:
    assert "カメラ" not in pages_of(notice(announcement(FESTIVAL), "", "", TODAY))[0]
    (draft,) = pages_of(notice(announcement(FESTIVAL, state=State.DRAFT), "", PAGE, TODAY))
    assert "カメラ" not in draft
    assert "下書き" in draft


def test_a_withdrawn_one_is_not_printed() -> None:
    with pytest.raises(UserMistake, match="withdrawn"):
        notice(announcement(FESTIVAL, state=State.WITHDRAWN), "", PAGE, TODAY)


def test_markup_is_only_words() -> None:
    text = "<b>太字</b> **星** {nb} &amp; <script>alert(1)</script> __下線__"
    content = Content("題<i>名</i>", text, event=Event(at(8, 1), None, "<u>公民館</u>"))
    (page,) = pages_of(notice(announcement(content), "<b>組合</b>", PAGE, TODAY))
    plain = "".join(page.split())
    for told in ("<b>太字</b>", "**星**", "{nb}", "&amp;", "<script>", "__下線__", "題<i>名</i>", "<u>公民館</u>", "<b>組合</b>"):
        assert told in plain


def test_letters_the_font_lacks_are_marked_and_pictographs_left_out() -> None:
    content = Content("お祭り🎉", "髙橋さん、𠮷田さん😀、가나다、ｶﾞｷﾞ", event=Event(at(8, 1)))
    (page,) = pages_of(notice(announcement(content), "", PAGE, TODAY))
    assert "髙橋さん、𠮷田さん、〓〓〓、" in page
    assert "🎉" not in page


def test_a_picture_is_printed(tmp_path: Path) -> None:
    file = tmp_path / "p.jpg"
    Image.new("RGB", (400, 300), (200, 30, 30)).save(file)
    with pypdfium2.PdfDocument(notice(announcement(FESTIVAL), "", PAGE, TODAY, file)) as document:
        assert len(document) == 1
        assert [o for o in document[0].get_objects() if o.type == raw.FPDF_PAGEOBJ_IMAGE]


@pytest.mark.long
@pytest.mark.parametrize(
    "text", ["", "あ" * 1500, "https://example.jp/" + "a" * 900, "\n" * 300, "（" * 400, "。" * 400, "\u202e\x07\ud800逆"]
)
def test_any_text_can_be_printed(text: str) -> None:
    assert pages_of(notice(announcement(Content("題" * 80, text, event=Event(at(8, 1)))), "", PAGE, TODAY))


def entry(n: int, kind: Kind = Kind.LAW, answer: str = ANSWER) -> Entry:
    return Entry(kind, f"問いの{n}番目？", answer, f"出典:資料{n}(2026年7月1日時点)")


def test_a_handout_keeps_the_voices_apart_and_names_each_source() -> None:
    pdf = handout("監事", [entry(1), entry(2), entry(3, Kind.CASE)], "https://yui.example.jp/", TODAY)
    text = "\n".join(lines_of(pdf))
    order = [
        text.index(t)
        for t in ("法律で決まっていること", "問いの1番目", "資料1", "問いの2番目", "ほかの組合の例", "問いの3番目", "資料3")
    ]
    assert order == sorted(order)
    assert min(sizes_in(pdf)) >= 14


@pytest.mark.parametrize("length", [1, 3, 4, 7])
def test_no_page_ends_with_a_question_or_a_heading_alone(length: int) -> None:
    """Whatever length the answers have: below each heading and question stands something on the same page."""
    entries = [entry(n, Kind.LAW if n < 5 else Kind.CASE, ANSWER * length) for n in range(1, 9)]
    for page in pages_of(handout("監事", entries, "", TODAY)):
        rows = [row.strip() for row in page.splitlines() if row.strip()]
        content = [row for row in rows if "ページ" not in row and "の内容" not in row]
        assert not re.search(r"番目？$|決まっていること$|組合の例$", content[-1]), content[-3:]


@pytest.mark.long
def test_a_handout_is_made_from_what_its_readers_may_know(shipped: Yui) -> None:
    entries = entries_about("監事", shipped.knowledge, Audience(), lambda _: ())
    assert 5 <= len(entries) <= 10
    assert all("監" in e.question + e.answer for e in entries)
    assert all(e.source.startswith("出典:") for e in entries)
    pages = pages_of(handout("監事", entries, "https://yui.example.jp/", TODAY))
    assert len(pages) <= 5
    with pytest.raises(UserMistake, match="Nothing is known"):
        entries_about("りんごあめ", shipped.knowledge, Audience(), lambda _: ())


def test_without_a_japanese_font_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    sheet.font_file.cache_clear()
    monkeypatch.setattr(sheet, "_SYSTEM_FONTS", ())
    monkeypatch.setattr(sheet, "import_module", lambda _: (_ for _ in ()).throw(ImportError))
    with pytest.raises(UserMistake, match="pip install pylopdf-fonts-jp"):
        notice(announcement(FESTIVAL), "", PAGE, TODAY)
