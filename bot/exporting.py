"""Published tips as a file that people and programs can read: what one audience may find, attributed as the givers allowed."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from bot.clock import JAPAN
from bot.curation import Curation
from bot.questions import OpenQuestions, Topic
from bot.search import Search
from bot.tips.tip import Attribution, Tip
from knowledge import Audience

_EVERYTHING = 10**9
# What a spreadsheet takes for a formula, also in the wide letters of Japanese keyboards.
_FORMULA = re.compile(r"[\s\0]*[=+\-@|＝＋－＠]|[\t\r\n]")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~&])")


class Format(StrEnum):
    JSONL = "jsonl"
    MARKDOWN = "md"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class ExportedTip:
    """A tip as others may have it. `who` is empty for anonymous ones; days are ISO dates of Japan."""

    id: str
    text: str
    place: str
    happened: str
    outcome: str
    question: str
    who: str
    offered: str
    published: str
    helped: int
    articles: tuple[str, ...]
    changed: tuple[str, ...]  # those of the articles whose official words have changed since


@dataclass(frozen=True, slots=True)
class OpenTopic:
    """A question nobody has answered yet."""

    question: str
    asked: int
    first: str
    last: str
    nearest: tuple[str, ...]


class Exporting:
    """Synchronous. What this gives out is what the audience would find by asking, and nothing that has been withdrawn."""

    def __init__(self, search: Search, curation: Curation, questions: OpenQuestions) -> None:
        self._search = search
        self._curation = curation
        self._questions = questions

    def tips(self, audience: Audience) -> list[ExportedTip]:
        """The published tips an audience may find, in the order they were offered."""
        self._curation.expire()
        return [_exported(tip, told) for tip, told in self._search.published(audience, 0, _EVERYTHING)]

    def topics(self, reviewer: str, co_op: str = "") -> list[OpenTopic]:
        """The open questions a reviewer may see, first things first.

        With a co-op: those that came from it, in its own words and as often as it has asked itself, whoever else has; without what
        lies near them, which the reviewer may find and the co-op may not.
        """
        seen = [_open(topic) for topic in self._questions.topics(reviewer, asked_by=co_op)]
        return [replace(topic, nearest=()) for topic in seen] if co_op else seen


def render(as_: Format, tips: Sequence[ExportedTip], topics: Sequence[OpenTopic] = ()) -> bytes:
    """The content of a file: UTF-8, for CSV with the mark by which spreadsheets know it."""
    if as_ is Format.JSONL:
        rows = [{"type": "tip", **asdict(t)} for t in tips] + [{"type": "question", **asdict(t)} for t in topics]
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    if as_ is Format.CSV:
        return _csv(tips, topics).encode("utf-8-sig")
    return _markdown(tips, topics).encode()


def _exported(tip: Tip, told: Attribution) -> ExportedTip:
    draft = tip.draft
    return ExportedTip(
        id=tip.id,
        text=draft.text,
        place=draft.place,
        happened=draft.happened,
        outcome=draft.outcome,
        question=draft.question,
        who=told.who,
        offered=tip.offered_at.astimezone(JAPAN).date().isoformat(),
        published=tip.published_at.astimezone(JAPAN).date().isoformat() if tip.published_at else "",
        helped=told.helped,
        articles=tip.articles,
        changed=tuple(told.changed),
    )


def _open(topic: Topic) -> OpenTopic:
    first, last = (moment.astimezone(JAPAN).date().isoformat() for moment in (topic.first, topic.last))
    return OpenTopic(topic.text, topic.asked, first, last, topic.nearest)


def _csv(tips: Sequence[ExportedTip], topics: Sequence[OpenTopic]) -> str:
    names = ["type", *ExportedTip.__dataclass_fields__, "asked", "first", "last", "nearest"]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    for kind, rows in (("tip", tips), ("question", topics)):
        for row in rows:
            writer.writerow({"type": kind, **{name: cell(value) for name, value in asdict(row).items()}})
    return out.getvalue()


def cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "、".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def _markdown(tips: Sequence[ExportedTip], topics: Sequence[OpenTopic]) -> str:
    lines = ["# コツ", ""]
    for tip in tips:
        lines += [*_quoted(tip.text), ""]
        told = [tip.who or "匿名", tip.place, tip.happened, tip.outcome, f"公開 {tip.published}"]
        told += [f"役に立った {tip.helped}件"] if tip.helped else []
        told += [f"要確認: {'、'.join(tip.changed)}"] if tip.changed else []
        lines += ["— " + " / ".join(_plain(part) for part in told if part), ""]
    if topics:
        lines += ["# まだ答えのない質問", ""]
        lines += [f"- {_plain(t.question)} ({t.asked}回、{t.first}〜{t.last})" for t in topics]
    return "\n".join(lines).rstrip() + "\n"


def _quoted(text: str) -> Iterable[str]:
    return (f"> {_plain(line)}".rstrip() for line in text.splitlines())


def _plain(text: str) -> str:
    """Words that are shown as they are: no markup, no HTML."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
