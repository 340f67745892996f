"""Words that people added themselves: what members say, and what the texts call it. On top of the shipped table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from knowledge.languages import ja
from knowledge.languages.colloquial import Query, unify

_KATAKANA, _LATIN = re.compile(r"[ァ-ヺー]+"), re.compile(r"[a-z0-9]+")


class OwnWords:
    """Immutable. What the texts never say is read as what is meant; what they do say is kept, and what is meant is added."""

    def __init__(self, rows: Iterable[tuple[str, str]] = ()) -> None:
        """`rows`: (said, meant) as they were typed, without circles."""
        meant = {ja.normalise(said): ja.normalise(meaning) for said, meaning in rows}
        self._rows = [(_pattern(said), said, _end(said, meant)) for said in sorted(meant, key=len, reverse=True) if said]

    def read(self, text: str, is_used: Callable[[str], bool]) -> str:
        """The text with what the texts never say put into their words. `is_used`: whether they hold a phrase (unified)."""
        spelled = ja.normalise_lines(text) if self._rows else text
        changed = spelled
        for pattern, said, meant in self._rows:
            if pattern.search(changed) and not is_used(unify(said)):
                changed = pattern.sub(lambda _, meant=meant: meant, changed)  # type: ignore[misc]
        return changed if changed != spelled else text

    def added_to(self, query: Query) -> Query:
        """The query with the meanings of those that stand in it."""
        found = [(unify(said), unify(meant)) for pattern, said, meant in self._rows if unify(said) in query.text]
        if not found:
            return query
        added = " ".join(dict.fromkeys([*query.added.split(), *(meant for _, meant in found)]))
        return replace(query, added=added, explained=(*query.explained, *(said for said, _ in found)))


def _end(said: str, meant: dict[str, str]) -> str:
    """What a word means in the end, where its meaning has a meaning of its own."""
    seen = {said}
    while (said := meant[said]) in meant and said not in seen:
        seen.add(said)
    return said


def _pattern(said: str) -> re.Pattern[str]:
    """The word where it stands alone: katakana not inside katakana, Latin letters not inside a word."""
    letters = next((c for c, kind in (("ァ-ヺー", _KATAKANA), ("a-z0-9", _LATIN)) if kind.fullmatch(said)), "")
    return re.compile(rf"(?<![{letters}]){re.escape(said)}(?![{letters}])" if letters else re.escape(said))
