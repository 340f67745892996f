"""HTML: the main text of a page along its headings, without menus, and its title."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from knowledge.chunking import gather
from knowledge.errors import InvalidDocument
from knowledge.sources.plain_text import as_sections, decode
from knowledge.sources.sections import Contents, one_line, row_text, table_text

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_INLINE_DATA = re.compile(r"data:[^\"'\s>)]{200,}")
_LONGEST_TAG = 20_000  # characters; a tag of ten thousand attributes would keep the parser busy for minutes

_NEVER = frozenset(
    {"script", "style", "noscript", "template", "svg", "iframe", "object", "nav", "aside", "dialog", "button", "input"}
)
_NEVER |= {"title", "select", "textarea", "rt", "rp"}  # rt and rp: the small kana beside kanji
_NEVER_AS = frozenset({"navigation", "banner", "contentinfo", "search", "complementary"})
# What stands around the text on most pages; a long one is the page itself.
_AROUND = re.compile(
    r"bread-?crumb|topic-?path|pankuzu|cookie|pagination|(?<![a-z])(?:share|sns|pager|skip)(?![a-z])", re.IGNORECASE
)
_SHORT_AROUND = 300  # characters
_MAIN = frozenset({"main", "main-content", "maincontents", "maincontent", "tmp_contents", "content", "contents"})
_MAIN |= {"entry-content", "post-content"}
_LEAST_MAIN = 0.2  # of the page's text; less is a teaser, not the text
_HEADINGS = {f"h{n}": n for n in range(1, 7)}  # the depth of each
_BLOCKS = frozenset(
    {"address", "article", "blockquote", "body", "br", "caption", "center", "dd", "details", "div", "dl", "dt", "fieldset"}
)
_BLOCKS |= {"figcaption", "figure", "footer", "form", "header", "hr", "li", "main", "menu", "ol", "p", "pre", "section", "summary"}
_BLOCKS |= {"table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", *_HEADINGS}


def read_html(data: bytes, charset: str = "") -> Contents:
    """A page. `charset` is what its server declares, empty for none. Raises InvalidDocument where it is no text."""
    declared = _CHARSET.search(data[:4_096])
    root = _parsed(decode(data, charset or (declared[1].decode("ascii") if declared else "")))
    if root is None:
        return Contents((), ())
    title = _title(root)
    _drop(root)
    main = _main(root)
    _write_out_tables(main)
    return Contents((title,), as_sections(gather(_lines(main)), title))


def _parsed(text: str) -> Any | None:
    """The root element; None for a page without any."""
    import lxml.html  # type: ignore[import-untyped]
    from lxml import etree

    text = _INLINE_DATA.sub("data:", _DECLARATION.sub("", text))
    if re.search(rf"<[a-zA-Z][^<>]{{{_LONGEST_TAG},}}", text):
        raise InvalidDocument("it is not a page as people write them; save its text in a file.")
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:
        return None
    if any("depth" in e.message.lower() for e in parser.error_log):
        raise InvalidDocument("its parts are nested too deeply to be read to the end; save its text in a file.")
    return root


def _text(element: Any) -> str:
    return one_line(str(element.text_content()))


def _title(root: Any) -> str:
    """The page's title; where the only main heading is a part of it, that: the rest is the name of the site."""
    title = next((_text(t) for t in root.iter("title")), "")
    headings = [h for e in root.iter("h1") if (h := _text(e))]
    return headings[0] if len(headings) == 1 and (not title or headings[0] in title) else title


def _drop(root: Any) -> None:
    for element in list(root.iter()):
        if element.getparent() is not None and element.tag not in ("body", "head") and _is_around(element):
            element.drop_tree()


def _is_around(element: Any) -> bool:
    """Whether a part of a page is not for reading, or stands on every page of its site."""
    if element.tag in _NEVER or element.get("role") in _NEVER_AS or "hidden" in element.attrib:
        return True
    if element.get("aria-hidden") == "true" or "display:none" in (element.get("style") or "").replace(" ", ""):
        return True
    if element.tag in ("header", "footer"):
        return element.find(".//main") is None and element.find(".//article") is None and element.find(".//h1") is None
    names = f"{element.get('class', '')} {element.get('id', '')}"
    return bool(_AROUND.search(names)) and element.tag not in ("main", "article") and len(_text(element)) < _SHORT_AROUND


def _main(root: Any) -> Any:
    """The part that holds the text: the one that says so, if it is not much smaller than the page; else all of it without menus."""
    body = root.find("body") if root.find("body") is not None else root
    said = [(len(_text(e)), e) for e in body.iter() if _says_main(e)]
    longest = max((length for length, _ in said), default=0)
    if longest and longest >= len(_text(body)) * _LEAST_MAIN:
        return next(e for length, e in said if length == longest)
    for element in list(body.iter("ul", "ol", "dl", "div", "p")):
        if element.getparent() is not None and _is_menu(element):
            element.drop_tree()
    return body


def _says_main(element: Any) -> bool:
    if element.tag in ("main", "article") or element.get("role") == "main":
        return True
    return bool(_MAIN & {element.get("id", "").lower(), *element.get("class", "").lower().split()})


def _is_menu(element: Any) -> bool:
    links = [len(_text(a)) for a in element.iter("a")]
    return len(links) > 3 and 0.9 * len(_text(element)) < sum(links) < 30 * len(links)


def _lines(main: Any) -> Iterator[tuple[int, str]]:
    """The text in order, a line for each block: its depth as a heading and itself, or -1 and itself."""
    from lxml import etree

    depth = -1
    line: list[str] = []
    for event, element in etree.iterwalk(main, events=("start", "end")):
        if element.tag in _BLOCKS and (depth < 0 or element.tag in _HEADINGS):
            yield from _line(depth, line)
            line = []
            depth = _HEADINGS.get(element.tag, -1) if event == "start" else -1
        if event == "start" and element.tag == "pre":
            yield from ((-1, part.rstrip()) for part in (element.text or "").split("\n"))
        elif event == "start":
            line.append(element.text or "")
        elif element is not main:
            line.append(element.tail or "")
    yield from _line(depth, line)


def _line(depth: int, parts: Iterable[str]) -> Iterator[tuple[int, str]]:
    if text := " ".join("".join(parts).split()):
        yield depth, text


def _write_out_tables(main: Any) -> None:
    """A table of values becomes lines; one that only arranges the page stays as it is."""
    from lxml import etree

    for table in list(main.iter("table")):
        rows = [[c for c in row if c.tag in ("th", "td")] for row in table.iter("tr")]
        arranges = any(e.tag in ("table", "ul", "ol", *_HEADINGS) for e in table.iter() if e is not table)
        if arranges or table is main or len(rows) < 2 or max(map(len, rows)) < 2:
            continue
        lines = etree.Element("pre")
        lines.text, lines.tail = _table(rows), table.tail
        caption = table.find("caption")
        if caption is not None:
            lines.text = f"{_text(caption)}\n{lines.text}"
        table.getparent().replace(table, lines)


def _table(rows: list[list[Any]]) -> str:
    values = [[_text(cell) for cell in row] for row in rows]
    if all([c.tag for c in row].count("th") == 1 and row[0].tag == "th" and len(row) > 1 for row in rows if row):
        return "\n".join(row_text(row[:1], ["、".join(filter(None, row[1:]))]) for row in values if row)
    return table_text(values)
