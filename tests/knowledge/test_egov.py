"""Reading laws: a made-up law that has every structure, in every form it may come in, and files that are no laws."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import pytest
from defusedxml.ElementTree import fromstring

from knowledge.errors import InvalidDocument
from knowledge.sources.egov import Law, LawArticle, LawParagraph, read_law

TOY = (Path(__file__).parent / "laws" / "toy.xml").read_bytes()
REVISION = "503AC0000000901_20220601_504AC0000000902"
FACTS: dict[str, dict[str, str | None]] = {
    "law_info": {"law_id": "503AC0000000901", "promulgation_date": None},
    "revision_info": {
        "law_revision_id": REVISION,
        "amendment_enforcement_date": "2022-06-02",
        "current_revision_status": "CurrentEnforced",
    },
}
AMENDING = "令和四年六月一日法律第九〇二号"


def toy(change: Callable[[str], str] = lambda text: text) -> Law:
    return read_law(change(TOY.decode()).encode())


def article(number: str, provision: str = "main", law: Law | None = None) -> LawArticle:
    found = (law or toy()).article(provision, number)
    assert found
    return found


def without_articles(inside: str, below: str = "") -> bytes:
    text = f"<ParagraphNum/><ParagraphSentence><Sentence>{inside}</Sentence></ParagraphSentence>"
    body = f"<LawTitle>小さい法</LawTitle><MainProvision><Paragraph Num='1'>{text}{below}</Paragraph></MainProvision>"
    return f"<Law><LawNum>一</LawNum><LawBody>{body}</LawBody></Law>".encode()


# texts


def test_the_articles_in_order() -> None:
    law = toy()
    assert (law.title, law.law_num) == ("公園長椅子法", "令和三年法律第九百一号")
    assert (law.law_id, law.revision_id, law.in_force, law.status) == ("", "", None, "")
    assert [(a.provision, a.number, a.name) for a in law.articles] == [
        ("main", "1", "第1条"),
        ("main", "2", "第2条"),
        ("main", "2_2", "第2条の2"),
        ("main", "2_2_2", "第2条の2の2"),
        ("main", "3", "第3条から第5条まで"),
        ("main", "6", "第6条"),
        ("main", "7", "第7条"),
        ("main", "8", "第8条"),
        ("suppl1", "1", "附則第1条"),
        ("suppl1", "1_2", "附則第1条の2"),
        ("suppl2", "", f"附則（{AMENDING}）"),
    ]


def test_a_proviso_goes_on_and_readings_are_left_out() -> None:
    assert article("1").paragraphs[0] == LawParagraph(1, "長椅子は、先に来た人が使う。ただし、鳩には席を譲る。")


def test_items_stand_on_lines_of_their_own_and_keep_their_level() -> None:
    assert article("1").paragraphs[1].text.split("\n") == [
        "持ってきてよい物は、次のとおりとする。",
        "一　本",
        "二　飲み物（次のものに限る。）",
        "　イ　お茶",
        "　　（１）　冷たいもの",
        "　　（２）　熱いもの",
        "　ロ　水（Ｈ2Ｏ）",
        "二の二　十2センチの布",
        "三から五まで　削除",
    ]


def test_columns_stay_apart_and_the_note_comes_last() -> None:
    assert article("2").text.split("\n")[1:] == ["一　散歩の人　十分ただし、雨の日は五分", "（第一条を参照）"]


def test_a_table_is_told_row_by_row() -> None:
    assert article("2_2").text.split("\n")[1:] == [
        "当番の表",
        "欄: 曜日 → 場所 → 道具",
        "行: 月曜日 → 背もたれ → 布",
        "行: 月曜日 → 脚 → （空欄）",
        "行: 火曜日 → 休み",
        "行: 火曜日 → 座る所 → ほうき",
        "備考　祝日は除く。",
        "ほうきの絵",
        "［図: broom.jpg］",
        "赤いほうき",
    ]


def test_what_an_amendment_puts_in_is_text_and_no_article() -> None:
    assert article("2_2_2").text.split("\n") == ["えさは、まかない。", "えさの条を次のように改める。", "第九条　えさは、豆とする。"]


def test_paragraphs_have_their_numbers_in_the_whole_text() -> None:
    assert "\n2　持ってきてよい物は" in article("1").text
    assert article("1").text.startswith("長椅子")


def test_quotations_stay_and_hidden_paragraphs_do_not() -> None:
    assert article("7").text == "豆は、「小豆」を含む。"
    assert (article("8").hidden, article("8").text) == (True, "見えない条。")


def test_cells_that_span_rows_and_columns() -> None:
    rows = [
        '<c rowspan="3">甲</c><c colspan="2" rowspan="2">乙</c><c>丙</c>',
        "<c>丁</c>",
        "<c>戊</c><c/><c>己</c>",
        "<c>庚</c>",
        "<c/>",
    ]
    table = "".join(f"<TableRow>{row}</TableRow>" for row in rows).replace("<c", "<TableColumn").replace("</c>", "</TableColumn>")
    law = read_law(without_articles("表", f"<TableStruct><Table>{table}</Table></TableStruct>"))
    assert law.articles[0].text.split("\n") == [
        "表",
        "行: 甲 → 乙 → 丙",
        "行: 甲 → 乙 → 丁",
        "行: 甲 → 戊 → （空欄） → 己",
        "行: 庚",
    ]


def test_no_text_is_lost_in_an_unknown_element() -> None:
    assert read_law(without_articles("前<New>中<Deep>の中</Deep></New>後")).articles[0].text == "前中の中後"


def test_a_cell_may_say_nonsense_about_its_size() -> None:
    wide = toy(lambda text: text.replace('colspan="2"', 'colspan="999999999"').replace('rowspan="2"', 'rowspan="-1"'))
    assert "行: 火曜日 → 休み" in article("2_2", law=wide).text


# where an article stands


def test_a_caption_is_inherited_within_a_section_only() -> None:
    assert [(a.caption, a.caption_inherited) for a in toy().articles] == [
        ("譲り合い", False),
        ("譲り合い", True),
        ("", False),  # the first one of another section
        ("えさ", False),  # written after the title
        ("", False),  # deleted
        ("", False),
        ("えさ", True),
        ("試し", False),
        ("始まる日", False),
        ("古い椅子", False),
        ("", False),
    ]


def test_chapters_from_the_outside_in() -> None:
    assert article("2").chapters == ("第一章　座る人", "第一節　順番")
    assert article("7").chapters == ("第一章の二　鳩",)
    assert article("1", "suppl1").chapters == ()


def test_deleted_articles_are_found_by_each_number() -> None:
    gone = article("4")
    assert (gone.number, gone.last_number, gone.deleted) == ("3", "5", True)
    assert article("3") is not None
    assert article("5").name == article("4_2").name == gone.name
    assert article("6").deleted
    assert toy().article("main", "5_2") is None
    assert [a.number for a in toy().articles if a.deleted] == ["3", "6"]


def test_supplementary_provisions_keep_apart() -> None:
    assert article("1", "suppl1").text == "桜の咲く日から始める。"
    amending = article("", "suppl2")
    assert (amending.label, amending.amending_law) == ("附則", AMENDING)
    assert amending.text == "（始まる日）\nこの法律は、明日から始める。\n一及び二　略\n2　鳩には、前もって知らせる。"
    assert article("1", "suppl1").amending_law == ""


def test_a_law_without_articles() -> None:
    law = read_law(without_articles("一つだけ。"))
    assert [(a.provision, a.number, a.name, a.text) for a in law.articles] == [("main", "", "本則", "一つだけ。")]


def test_a_law_of_which_only_the_supplementary_provisions_are_in_force() -> None:
    law = toy(lambda text: re.sub("<MainProvision>.*</MainProvision>", "<MainProvision/>", text, flags=re.DOTALL))
    assert {a.provision for a in law.articles} == {"suppl1", "suppl2"}


# the forms


def tree(node: Element) -> dict[str, Any]:
    children: list[Any] = list(node.text or "")
    for child in node:
        children += [tree(child), *(child.tail or "")]
    return {"tag": node.tag, "attr": dict(node.attrib), "children": children}


def xml_answer() -> bytes:
    answer = Element("law_data_response")
    for part, facts in FACTS.items():
        node = SubElement(answer, part)
        for key, value in facts.items():
            SubElement(node, key).text = value
    SubElement(answer, "law_full_text").append(fromstring(TOY))
    return tostring(answer)


def json_answer(text: object) -> bytes:
    return json.dumps({**FACTS, "attached_files_info": None, "law_full_text": text}, ensure_ascii=False).encode()


ANSWERS = {
    "xml": xml_answer(),
    "json": json_answer(tree(fromstring(TOY))),
    "xml in json": json_answer(base64.encodebytes(TOY).decode()),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_every_form_of_an_answer_is_the_same_law(answer: bytes) -> None:
    law = read_law(answer, "overruled_20000101_by-the-answer")
    assert law.articles == toy().articles
    assert (law.law_id, law.revision_id, law.status) == ("503AC0000000901", REVISION, "CurrentEnforced")
    assert law.in_force == dt.date(2022, 6, 2)


def test_files_without_facts() -> None:
    bare = read_law(json.dumps(tree(fromstring(TOY))).encode())
    assert bare == toy()
    assert read_law(b"\xef\xbb\xbf\r\n" + json.dumps(tree(fromstring(TOY))).encode()) == bare
    assert read_law(b"\xef\xbb\xbf\n" + TOY.split(b"?>", 1)[1].strip()).articles == bare.articles
    named = read_law(TOY, REVISION)
    assert (named.law_id, named.revision_id, named.in_force) == ("503AC0000000901", REVISION, dt.date(2022, 6, 1))
    assert read_law(TOY, "what_ever").in_force is None


def test_utf_16_is_xml_too() -> None:
    assert read_law(TOY.decode().replace("UTF-8", "UTF-16").encode("utf-16")) == toy()


BOMB = b'<!DOCTYPE Law [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Law>&b;</Law>'
BAD = {
    "nothing": (b"", "not whole XML"),
    "words": ("法律".encode(), "not whole XML"),
    "cut off": (TOY[: len(TOY) // 2], "not whole XML"),
    "unknown encoding": (TOY.replace(b"UTF-8", b"EBCDIC-X"), "not whole XML"),
    "wrong encoding": ("<?xml version='1.0' encoding='UTF-8'?><Law>法</Law>".encode("shift_jis"), "not whole XML"),
    "entities": (BOMB, "document type"),
    "outside entity": (b'<!DOCTYPE Law SYSTEM "file:///etc/passwd"><Law/>', "document type"),
    "undeclared entity": (TOY.replace("えさは".encode(), b"&secret;"), "not whole XML"),
    "web page": (b"<html><body>maintenance</body></html>", "<html> is not a whole law"),
    "one article": (b"<Article Num='1'/>", "<Article> is not a whole law"),
    "answer without a law": (b"<law_data_response><law_full_text/></law_data_response>", "holds no law"),
    "no title": (TOY.replace(b"LawTitle", b"Other"), "no title"),
    "no text": (b"<Law><LawBody><LawTitle>a</LawTitle></LawBody></Law>", "no text"),
    "number": (TOY.replace(b'"2_2_2"', b'"two"'), "'第二条の二の二' has no number"),
    "deep xml": (b"<Law>" * 100_000, "more within one another"),
    "20 MB": (TOY + b" " * 20_000_000, "20,0"),
    "cut off json": (ANSWERS["json"][:-100], "not whole JSON"),
    "deep json": (b'{"tag":' + b"[" * 200_000, "not whole JSON"),
    "deep tree": (b'{"tag":"a","children":[' * 100 + b"]}" * 100, "not a tree"),
    "list": (b"[1, 2]", "holds no law"),
    "error": ('{"code": "404001", "message": "あり\\nません"}'.encode(), "is an error, not a law: あり ません"),
    "json without a law": (json_answer(None), "not a tree"),
    "other tree": (b'{"tag": "p", "attr": {}, "children": []}', "<p> is not a whole law"),
    "bad children": (b'{"tag": "Law", "children": "LawBody"}', "<Law> is not written as an element"),
    "bad attributes": (b'{"tag": "Law", "attr": ["Num"]}', "<Law> is not written as an element"),
    "bad child": (b'{"tag": "Law", "children": [3]}', "not a tree"),
    "half a character": (rb'{"tag": "Law", "children": ["\ud800"]}', "a character"),
    "zero character": (rb'{"tag": "Law", "children": ["\u0000"]}', "a character"),
    "no base64": (json_answer("法律"), "neither a tree nor Base64"),
    "dirt in base64": (json_answer("!" + base64.b64encode(TOY).decode()), "neither a tree nor Base64"),
    "words in base64": (json_answer(base64.b64encode(b"law").decode()), "not whole XML"),
}


@pytest.mark.parametrize(("raw", "said"), BAD.values(), ids=BAD)
def test_what_is_no_law_is_refused_in_a_sentence(raw: bytes, said: str) -> None:
    with pytest.raises(InvalidDocument, match=re.escape(said)) as refused:
        read_law(raw)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_a_flood_of_elements_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.sources.egov._MOST", 100)
    with pytest.raises(InvalidDocument, match="more elements"):
        read_law(TOY)
