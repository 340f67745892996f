"""Citations, what changes between revisions, and both on the real Act where its files are at hand."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge.errors import InvalidDocument
from knowledge.sources.egov import ArticleKey, Law, LawArticle, LawParagraph, article_key, changes, read_law
from tests.openapi import BESIDE

TOY = Path(__file__).parent / "laws" / "toy.xml"


def toy(change: Callable[[str], str] = lambda text: text) -> Law:
    return read_law(change(TOY.read_text("utf-8")).encode())


# citations


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("94条の2", ("main", "94_2", None)),
        ("九十四条の二", ("main", "94_2", None)),
        ("第94条の2第1項", ("main", "94_2", 1)),
        ("九四の二", ("main", "94_2", None)),
        ("第９４条の２第１０項", ("main", "94_2", 10)),
        ("第九十四条の二の三第二項", ("main", "94_2_3", 2)),
        (" 第 百三十二 条 ノ 二 ", ("main", "132_2", None)),
        ("一〇条", ("main", "10", None)),
        ("千二十条", ("main", "1020", None)),
        ("94条の2の1項", ("main", "94_2", 1)),
        ("9条2項", ("main", "9", 2)),
        ("3条の22項", ("main", "3", 22)),
        ("第三条第一項第二号イ", ("main", "3", 1)),
        ("3条2号の2", ("main", "3", None)),
        ("本則7", ("main", "7", None)),
        ("附則22条", ("suppl1", "22", None)),
        ("附　則第二十六条の二第三項", ("suppl1", "26_2", 3)),
        ("附則第2項", ("suppl1", "", 2)),
    ],
)
def test_citations_are_read(text: str, key: tuple[str, str, int | None]) -> None:
    assert article_key(text) == ArticleKey(*key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "条",
        "労協",
        "施行令第1条",
        "942項",
        "2項",
        "第0条",
        "〇条",
        "3条0項",
        "十十条",
        "1二条",
        "附則",
        "一条" + "の一" * 80,
        "3条から5条",
        "1" * 500,
        "附則0項",
    ],
)
def test_other_words_are_no_citation(text: str) -> None:
    assert article_key(text) is None


def test_a_citation_finds_its_article() -> None:
    key = article_key("附則第一条の二")
    assert key
    found = toy().article(key.provision, key.number)
    assert found
    assert found.caption == "古い椅子"


# changes


def test_the_same_law_has_no_changes() -> None:
    assert changes(toy(), toy()) == ()


def test_a_changed_paragraph() -> None:
    (change,) = changes(toy(), toy(lambda text: text.replace("お茶", "麦茶")))
    assert (change.kind, change.name, change.paragraphs) == ("changed", "第1条", (2,))
    assert ("お茶" in change.old_text, "麦茶" in change.new_text) == (True, True)


def test_added_and_removed_articles() -> None:
    new = toy(lambda text: text.replace('Article Num="7"', 'Article Num="7_2"').replace('Delete="true" Num="6"', 'Num="6"'))
    assert [(c.kind, c.name, c.paragraphs) for c in changes(toy(), new)] == [
        ("added", "第6条", (1,)),
        ("added", "第7条の2", (1,)),
        ("removed", "第7条", (1,)),
    ]
    assert [(c.old_text, c.new_text) for c in changes(toy(), new)][::2] == [("", "削る。"), ("豆は、「小豆」を含む。", "")]


def test_deleting_an_article_is_removing_it() -> None:
    (change,) = changes(toy(), toy(lambda text: text.replace("桜の咲く日から始める。", "削除")))
    assert (change.kind, change.name, change.new) == ("removed", "附則第1条", None)


def test_only_an_own_caption_counts() -> None:
    (change,) = changes(toy(), toy(lambda text: text.replace("（譲り合い）", "（順番待ち）")))
    assert (change.kind, change.name, change.paragraphs) == ("changed", "第1条", ())


def test_a_supplementary_provision_in_between_moves_nothing() -> None:
    inside = '<Paragraph Num="1"><ParagraphSentence>新しい。</ParagraphSentence></Paragraph>'
    more = f'<SupplProvision AmendLawNum="令和四年一月一日法律第一号">{inside}</SupplProvision>'
    new = toy(lambda text: text.replace("<SupplProvision Amend", more + "<SupplProvision Amend"))
    assert [(c.kind, c.name) for c in changes(toy(), new)] == [("added", "附則（令和四年一月一日法律第一号）")]
    assert [(c.kind, c.new_text) for c in changes(new, toy())] == [("removed", "")]


def test_a_number_that_stands_twice_is_compared_in_turn() -> None:
    twice = toy(lambda text: text.replace('Article Num="7"', 'Article Num="2_2_2"'))
    (change,) = changes(twice, toy(lambda text: text.replace('Article Num="7"', 'Article Num="2_2_2"').replace("まかない", "まく")))
    assert (change.kind, change.name, change.paragraphs) == ("changed", "第2条の2の2", (1,))
    assert change.new_text.startswith("えさは、まく。")


def test_a_file_without_an_id_may_be_any_law() -> None:
    assert changes(replace(toy(), law_id="a"), toy()) == changes(toy(), replace(toy(), law_id="a")) == ()


def test_two_laws_are_not_compared() -> None:
    with pytest.raises(InvalidDocument, match="two laws"):
        changes(replace(toy(), law_id="a"), replace(toy(), law_id="b"))


# the real Act


def reference(name: str) -> Path:
    """A file of the folder `law-data`, found as the platforms' descriptions are; it is not part of the repository."""
    folder = Path(os.environ.get("YUI_REFERENCE") or BESIDE)
    found = next((f / "law-data" / name for f in (folder, folder.parent) if (f / "law-data" / name).is_file()), None)
    return found or pytest.skip(f"law-data/{name} is not at hand (YUI_REFERENCE)")


@pytest.fixture(scope="module")
def act() -> Law:
    name = "502AC1000000078_20251001_504AC0000000104"
    return read_law(reference(f"{name}.xml").read_bytes(), name)


def markdown(name: str) -> Law:
    """Another publisher's Markdown of the Act: 「**第一条（見出し）**　文」, 「**２**　文」, 「- 一　文」."""
    articles: list[LawArticle] = []
    place, amending = "main", 0
    for line in reference(f"{name}.md").read_text("utf-8").split("\n---\n", 1)[1].split("\n"):
        if line.startswith("## 附則"):
            amending += 1
            place = f"suppl{amending}"
        elif start := re.match(r"\*\*(第[^（）]+?)(（.*）)?\*\*　?(.*)", line):
            key = article_key(start[1])
            assert key, start[1]
            paragraphs = (LawParagraph(1, start[3]),)
            articles.append(LawArticle(place, key.number, start[1], (start[2] or "")[1:-1], (), paragraphs))
        elif line.startswith("**１**"):  # paragraphs without an article
            articles.append(LawArticle(place, "", "", "", (), (LawParagraph(1, line),)))
        elif line.strip() and articles and not line.startswith(("#", "|")):
            articles[-1] = _with(articles[-1], line)
    return Law("502AC1000000078", "", "労働者協同組合法", name, None, "", tuple(articles))


def _with(article: LawArticle, line: str) -> LawArticle:
    if start := re.match(r"\*\*([０-９]+)\*\*　?(.*)", line):
        return replace(article, paragraphs=(*article.paragraphs, LawParagraph(int(start[1]), start[2])))
    *before, last = article.paragraphs
    text = f"{last.text}\n{line.strip().removeprefix('- ')}"
    return replace(article, paragraphs=(*before, LawParagraph(last.number, text)))


def bare(law: Law) -> Iterator[tuple[str, str, list[str]]]:
    for a in law.articles:
        yield a.provision, a.number, [re.sub(r"\s", "", p.text) for p in a.paragraphs]


def test_the_act_is_read_whole(act: Law) -> None:
    main = [a for a in act.articles if a.provision == "main"]
    suppl = [a for a in act.articles if a.provision != "main"]
    assert (len(main), len([a for a in suppl if a.number]), {a.provision for a in suppl}) == (
        156,
        36,
        {f"suppl{n}" for n in range(1, 5)},
    )
    assert sum(len(a.paragraphs) for a in act.articles) == 477
    lines = [line for a in act.articles for p in a.paragraphs for line in p.text.split("\n")[1:]]
    items = [line for line in lines if re.match(r"[一二三四五六七八九十の及びからまで]+　", line)]
    assert (len(items), len([line for line in lines if line.startswith("　")])) == (274, 13)
    assert len([line for line in lines if line.startswith("行: ")]) == 13
    assert all(p.text for a in act.articles for p in a.paragraphs)


def test_the_act_inherits_three_captions(act: Law) -> None:
    assert {a.number: a.caption for a in act.articles if a.caption_inherited} == {
        "59": "総会の招集",
        "60": "総会の招集",
        "78": "剰余金の配当",
    }
    without = [a.number for a in act.articles if not a.caption and a.number]
    assert without == ["7", "8", "132_2", "133", "134", "135", "136", "137"]


def test_the_acts_columns_and_table_can_be_read(act: Law) -> None:
    columns = act.article("main", "46")
    table = act.article("main", "57")
    assert columns
    assert table
    assert "\n二　監事　監査報告に" in columns.text
    assert "\n行: 第五十条 → 読み替える → 、同法" in table.text  # the first cell is joined with the one above
    assert "（空欄）" not in table.text


def test_two_publishers_have_the_same_words(act: Law) -> None:
    """But for the table, of which the Markdown makes one line, and the paragraphs without an article, whose caption it drops."""
    told = {(place, number): text for place, number, text in bare(act) if number and number != "57"}
    theirs = {(place, number): text for place, number, text in bare(markdown(act.revision_id)) if number and number != "57"}
    assert told == theirs


def test_the_revisions_of_the_act() -> None:
    made = markdown("revisions-md/502AC1000000078_20221001_000000000000000")
    amended = markdown("revisions-md/502AC1000000078_20221001_504AC1000000071")
    later = markdown("revisions-md/502AC1000000078_20250601_504AC0000000068")
    names = {c.new.number for c in changes(made, amended) if c.kind == "added" and c.new and c.new.provision == "main"}
    assert names == {*(f"94_{n}" for n in range(2, 20)), "132_2"}
    assert not [c for c in changes(made, amended) if c.kind == "removed"]
    assert [(c.kind, c.new.number if c.new else "", c.paragraphs) for c in changes(amended, later)] == [
        ("changed", "35", (1,)),
        ("changed", "94_4", (1,)),
        ("changed", "132_2", (1,)),
    ]
    assert all("拘禁刑" in c.new_text and "拘禁刑" not in c.old_text for c in changes(amended, later))
