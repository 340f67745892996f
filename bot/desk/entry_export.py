"""Entries as files that people and programs can read: what one reader may see, a line each."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator

from bot.desk.contents import Content, packed
from bot.exporting import cell

# The names that an import knows again.
_COLUMNS = (
    "id", "種類", "題", "見出し", "短い答え", "くわしい説明", "聞き方", "やさしい日本語", "英語", "分かっているか", "条", "出典",
    "url", "時点", "始まる日", "終わる日", "組合", "タグ", "見られる人",
)  # fmt: skip
Entries = Iterable[tuple[str, Content]]


def jsonl(entries: Entries) -> Iterator[str]:
    """One entry a line, with all its parts."""
    for document_id, content in entries:
        yield json.dumps({"id": document_id, **packed(content)}, ensure_ascii=False) + "\n"


def table(entries: Entries) -> Iterator[str]:
    """CSV with one part a line, its cells without formulas; it begins with the mark by which spreadsheets know UTF-8."""
    yield "\ufeff" + _line(_COLUMNS)
    for document_id, content in entries:
        for row in _rows(document_id, content):
            yield _line(cell(value) for value in row)


def _rows(document_id: str, content: Content) -> Iterator[tuple[str, ...]]:
    for part in content.parts:
        yield (
            document_id if part.id == content.parts[0].id else part.id,
            content.kind,
            content.title,
            part.heading,
            part.short,
            part.detail,
            "／".join(part.asks),
            part.easy,
            part.en,
            "" if part.known else "×",
            content.article,
            part.source or content.source,
            part.url or content.url,
            part.as_of or content.as_of,
            content.starts,
            content.ends,
            content.co_op,
            "、".join(content.facets.get("tags", ())),
            "、".join(content.audience),
        )


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(list(cells))
    return out.getvalue()
