"""Two versions of a text, word by word where a sentence was changed, so that a person sees at a glance what is different."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from knowledge.languages import ja

_ALIKE = 0.4  # sentences less alike than this are told as one gone and one new
_LONGEST = 6_000  # characters; longer texts are compared sentence by sentence only


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of both texts (`same`), of the old one alone (`gone`) or of the new one alone (`new`)."""

    what: str
    text: str


def differences(old: str, new: str) -> tuple[Piece, ...]:
    """The pieces of two texts in reading order; those that are not `new` make the old text, those not `gone` the new one."""
    found = []
    for gone, come in _blocks(_sentences(old), _sentences(new)):
        found += _within("".join(gone), "".join(come))
    return tuple(_joined(found))


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    for _, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield old[a:b], new[c:d]


def _within(old: str, new: str) -> list[Piece]:
    if old == new:
        return [Piece("same", old)]
    changed = [p for p in (Piece("gone", old), Piece("new", new)) if p.text]
    if not old or not new or max(len(old), len(new)) > _LONGEST:
        return changed
    a, b = _words(old), _words(new)
    words = SequenceMatcher(None, a, b, autojunk=False)
    if words.ratio() < _ALIKE:
        return changed
    found = []
    for tag, i, j, k, m in words.get_opcodes():
        if tag == "equal":
            found.append(Piece("same", "".join(a[i:j])))
        else:
            found += [Piece("gone", "".join(a[i:j])), Piece("new", "".join(b[k:m]))]
    return found


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind as one piece; nothing empty."""
    held = Piece("same", "")
    for piece in pieces:
        if piece.what == held.what or not piece.text:
            held = Piece(held.what, held.text + piece.text)
        else:
            if held.text:
                yield held
            held = piece
    if held.text:
        yield held


def _sentences(text: str) -> list[str]:
    """Without losing a character: each with its end and its line break."""
    found = [""]
    for character in text:
        found[-1] += character
        if character in "。!?！？\n":
            found.append("")
    return [s for s in found if s]


def _words(text: str) -> list[str]:
    return [w.surface for w in ja.words(text)]
