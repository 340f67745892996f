"""Laws as e-Gov publishes them: 標準法令XML (version 3), as a file or inside an answer of its API (version 2).

https://laws.e-gov.go.jp/docs/ describes the format.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from knowledge.errors import InvalidDocument
from knowledge.sources.law import ArticleKey, Change, Law, LawArticle, LawParagraph, article_key, article_name, changes
from knowledge.sources.law_text import lines_of, plain

__all__ = ["ArticleKey", "Change", "Law", "LawArticle", "LawParagraph", "article_key", "changes", "read_law"]

LARGEST = 16 * 1024 * 1024  # bytes
_DEEPEST = 64  # elements within one another; laws have about twenty
_MOST = 500_000  # elements; a law has about one in 90 bytes

_DIVISIONS = {"Part", "Chapter", "Section", "Subsection", "Division"}
_NUMBER = re.compile(r"\d+(_\d+)*(:\d+(_\d+)*)?", re.ASCII)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class _Place(NamedTuple):
    provision: str
    label: str = ""
    amending_law: str = ""


def read_law(raw: bytes, revision_id: str = "") -> Law:
    """A law from a 標準法令XML file, from an answer of the API as XML or JSON, or from a JSON tree.

    `revision_id` is for files that do not hold it; an answer's own goes first. Raises InvalidDocument.
    """
    if len(raw) > LARGEST:
        raise InvalidDocument(f"The file has {len(raw):,} bytes; a law may have {LARGEST:,}.")
    if raw[:100].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        facts, law = _json_answer(raw)
    else:
        facts, law = _xml_answer(_from_xml(raw))
    body = law.find("LawBody")
    if law.tag != "Law" or body is None:
        raise InvalidDocument(f"The element <{law.tag[:40]}> is not a whole law.")
    revision_id = facts.get("law_revision_id", "") or revision_id
    law_id, _, rest = revision_id.partition("_")
    found = Law(
        law_id=facts.get("law_id", "") or law_id,
        law_num=plain(law.find("LawNum")),
        title=plain(body.find("LawTitle")),
        revision_id=revision_id,
        in_force=_date(facts.get("amendment_enforcement_date", "")) or _date(rest[:8]),
        status=facts.get("current_revision_status", ""),
        articles=tuple(_provisions(body)),
    )
    if not found.title or not found.articles:
        raise InvalidDocument(f"The law has no {'text' if found.title else 'title'}.")
    return found


def _date(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


# the three ways in


class _Tree(TreeBuilder):
    """Stops at a tree that is no law, before it fills the memory or the stack."""

    depth = count = 0

    def start(self, tag: Any, attrs: Any, /) -> Any:
        self.depth += 1
        self.count += 1
        if self.depth > _DEEPEST or self.count > _MOST:
            raise InvalidDocument("The XML has more elements, or more within one another, than a law has.")
        return super().start(tag, attrs)

    def end(self, tag: Any, /) -> Any:
        self.depth -= 1
        return super().end(tag)


def _from_xml(raw: bytes) -> Element:
    parser = DefusedXMLParser(target=_Tree(), forbid_dtd=True)
    try:
        parser.feed(raw)
        root = parser.close()
    except DefusedXmlException as error:
        raise InvalidDocument("The XML declares a document type or entities, which a law does not need.") from error
    except (ParseError, ValueError, LookupError) as error:
        raise InvalidDocument(f"The file is not whole XML: {error}.") from error
    if not isinstance(root, Element):
        raise InvalidDocument("The file holds no XML.")
    return root


def _xml_answer(root: Element) -> tuple[Mapping[str, str], Element]:
    if root.tag != "law_data_response":
        return {}, root
    law = root.find("law_full_text/Law")
    if law is None:
        raise InvalidDocument("The answer holds no law.")
    return {e.tag: (e.text or "").strip() for part in ("law_info", "revision_info") for e in root.iterfind(f"{part}/*")}, law


def _json_answer(raw: bytes) -> tuple[Mapping[str, str], Element]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidDocument("The file is not whole JSON.") from error
    if not isinstance(found, dict) or not found.keys() & {"law_full_text", "tag"}:
        message = " ".join(str(found.get("message", "")).split())[:200] if isinstance(found, dict) else ""
        raise InvalidDocument(f"The answer is an error, not a law: {message}" if message else "The JSON holds no law.")
    if "tag" in found:
        return {}, _from_tree(found)
    parts = (found.get(part) for part in ("law_info", "revision_info"))
    facts = {key: value for part in parts if isinstance(part, dict) for key, value in part.items() if isinstance(value, str)}
    if not isinstance(found["law_full_text"], str):
        return facts, _from_tree(found["law_full_text"])
    try:
        text = base64.b64decode("".join(found["law_full_text"].split()), validate=True)
    except ValueError as error:
        raise InvalidDocument("The text of the law is neither a tree nor Base64.") from error
    return facts, _from_xml(text)


def _from_tree(tree: object, depth: int = 1) -> Element:
    """`{"tag": …, "attr": {…}, "children": [text or the same, …]}` as an element."""
    match tree:
        case {"tag": str(tag), **rest} if depth <= _DEEPEST:
            attributes, children = rest.get("attr") or {}, rest.get("children") or []
        case _:
            raise InvalidDocument("The JSON is not a tree of a law's elements.")
    if not isinstance(attributes, dict) or not isinstance(children, list):
        raise InvalidDocument(f"In the JSON, <{tag[:40]}> is not written as an element.")
    node = Element(tag, {str(key): str(value) for key, value in attributes.items()})
    for child in children:
        if not isinstance(child, str):
            node.append(_from_tree(child, depth + 1))
        elif _NOT_XML.search(child):
            raise InvalidDocument("The JSON holds a character that no text of a law can have.")
        elif len(node):
            node[-1].tail = (node[-1].tail or "") + child
        else:
            node.text = (node.text or "") + child
    return node


# provisions, articles, paragraphs


def _provisions(body: Element) -> Iterator[LawArticle]:
    for main in body.iterfind("MainProvision"):
        yield from _articles(main, _Place("main"))
    for position, suppl in enumerate(body.iterfind("SupplProvision"), start=1):
        label = "".join(plain(suppl.find("SupplProvisionLabel")).split())
        yield from _articles(suppl, _Place(f"suppl{position}", label, suppl.get("AmendLawNum", "")))


def _articles(node: Element, place: _Place, chapters: tuple[str, ...] = ()) -> Iterator[LawArticle]:
    if node.find("Paragraph") is not None:
        yield _article(node, place, chapters, "")
    caption = ""  # one caption may stand for several articles, but not beyond the chapter or section
    for child in node:
        if child.tag == "Article":
            article = _article(child, place, chapters, caption)
            caption = article.caption or caption
            yield article
        elif child.tag in _DIVISIONS:
            yield from _articles(child, place, (*chapters, plain(child.find(f"{child.tag}Title"))))


def _article(node: Element, place: _Place, chapters: tuple[str, ...], caption_before: str) -> LawArticle:
    """An article; or the paragraphs directly below a provision or chapter."""
    number, _, last = node.get("Num", "").partition(":") if node.tag == "Article" else ("", "", "")
    if node.tag == "Article" and not _NUMBER.fullmatch(node.get("Num", "")):
        raise InvalidDocument(f"The article {plain(node.find('ArticleTitle'))[:40]!r} has no number that can be read.")
    hidden = node.get("Hide") == "true"
    paragraphs = [
        _paragraph(p, position)
        for position, p in enumerate(node.iterfind("Paragraph"), start=1)
        if hidden or p.get("Hide") != "true"
    ]
    if notes := [line for note in node.iterfind("SupplNote") for line in lines_of(note)]:
        last_one = paragraphs.pop() if paragraphs else LawParagraph(1, "")
        paragraphs.append(LawParagraph(last_one.number, "\n".join([last_one.text, *notes]).strip()))
    deleted = node.get("Delete") == "true" or {p.text.strip("（）［］　 ") for p in paragraphs} == {"削除"}
    caption = plain(node.find("ArticleCaption")).removeprefix("（").removesuffix("）")
    inherited = bool(caption_before) and not caption and not deleted
    return LawArticle(
        provision=place.provision,
        number=number,
        name=_name(place, number, last),
        caption=caption_before if inherited else caption,
        chapters=chapters,
        paragraphs=tuple(paragraphs),
        deleted=deleted,
        last_number=last,
        caption_inherited=inherited,
        hidden=hidden,
        label=place.label,
        amending_law=place.amending_law,
    )


def _name(place: _Place, number: str, last: str) -> str:
    suppl = "附則" + (f"（{place.amending_law}）" if place.amending_law else "") if place.provision != "main" else ""
    if not number:
        return suppl or "本則"
    return suppl + (f"{article_name(number)}から{article_name(last)}まで" if last else article_name(number))


def _paragraph(node: Element, position: int) -> LawParagraph:
    number = re.match(r"\d{1,4}", node.get("Num", ""), re.ASCII)
    text = Element("Paragraph")
    text.extend(child for child in node if child.tag != "ParagraphNum")
    return LawParagraph(int(number[0]) if number else position, "\n".join(lines_of(text)))
