"""Small documents of every type, made by the libraries that programs use to make them."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence

import docx
import openpyxl
import pptx
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas


def word(title: str = "") -> bytes:
    document = docx.Document()
    document.core_properties.title = title
    document.add_heading("就業規則", 0)
    document.add_paragraph("この規則は組合での働き方を定めます。")
    document.add_heading("休暇", 1)
    document.add_heading("有給休暇", 2)
    document.add_paragraph("半年働くと10日の有給休暇があります。")
    table = document.add_table(2, 2)
    for row, values in zip(table.rows, [("勤続", "日数"), ("1年半", "11日")], strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    document.add_heading("附則", 1)
    return _saved(document)


def slides() -> bytes:
    show = pptx.Presentation()
    for title, text in [("研修のねらい", "対話を学びます。"), ("進め方", "三人で話します。"), ("内緒", "隠したスライドです。")]:
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
        slide.notes_slide.notes_text_frame.text = "話す人だけのメモ"
    slide._element.set("show", "0")
    return _saved(show)


def sheets(rows: int = 0) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = "2026"
    for row in [
        ["組合員名簿"],
        [],
        ["団体名", "所在地", "設立"],
        ["みんなの森", "雲南市", dt.datetime(2026, 5, 1)],
        ["ふくし", None, 2.0],
    ]:
        book.active.append(row)
    for n in range(rows):
        book.active.append([f"団体{n}", "札幌市"])
    hidden = book.create_sheet("下書き")
    hidden.append(["外に出さない値"])
    hidden.sheet_state = "hidden"
    return _saved(book)


def pdf(pages: Sequence[Sequence[str]], title: str = "", password: str | None = None) -> bytes:
    """Pages of lines in a Japanese font that the file only names, as many offices make them."""
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    out = io.BytesIO()
    canvas = Canvas(out, encrypt=password)
    canvas.setTitle(title)
    for lines in pages:
        canvas.setFont("HeiseiMin-W3", 10)
        for n, line in enumerate(lines):
            canvas.drawString(60, 780 - 16 * n, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _saved(document: object) -> bytes:
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]
    return out.getvalue()
