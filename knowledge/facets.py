"""What cases can be found by: the words of their facets, and where their prefectures lie (`corpus/facets.yaml`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from knowledge import yaml_files
from knowledge.errors import InvalidDocument
from knowledge.languages import ja
from knowledge.languages.colloquial import unify
from knowledge.types import Document, Kind

NARROWING = ("legal_form", "origin", "partners", "funding", "field")  # besides the place
_GOVERNMENT = "自治体"
_GOVERNMENT_NAME = re.compile(r".{2,}[都道府県市町村]")
# An origin is only meant where the words say so: 「NPOから移った」, not 「NPOの例」.
_BEFORE = r"(?:法人)?(?:から|だった|を母体|が母体|が前身|を前身|の時代|が労働者協同組合に|が労協に)"


@dataclass(frozen=True, slots=True)
class Wish:
    """Something a question asks for besides the place: one word, and the values that mean it, by facet."""

    said: str  # as it is written in the table
    values: Mapping[str, frozenset[str]]

    def is_met(self, facets: Mapping[str, tuple[str, ...]]) -> bool:
        return any(not values.isdisjoint(held_in(facets, facet)) for facet, values in self.values.items())

    def is_met_exactly(self, facets: Mapping[str, tuple[str, ...]]) -> bool:
        return any(spelled(self.said) in held_in(facets, facet) for facet in self.values)

    def met_by(self, facets: Mapping[str, tuple[str, ...]], facet: str) -> list[str]:
        """The values of one facet, as they are written, that meet this wish."""
        wanted = self.values.get(facet, frozenset())
        return [v for v in facets.get(facet, ()) if not wanted.isdisjoint(_senses(v, facet))]


def held_in(facets: Mapping[str, tuple[str, ...]], facet: str) -> set[str]:
    """The values of a facet in the spelling of questions. For the field the tags count too: they are words people search by."""
    values = facets.get(facet, ()) + (facets.get("tags", ()) if facet == "field" else ())
    return {sense for v in values for sense in _senses(v, facet)}


def _senses(value: str, facet: str) -> set[str]:
    own = spelled(value)
    return {own, _GOVERNMENT} if facet == "partners" and _GOVERNMENT_NAME.fullmatch(own) else {own}


@cache
def spelled(text: str) -> str:
    """A word as it looks in a question that has been made ready for searching."""
    return unify(ja.normalise(text))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The table: words by facet with all that they mean, the map, and what a question says without narrowing anything."""

    meanings: Mapping[str, Mapping[str, frozenset[str]]]
    written: Mapping[str, str]
    regions: Mapping[str, frozenset[str]]
    neighbours: Mapping[str, frozenset[str]]
    cities: Mapping[str, str]
    passed_over: re.Pattern[str]

    def wishes(self, text: str) -> tuple[list[Wish], str]:
        """What a question asks for, in its order, long words before their parts, and the question without those words."""
        found: dict[int, Wish] = {}
        for word in sorted(self.meanings["origin"], key=len, reverse=True):
            if match := re.search(re.escape(word) + _BEFORE, text):
                found[match.start()] = Wish(self.written[word], {"origin": self.meanings["origin"][word]})
                text = _blanked(text, match[0])
        for word, values in sorted(self._besides_origin().items(), key=lambda item: -len(item[0])):
            pattern = re.escape(word) if len(word) > 1 else f"(?<![一-龥]){word}(?![一-龥])"
            if match := re.search(pattern, text):
                found[match.start()] = Wish(self.written[word], values)
                text = _blanked(text, word)
        return [found[at] for at in sorted(found)], text

    def _besides_origin(self) -> dict[str, dict[str, frozenset[str]]]:
        found: dict[str, dict[str, frozenset[str]]] = {}
        for facet in (f for f in NARROWING if f != "origin"):
            for word, values in self.meanings[facet].items():
                if not self.passed_over.fullmatch(word):
                    found.setdefault(word, {})[facet] = values
        return found

    def rest(self, text: str) -> list[str]:
        """The words of a question that say something else yet."""
        words = ja.morphemes(self.passed_over.sub(" ", text))
        kinds = ("名詞", "動詞", "形容詞", "形状詞")
        content = (m.surface() for m in words if m.part_of_speech()[0] in kinds and ja.is_content(m))
        return [w for w in content if len(w) > 1 or "一" <= w <= "龥"]

    def distance(self, prefecture: str, others: Iterable[str]) -> int:
        """0 in one of them, 1 beside one, 2 in the same part of the country, 3 farther away."""
        others = frozenset(others)
        if prefecture in others:
            return 0
        if not others.isdisjoint(self.neighbours.get(prefecture, frozenset())):
            return 1
        return 2 if any(prefecture in r and not others.isdisjoint(r) for r in self.regions.values()) else 3


def _blanked(text: str, word: str) -> str:
    return text.replace(word, " " * len(word))


@cache
def vocabulary() -> Vocabulary:
    raw = yaml_files.shipped("knowledge.corpus", "facets.yaml")
    written = [w for facet in NARROWING for name, words in raw[facet].items() for w in (name, *words)]
    return Vocabulary(
        {facet: _meanings(raw[facet], raw["includes"]) for facet in NARROWING},
        {spelled(w): w for w in reversed(written)},
        {name: frozenset(held) for name, held in raw["regions"].items()},
        {name: frozenset(held) for name, held in raw["neighbours"].items()},
        raw["cities"],
        re.compile("|".join(f"(?:{p})" for p in raw["passed_over"])),
    )


def _meanings(raw: Mapping[str, list[str]], includes: Mapping[str, list[str]]) -> dict[str, frozenset[str]]:
    """For each word all the words that meet it: those that mean the same, and the narrower ones."""
    same = {w: group for name, words in raw.items() for group in [frozenset(map(spelled, (name, *words)))] for w in group}
    narrower = {spelled(name): [same[spelled(w)] for w in words if spelled(w) in same] for name, words in includes.items()}
    return {w: group.union(*(n for key in group for n in narrower.get(key, ()))) for w, group in same.items()}


def check(document: Document) -> None:
    """Raises InvalidDocument for a case whose place or facets are not in the table."""
    if document.kind is not Kind.CASE:
        return
    known = vocabulary()
    for facet in NARROWING:
        for value in document.facets.get(facet, ()):
            named = facet == "partners" and _GOVERNMENT_NAME.fullmatch(value)
            if spelled(value) not in known.meanings[facet] and not named:
                raise InvalidDocument(f"{document.id}: {facet} has {value}, which is not in facets.yaml.")
    place = document.facets.get("place", ())
    if place and place[0] not in known.neighbours:
        raise InvalidDocument(f"{document.id}: {place[0]} is not a prefecture.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question looks: a city, prefectures, or these and what lies around them."""

    said: str
    prefectures: frozenset[str]
    city: str = ""
    near: bool = False

    def fits(self, place: tuple[str, ...]) -> bool:
        if not place:
            return False
        if self.near:
            return vocabulary().distance(place[0], self.prefectures) <= 1
        return place[0] in self.prefectures and (not self.city or self.city in place)

    def distance(self, place: tuple[str, ...]) -> int:
        """0 in the city, 1 in the prefecture, 2 beside it, 3 in the same part of the country, 4 farther away."""
        if not place:
            return 4
        return 0 if self.city in place else 1 + vocabulary().distance(place[0], self.prefectures)


def prefecture_in(place: str) -> str:
    """The prefecture of a co-op's address: 長野県 for 「長野県上田市」, 「上田市」 and 「長野」; empty where none can be told."""
    known = vocabulary()
    place = ja.normalise(place).strip()
    at = {place.find(p): p for p in known.neighbours if p in place}
    if at:
        return at[min(at)]
    short = (p for p in known.neighbours if re.match(rf"{_without_kind(p)}(?:市|$|[\s・、,(])", place))
    return next(short, "") or next((known.cities[c] for c in sorted(known.cities, key=len, reverse=True) if c in place), "")


def _without_kind(prefecture: str) -> str:
    return re.sub(r"(?<=..)[都府県]$", "", prefecture)


_NEAR = re.compile(r"(?:県|市|町|村)?の?(?:近く|近所|近隣|周辺|付近|あたり|隣り?|となり|まわり|周り)")


def place_in(text: str, places: Iterable[tuple[str, ...]]) -> tuple[Place | None, str]:
    """The place a question names, if any, and the question without it. `places`: those of the cases, prefecture first."""
    names = _places(places)
    found: list[Place] = []
    for name in sorted(names, key=len, reverse=True):
        pattern = re.escape(name) if len(name) > 1 else rf"(?<![一-龥]){name}(?=[のでに])"
        text, count = re.subn(pattern, "〓", text)
        if count:
            found.append(names[name])
    if not found:
        return None, text
    named = next((p for p in found if p.city), found[0])
    wider = next((p.prefectures for p in found if not p.city and p.prefectures & named.prefectures), named.prefectures)
    near = bool(_NEAR.search(text, text.index("〓")))
    return Place(named.said, named.prefectures & wider, named.city, near), text.replace("〓", " ")


def _places(places: Iterable[tuple[str, ...]]) -> dict[str, Place]:
    """Every name of a place. A name without 市 or 県 is the prefecture's, if it has that name, not the city's."""
    known = vocabulary()
    cities: dict[str, set[str]] = {}
    for city, prefecture in [*known.cities.items(), *((c, p[0]) for p in places for c in p[1:])]:
        cities.setdefault(city, set()).add(prefecture)
    found = {}
    for city, prefectures in cities.items():
        place = Place(city, frozenset(prefectures), city)
        found[re.sub(r"(?<=.)[市町村区]$", "", city) if not re.fullmatch(r".区|中央区", city) else city] = place
        found[city] = place
    for prefecture in known.neighbours:
        place = Place(prefecture, frozenset({prefecture}))
        found[prefecture] = found[_without_kind(prefecture)] = place
    return found | {name: Place(name, held) for name, held in known.regions.items()}
