"""Japanese text in lines: no 。 at a line's beginning, no 「 at its end, numbers with their units and foreign words whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

Measure = Callable[[str], float]  # the width of a text as it will be printed

NOT_FIRST = frozenset(
    "、。，．,.・：；:;?!？！)）]］}｝〕〉》」』】〙〗’”ゝゞヽヾ々〻ー〜～…‥‐–%％‰℃°′″"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ｡､｣･ｰﾞﾟ"
)
NOT_LAST = frozenset("(（[［{｛〔〈《「『【〘〖‘“¥￥$＄£#№〒｢")
_REMNANT = 3  # letters
# What stays together: a few words in brackets, a number with its unit, a word or an address in Latin letters; else each character
# is by itself.
_PIECE = re.compile(
    r"[（(][^（）()\n]{1,6}[）)]|(?:午[前後])?\d[\d,.]*(?:か月|カ月|ヶ月|時間|時\d+分|万円|億円|[年月日時分円人名回件歳年%％])?"
    r"|[A-Za-zÀ-ỹ0-9][\w\-@./:?=&%+~#À-ỹ]*|.",
    re.ASCII | re.DOTALL,
)
# For titles: what a reader takes in at a glance, some letters of one kind with the hiragana behind them.
_PHRASE = re.compile(
    r"[「『（(【]*(?:子ども[一-龥]*|[一-龥々〆ヵヶ0-9０-９A-Za-z,.]+|[ァ-ヺー]+|[ぁ-ゖー]+|.)(?:[ぁ-ゖー]*)[、。」』）)】!?！？]*"
)


def lines(text: str, width: float, measure: Measure) -> list[str]:
    """A text in lines that fit the width; each line of the text begins a new one. An empty line stays empty."""
    return [line for part in text.split("\n") for line in _without_remnant(_pieces(part.rstrip()), width, measure)]


def balanced(text: str, width: float, measure: Measure) -> list[str]:
    """A title in as few lines as it needs, broken between phrases and about equally long."""
    phrases = [p for phrase in _PHRASE.findall(" ".join(text.split())) for p in _parted(phrase, width, measure)]
    least = _filled(_glued(phrases), width, measure)
    low, high = 0.0, width
    while len(least) > 1 and high - low > width / 100:
        middle = (low + high) / 2
        narrower = _filled(_glued(phrases), middle, measure)
        if len(narrower) == len(least) and all(measure(line) <= middle for line in narrower):
            least, high = narrower, middle
        else:
            low = middle
    return least


def _without_remnant(pieces: Sequence[str], width: float, measure: Measure) -> list[str]:
    """Lines of which the last has more than a few letters, where the others can spare some."""
    filled = _filled(pieces, width, measure)
    for spared in range(1, _REMNANT + 1) if len(filled) > 1 else ():
        if len(filled[-1]) > _REMNANT:
            break
        narrower = _filled(pieces, width - spared * measure("あ"), measure)
        filled = narrower if len(narrower) == len(filled) else filled
    return filled


def _pieces(text: str) -> list[str]:
    return _glued(_PIECE.findall(text))


def _glued(pieces: Iterable[str]) -> list[str]:
    """Pieces with everything that may not begin or end a line by itself."""
    glued: list[str] = []
    for piece in pieces:
        if glued and (piece[0] in NOT_FIRST or glued[-1][-1] in NOT_LAST):
            glued[-1] += piece
        else:
            glued.append(piece)
    return glued


def _filled(pieces: Iterable[str], width: float, measure: Measure) -> list[str]:
    filled, line = list[str](), ""
    for piece in (p for whole in pieces for p in _parted(whole, width, measure)):
        if line and measure((line + piece).rstrip()) > width:
            filled.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*filled, line.rstrip()]


def _parted(piece: str, width: float, measure: Measure) -> list[str]:
    """A piece that is wider than a line in parts that are not, between any two letters that may be parted."""
    if measure(piece) <= width:
        return [piece]
    parts = [""]
    for letters in _glued(piece):
        if parts[-1] and measure(parts[-1] + letters) > width:
            parts.append("")
        parts[-1] += letters
    return parts
