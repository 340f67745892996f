"""The official text beside our guide: exact words, what changed, and the mark on what rests on it."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from knowledge.database import Database
from knowledge.errors import InvalidDocument
from knowledge.statutes import ACT, Statutes

LAW = """<?xml version="1.0" encoding="UTF-8"?>
<Law Era="Reiwa" Year="2" Num="78" LawType="Act" Lang="ja"><LawNum>令和二年法律第七十八号</LawNum><LawBody>
<LawTitle>試しの法律</LawTitle><MainProvision>
<Article Num="22"><ArticleCaption>（発起人）</ArticleCaption><ArticleTitle>第二十二条</ArticleTitle>
<Paragraph Num="1"><ParagraphNum/><ParagraphSentence><Sentence>世話人は{number}とする。</Sentence></ParagraphSentence></Paragraph>
<Paragraph Num="2"><ParagraphNum>２</ParagraphNum>
<ParagraphSentence><Sentence>世話人は会を開く。</Sentence></ParagraphSentence></Paragraph>
</Article></MainProvision></LawBody></Law>"""
TODAY = dt.date(2026, 11, 21)
OLD, NEW = f"{ACT}_20251001_000000000000000", f"{ACT}_20271001_000000000000000"


def law(number: str) -> bytes:
    return LAW.format(number=number).encode()


@pytest.fixture
def statutes(database: Database) -> Statutes:
    database.migrate("knowledge")
    return Statutes(database)


def test_exact_words_of_an_article_and_of_a_paragraph(statutes: Statutes) -> None:
    assert statutes.text("第22条") is None
    statutes.put(law("三人"), TODAY, OLD)
    whole, second = statutes.text("第22条"), statutes.text("第22条", 2)
    assert whole
    assert second
    assert whole.text == "1 世話人は三人とする。\n2 世話人は会を開く。"
    assert (second.name, second.text, second.in_force) == ("第22条第2項", "2 世話人は会を開く。", dt.date(2025, 10, 1))
    assert statutes.text("第23条") is None


def test_a_newer_version_replaces_the_text_and_marks_what_changed(statutes: Statutes) -> None:
    statutes.put(law("三人"), TODAY, OLD)
    _, same = statutes.put(law("三人"), TODAY, OLD)
    assert same == ()
    assert statutes.changed(["第22条"]) == set()
    _, (change,) = statutes.put(law("五人"), TODAY, NEW)
    assert (change.name, change.paragraphs) == ("第22条", (1,))
    assert statutes.changed(["第22条", "第23条"]) == {"第22条"}
    text = statutes.text("第22条", 1)
    assert text
    assert "五人" in text.text


@pytest.mark.parametrize("raw", [b"", b"# not a law", b"<Law/>", law("三人")])
def test_what_is_no_law_or_has_no_id_is_refused(statutes: Statutes, raw: bytes) -> None:
    with pytest.raises(InvalidDocument):
        statutes.put(raw, TODAY)


def test_the_act_itself_where_it_is_at_hand(statutes: Statutes) -> None:
    reference = Path(os.environ.get("YUI_REFERENCE", Path(__file__).parents[3] / "shared" / "reference" / "openapi")).parent
    file = reference / "law-data" / f"{ACT}_20251001_504AC0000000104.xml"
    if not file.is_file():
        pytest.skip("the Act's XML is not at hand; YUI_REFERENCE may point beside it")
    statutes.put(file.read_bytes(), TODAY, file.stem)
    founders = statutes.text("第22条")
    assert founders
    assert "三人以上" in founders.text
    assert statutes.text("第94条の19")
    assert statutes.text("附則第22条")
    assert statutes.put(file.read_bytes(), TODAY, file.stem)[1] == ()
