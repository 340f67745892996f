"""Answers and situations, put into a member's language."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources

from knowledge import Answer, Citation, Kind, Match, Statute

# A language is there when its catalogue is.
LANGUAGES = tuple(
    sorted(f.name.removesuffix(".toml") for f in resources.files("bot.catalogues").iterdir() if f.name.endswith(".toml"))
)
_ISO_DATE = re.compile(r"[0-9]{4}(-[0-9]{2}){0,2}")
_ARTICLE = re.compile(r"(労働者協同組合法(?:施行令)?) ((?:附則)?第\d+条(?:の\d+)?)")
_TOPIC = 40  # characters of a tip that name it
_CHAT_ANSWER = 250  # characters a chat answer has room for on one screen


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    raw = tomllib.loads((resources.files("bot.catalogues") / f"{language}.toml").read_text("utf-8"))
    return {key: text.strip() for key, text in raw.items()}


def known(language: str | None) -> str:
    """The nearest language there are sentences for."""
    if language in LANGUAGES:
        return str(language)
    if language is None or language.startswith("ja"):
        return "ja"
    return language[:2] if language[:2] in LANGUAGES else "en"


def say(key: str, language: str, **values: str) -> str:
    """One of the fixed sentences."""
    return _catalogue(known(language))[key].format(**values)


@cache
def _ratings() -> Mapping[str, bool]:
    return {_catalogue(code)[key].strip(): key == "helpful" for code in LANGUAGES for key in ("helpful", "unhelpful")}


def rating(text: str) -> bool | None:
    """Whether a message is the label of a rating button, in any language, typed or pressed; None for anything else."""
    return _ratings().get(text.strip())


def answer_text(answer: Answer, language: str) -> tuple[str, str]:
    """The answer as a member reads it, one voice a paragraph, and the line that says where it stands."""
    if len(answer.layers) == 1:
        parts = [answer.layers[0].text]
    else:
        parts = [f"【{say(layer.kind, language)}】{layer.text}" for layer in answer.layers]
    told, where = _judged(answer, language) + "\n".join(parts), sources(answer.citations, language)
    if len(told) + 1 + len(where) > _CHAT_ANSWER and len(parts) > 1:
        return _judged(answer, language) + answer.layers[0].text, sources(answer.citations[:1], language)
    return told, where


def _judged(answer: Answer, language: str) -> str:
    """「いいえ、」 before an answer that corrects what the question took for granted."""
    if answer.premise is None:
        return ""
    return say("yes" if answer.premise else "no", language)


def sources(citations: Sequence[Citation], language: str) -> str:
    whole = [c for c in citations if not any(c.source != o.source and c.source in o.source for o in citations)]
    articles: dict[tuple[str, str], list[str]] = {}  # of one law and one day, told together: 第29条・第65条
    for law, article, day in ((m[1], m[2], c.as_of) for c in whole if (m := _ARTICLE.fullmatch(c.source))):
        articles.setdefault((law, day), []).append(article)
    told = [_source(replace(c, source=_together(c, articles)), language) for c in whole]
    between = "、" if language.startswith("ja") else "; "
    return say("source", language, sources=between.join(dict.fromkeys(told)))


def _together(citation: Citation, articles: Mapping[tuple[str, str], Sequence[str]]) -> str:
    """The source of a citation, with the other articles of its law."""
    named = _ARTICLE.fullmatch(citation.source)
    return f"{named[1]} {'・'.join(dict.fromkeys(articles[named[1], citation.as_of]))}" if named else citation.source


def _source(citation: Citation, language: str) -> str:
    when = say("as_of", language, date=date(citation.as_of, language)) if citation.as_of else ""
    return f"{citation.source}({when})" if when and citation.as_of[:4] not in citation.source else citation.source


def statutes(found: Sequence[Statute], language: str) -> str:
    """Exact words of the law, each under its name, and of which day they are."""
    parts = [f"【{s.name}】\n{s.text}" for s in found]
    day = next((s.in_force for s in found if s.in_force), None)
    if parts and day:
        parts.append(say("statute_of", language, date=date(day.isoformat(), language)))
    return "\n\n".join(parts)


def date(value: str, language: str) -> str:
    """An ISO date as members read it: 2026年6月23日; a month or a year alone where the day isn't known. Anything else as it is."""
    if not language.startswith("ja") or not _ISO_DATE.fullmatch(value):
        return value
    return "".join(f"{int(part)}{unit}" for part, unit in zip(value.split("-"), "年月日", strict=False))


def topic(match: Match) -> str:
    """A topic in one line, as it stands on a button."""
    title, heading = match.document.title, match.passage.heading
    if match.document.kind is Kind.TIP:  # all have the same title
        return match.passage.short if len(match.passage.short) <= _TOPIC else match.passage.short[: _TOPIC - 1] + "…"
    return heading if heading == title or title in heading else f"{title}: {heading}"[:60]


def not_found_text(nearest: Sequence[Match], language: str) -> str:
    lines = [say("not_found", language)]
    if nearest:
        lines.append(say("nearest", language))
        lines += [f"{n}. {topic(match)}" for n, match in enumerate(nearest, 1)]
    return "\n".join(lines)
