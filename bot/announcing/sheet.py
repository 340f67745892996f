"""A4 paper for reading without glasses: large type in an embedded Japanese font, headings that never stand alone, a QR code."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

import segno
from fpdf import FPDF
from fpdf.enums import TextMode
from fpdf.fonts import TTFFont
from PIL import Image

from bot.announcing.typesetting import balanced, lines
from bot.errors import UserMistake

TITLE, HEADING, BODY, SMALL = 30.0, 19.0, 16.0, 14.0  # points; nothing is smaller
_LEADING = 1.65  # the distance of lines, in sizes of the type
_MM = 25.4 / 72  # a point
_WIDTH, _HEIGHT, _MARGIN = 210.0, 297.0, 20.0  # mm
_TEXT = _WIDTH - 2 * _MARGIN
_FOOT = 24.0  # mm below the text
_LABEL = 37.0  # mm of a fact's name
_APART = 2.5  # mm between paragraphs
_KEPT = 100.0  # mm: a shorter answer is not parted
_HIGHEST = 85.0  # mm of a picture
_QR, _QUIET = 36.0, 4  # mm; modules around the code, which readers need
_INK, _LEAF, _PALE, _GREY, _WHITE = (20, 20, 20), (31, 92, 69), (237, 243, 239), (70, 70, 70), (255, 255, 255)
# Where systems keep a Japanese font, if the package of this installation is not there.
_SYSTEM_FONTS = (
    "/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf",
    "/usr/share/fonts/truetype/fonts-japanese-gothic.ttf",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/Library/Fonts/Arial Unicode.ttf",
    "C:/Windows/Fonts/BIZ-UDGothicR.ttc",
    "C:/Windows/Fonts/YuGothM.ttc",
)
_PICTOGRAPH = re.compile("[\U0001f000-\U0001faff\ufe00-\ufe0f\u200b-\u200f\u2060\ufeff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@cache
def font_file() -> Path:
    """A Japanese font. Raises UserMistake where there is none."""
    try:
        found = Path(import_module("pylopdf_fonts_jp").sans_path())
    except ImportError:
        found = next((p for p in map(Path, _SYSTEM_FONTS) if p.is_file()), Path())
    if not found.is_file():
        raise UserMistake(
            "There is no Japanese font to print with: run `pip install pylopdf-fonts-jp`, or install the system's fonts-noto-cjk."
        )
    return found


class Sheet:
    """Filled from top to bottom; begins a new page where something would be torn apart."""

    def __init__(self, title: str, foot: str, scale: float = 1.0) -> None:
        """`title`: the document's, and in small type on top of every page but the first. `foot`: beside the page's number. `scale`:
        how much larger the type is than it has to be."""
        self._title, self._foot = title, foot
        self._heading, self._body, self._title_size = HEADING * scale, BODY * scale, TITLE * min(scale, 1.3)
        self._pdf = FPDF(format="A4")
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margin(0)
        self._pdf.c_margin = 0
        self._pdf.set_lang("ja-JP")
        self._pdf.add_font("jp", fname=font_file())
        self._bold = False
        self._letters = frozenset(getattr(self._pdf.fonts["jp"], "cmap", ()))
        self._pdf.set_title(self.printable(title))
        self._page()

    # what is put on it

    def label(self, text: str, beside: str = "") -> None:
        """What kind of sheet this is, and what stands at the other edge: a date."""
        text, beside = self.printable(text), self.printable(beside)
        self._type(SMALL, bold=True)
        width = self._pdf.get_string_width(text) + 10
        self._box(_MARGIN, self._y, width, 9.5, _LEAF)
        self._line(text, _MARGIN + 5, self._y + 4.75, _WHITE)
        self._type(SMALL)
        self._line(beside, _WIDTH - _MARGIN - self._pdf.get_string_width(beside), self._y + 4.75, _GREY)
        self._y += 14

    def headline(self, text: str, below: str = "") -> None:
        """The title in the largest type, smaller where it is long, and a line below it."""
        told = self.printable(text)
        size = next(
            (
                s
                for s in (self._title_size, TITLE, 26.0, 22.0)
                if len(self._broken(told, s, balance=True)) <= (2 if s > TITLE else 3)
            ),
            20.0,
        )
        for line in self._broken(told, size, balance=True):
            self._room(size * 1.4 * _MM)
            self._type(size, bold=True)
            self._line(line, _MARGIN, self._y + size * 0.7 * _MM, _INK)
            self._y += size * 1.4 * _MM
        self._y += 1
        if below:
            self._paragraph(self._broken(self.printable(below), SMALL, balance=True), SMALL, _GREY)
        self._pdf.set_draw_color(*_LEAF)
        self._pdf.set_line_width(0.9)
        self._pdf.line(_MARGIN, self._y + 1.5, _WIDTH - _MARGIN, self._y + 1.5)
        self._y += 7.5

    def facts(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names and values: when, where, until when."""
        for name, value in rows:
            told = self._broken(self.printable(value), self._heading, _TEXT - _LABEL - 4, balance=True)
            height = max(len(told) * self._heading * 1.4 * _MM + 5.5, 15)
            self._room(height)
            self._box(_MARGIN, self._y, _TEXT, height - 2, _PALE)
            self._box(_MARGIN, self._y, _LABEL - 2, height - 2, _LEAF)
            self._type(self._body, bold=True)
            self._line(name, _MARGIN + (_LABEL - 2 - self._pdf.get_string_width(name)) / 2, self._y + (height - 2) / 2, _WHITE)
            self._type(self._heading, bold=True)
            top = self._y + (height - 2 - len(told) * self._heading * 1.4 * _MM) / 2
            for n, line in enumerate(told):
                self._line(line, _MARGIN + _LABEL + 3, top + (n + 0.5) * self._heading * 1.4 * _MM, _INK)
            self._y += height
        self._y += 4

    def picture(self, file: Path) -> None:
        """A picture over the width of the text, or as high as a third of the page."""
        with Image.open(file) as opened:
            wide, high = opened.size
        width = min(_TEXT, _HIGHEST * wide / high)
        height = width * high / wide
        self._room(height + 5)
        self._pdf.image(file, _MARGIN + (_TEXT - width) / 2, self._y, width, height)
        self._y += height + 5

    def text(self, text: str) -> None:
        """Paragraphs. A page takes at least two lines of each with it, and leaves two behind."""
        for paragraph in (p.strip() for p in self.printable(text).split("\n")):
            if paragraph:
                self._paragraph(self._broken(paragraph, self._body), self._body)
                self._y += _APART

    def question(self, number: int, asked: str, answer: str, source: str, section: str = "") -> None:
        """A question with its answer and where that stands: on one page unless it is long, never the question alone. `section`: the
        heading over this and the following ones."""
        told = self._broken(self.printable(asked), self._heading, _TEXT - 16, balance=True)
        parts = [self._broken(p.strip(), self._body) for p in self.printable(answer).split("\n") if p.strip()]
        below = self._broken(self.printable(source), SMALL, balance=True)
        head = len(told) * self._heading * 1.4 * _MM + 4
        body = sum(len(p) * self._body * _LEADING * _MM + _APART for p in parts) + len(below) * SMALL * _LEADING * _MM
        over = self._heading * 1.4 * _MM + 5 if section else 0
        self._room(over + head + 3 + (body if body < _KEPT else 2 * self._body * _LEADING * _MM))
        if section:
            self._section(section)
        self._box(_MARGIN, self._y, _TEXT, head, _PALE)
        self._box(_MARGIN, self._y, 12, head, _LEAF)
        mark = str(number)
        self._type(self._heading, bold=True)
        self._line(mark, _MARGIN + (12 - self._pdf.get_string_width(mark)) / 2, self._y + head / 2, _WHITE)
        for n, line in enumerate(told):
            self._line(line, _MARGIN + 16, self._y + 2 + (n + 0.5) * self._heading * 1.4 * _MM, _INK)
        self._y += head + 3
        for part in parts:
            self._paragraph(part, self._body)
            self._y += _APART
        self._paragraph(below, SMALL, _GREY)
        self._y += 7

    def qr(self, address: str, told: str) -> None:
        """A QR code with what it leads to, at the foot of the last page."""
        code = segno.make(address, error="m", micro=False)
        matrix = [list(row) for row in code.matrix_iter(border=_QUIET)]
        beside = _TEXT - _QR - 14
        words = self._broken(self.printable(told), self._body, beside, balance=True)
        small = self._broken(address, SMALL, beside)
        height = max(_QR + 6, 10 + len(words) * self._body * 1.5 * _MM + len(small) * SMALL * 1.35 * _MM)
        self._room(height + 2)
        self._y = _HEIGHT - _FOOT - height
        self._pdf.set_draw_color(*_LEAF)
        self._pdf.set_line_width(0.5)
        self._pdf.rect(_MARGIN, self._y, _TEXT, height, round_corners=True, corner_radius=2.5)
        self._modules(matrix, _MARGIN + 3, self._y + (height - _QR) / 2)
        at = self._y + (height - len(words) * self._body * 1.5 * _MM - len(small) * SMALL * 1.35 * _MM - 2) / 2
        for lines_, size, leading, colour in ((words, self._body, 1.5, _INK), (small, SMALL, 1.35, _GREY)):
            self._type(size)
            for line in lines_:
                self._line(line, _MARGIN + _QR + 9, at + size * leading / 2 * _MM, colour)
                at += size * leading * _MM
            at += 2
        self._y += height

    @property
    def pages(self) -> int:
        return self._pdf.pages_count

    def pdf(self) -> bytes:
        """The finished file, its pages numbered."""
        for page in range(1, self.pages + 1):
            self._pdf.page = page
            self._pdf.set_font("jp", size=1)  # the library tells a page its type only where it changes
            number = f"{page} / {self.pages} ページ"
            self._type(SMALL)
            self._line(self.printable(self._foot), _MARGIN, _HEIGHT - 13, _GREY)
            self._line(number, _WIDTH - _MARGIN - self._pdf.get_string_width(number), _HEIGHT - 13, _GREY)
        finished = bytes(self._pdf.output())
        self.close()
        return finished

    def close(self) -> None:
        """Let go of the font's file."""
        for font in self._pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def printable(self, text: str) -> str:
        """A text in the letters the font has: pictographs go, another letter it lacks becomes 〓, as printers mark it."""
        text = _CONTROL.sub("", _PICTOGRAPH.sub("", text)).replace("\t", " ")
        return "".join(c if ord(c) in self._letters or c == "\n" else self._instead(c) for c in text)

    def _instead(self, letter: str) -> str:
        plain = unicodedata.normalize("NFKC", letter)
        return plain if all(ord(c) in self._letters for c in plain) else "〓"

    # how

    def _section(self, text: str) -> None:
        self._type(self._heading, bold=True)
        self._box(_MARGIN, self._y + 1, 2.2, self._heading * 1.2 * _MM, _LEAF)
        self._line(self.printable(text), _MARGIN + 6, self._y + 1 + self._heading * 0.6 * _MM, _LEAF)
        self._y += self._heading * 1.4 * _MM + 5

    def _page(self) -> None:
        self._pdf.add_page()
        self._y = _MARGIN - 2
        if self._pdf.pages_count > 1:
            self._type(SMALL)
            line = lines(self.printable(self._title), _TEXT - 12, self._pdf.get_string_width)
            self._line(line[0] + ("…" if len(line) > 1 else ""), _MARGIN, self._y + 2, _GREY)
            self._pdf.set_draw_color(*_LEAF)
            self._pdf.set_line_width(0.3)
            self._pdf.line(_MARGIN, self._y + 6.5, _WIDTH - _MARGIN, self._y + 6.5)
            self._y += 13

    def _room(self, height: float) -> None:
        """Begin a new page where this height does not fit any more."""
        if self._y + height > _HEIGHT - _FOOT:
            self._page()

    def _broken(self, text: str, size: float, width: float = _TEXT, *, balance: bool = False) -> list[str]:
        self._type(size)
        return (balanced if balance else lines)(text, width, self._pdf.get_string_width)

    def _paragraph(self, told: Sequence[str], size: float, colour: tuple[int, int, int] = _INK) -> None:
        height = size * _LEADING * _MM
        for n, line in enumerate(told):
            rest = len(told) - n
            # Two lines at least stay together, at the beginning and at the end.
            together = 2 if rest == 2 or (n == 0 and rest > 1) else 3 if n == 0 and rest == 3 else 1
            self._room(together * height)
            self._type(size)
            self._line(line, _MARGIN, self._y + height / 2, colour)
            self._y += height

    def _type(self, size: float, *, bold: bool = False) -> None:
        self._pdf.set_font("jp", size=size)
        self._bold = bold

    def _line(self, text: str, x: float, middle: float, colour: tuple[int, int, int]) -> None:
        """One line of text; `middle`: the height of its letters' middle. The font has one weight: bold letters get an outline."""
        self._pdf.set_text_color(*colour)
        base = middle + self._pdf.font_size * 0.36
        if not self._bold:
            self._pdf.text(x, base, text)
            return
        self._pdf.set_draw_color(*colour)
        with self._pdf.local_context(text_mode=TextMode.FILL_STROKE, line_width=self._pdf.font_size * 0.026):
            self._pdf.text(x, base, text)

    def _box(self, x: float, y: float, width: float, height: float, colour: tuple[int, int, int]) -> None:
        self._pdf.set_fill_color(*colour)
        self._pdf.rect(x, y, width, height, style="F", round_corners=True, corner_radius=1.5)

    def _modules(self, matrix: Sequence[Sequence[int]], left: float, top: float) -> None:
        """The dark modules, those side by side as one bar, so that no light shines between them."""
        side = _QR / len(matrix)
        self._pdf.set_fill_color(0, 0, 0)
        for y, row in enumerate(matrix):
            for bar in re.finditer("1+", "".join("1" if m else "0" for m in row)):
                self._pdf.rect(left + bar.start() * side, top + y * side, len(bar[0]) * side, side * 1.02, style="F")
