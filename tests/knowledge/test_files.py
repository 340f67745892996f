"""Files of every type become documents, or one sentence says why not."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path

import pytest

from knowledge.errors import InvalidDocument
from knowledge.sources import plain_text, sections, spreadsheets
from knowledge.sources.files import find_files, read_file
from knowledge.sources.recognising import LARGEST, LARGEST_UNPACKED
from knowledge.types import Audience, Document, Kind
from tests.knowledge import office_files

ENTRY = """---
id: tip-lunch
kind: tip
title: 夏の弁当の運び方
short: 夏の弁当は保冷箱で運びます。
asks: [弁当はどう運ぶ]
source: 試験用の資料
url: https://example.jp/
audience: {audience}
---
くわしい話。
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "資料"
    found.mkdir()
    return found


def read(folder: Path, name: str, content: bytes | str, audience: Audience | None = None) -> Document:
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return read_file(path, audience=audience or Audience(), kind=Kind.SURVEY)


def told(document: Document) -> list[tuple[str, str, str]]:
    return [(p.heading, p.short or p.detail, p.source) for p in document.passages]


def refusal(folder: Path, name: str, content: bytes | str) -> str:
    """The one sentence, checked to be one that names the document."""
    with pytest.raises(InvalidDocument) as caught:
        read(folder, name, content)
    said = str(caught.value)
    assert said.startswith(f"{name}: ")
    assert re.fullmatch(r"[^\n]+\.", said)
    return said


# each type


def test_a_word_document_along_its_headings(folder: Path) -> None:
    document = read(folder, "規則.docx", office_files.word())
    assert (document.title, document.source, document.kind) == ("就業規則", "規則.docx", Kind.SURVEY)
    assert told(document) == [
        ("就業規則", "この規則は組合での働き方を定めます。", ""),
        ("休暇 / 有給休暇", "半年働くと10日の有給休暇があります。\n勤続: 1年半、日数: 11日", ""),
        ("附則", "附則", ""),
    ]


def test_word_text_as_a_reader_of_the_page_sees_it(folder: Path) -> None:
    inserted = "<w:ins><w:r><w:t>新しい文</w:t></w:r></w:ins><w:del><w:r><w:delText>古い文</w:delText></w:r></w:del>"
    small_kana = "<w:rt><w:r><w:t>くみあい</w:t></w:r></w:rt>"
    ruby = f"<w:r><w:ruby>{small_kana}<w:rubyBase><w:r><w:t>組合</w:t></w:r></w:rubyBase></w:ruby></w:r>"
    content = changed(office_files.word(), "word/document.xml", "<w:t>附則</w:t></w:r>".encode(), f"</w:r>{ruby}{inserted}")
    assert told(read(folder, "規則.docx", content))[-1][1] == "組合新しい文"


def test_slides_that_are_shown_without_the_speakers_notes(folder: Path) -> None:
    document = read(folder, "研修.pptx", office_files.slides())
    assert document.title == "研修のねらい"  # not the "PowerPoint Presentation" of the program
    assert told(document) == [
        ("研修のねらい", "対話を学びます。", "研修.pptx スライド1"),
        ("進め方", "三人で話します。", "研修.pptx スライド2"),
    ]


def test_a_sheet_row_by_row_with_the_names_of_its_columns(folder: Path) -> None:
    document = read(folder, "名簿.xlsx", office_files.sheets())
    assert document.title == "組合員名簿"
    assert told(document) == [
        ("2026", "組合員名簿", "名簿.xlsx シート「2026」"),
        ("2026 みんなの森", "団体名: みんなの森、所在地: 雲南市、設立: 2026-05-01", "名簿.xlsx シート「2026」 4行目"),
        ("2026 ふくし", "団体名: ふくし、設立: 2", "名簿.xlsx シート「2026」 5行目"),
    ]


def test_the_pages_of_a_pdf_with_its_broken_lines_joined(folder: Path) -> None:
    pages = [
        ["出資の決まり", "組合員は出資一口以上を有しなければならないと定められて", "います。一口の金額は定款で決めます。", "- 1 -"],
        ["二枚目です。"],
    ]
    document = read(folder, "決まり.pdf", office_files.pdf(pages, "出資について"))
    assert document.title == "出資について"
    assert told(document) == [
        (
            "出資について",
            "出資の決まり\n組合員は出資一口以上を有しなければならないと定められています。一口の金額は定款で決めます。",
            "決まり.pdf 1ページ",
        ),
        ("出資について", "二枚目です。", "決まり.pdf 2ページ"),
    ]


def test_a_page_in_html_without_its_menus(folder: Path) -> None:
    page = """<!doctype html><title>雪かきの当番 | 森の会</title><header><a href=/>森の会</a></header><nav>メニュー</nav>
    <main><h1>雪かきの当番</h1><p>当番は<b>週</b>ごとに<ruby>代<rt>か</rt></ruby>わります。<br>二人で行います。</p><script>alert(1)</script>
    <h2>連絡先</h2><table><tr><th>電話<td>0854<tr><th>場所<td>雲南市</table></main><footer>著作権</footer>"""
    document = read(folder, "当番.html", page)
    assert document.title == "雪かきの当番"
    assert told(document) == [
        ("雪かきの当番", "当番は週ごとに代わります。\n二人で行います。", ""),
        ("連絡先", "電話: 0854\n場所: 雲南市", ""),
    ]


def test_markdown_that_is_not_of_the_corpus(folder: Path) -> None:
    text = "---\ntitle: 集まり\n---\n# 集まりのこと\n**大事**な話は[案内](https://example.jp/a)へ。\n\n<!-- 覚え書き -->"
    text += "\n## 費用\n| 誰 | 円 |\n|---|---|\n| 大人 | 500 |\n"
    document = read(folder, "集まり.md", text)
    assert document.title == "集まり"
    assert told(document) == [
        ("集まりのこと", "大事な話は案内（https://example.jp/a）へ。", ""),
        ("費用", "誰: 大人、円: 500", ""),
    ]


def test_plain_text_and_tables_in_text(folder: Path) -> None:
    text = read(folder, "a.txt", "総会のお知らせ\n\n■日時\n5月1日\n")
    assert (text.title, told(text)[1][:2]) == ("総会のお知らせ", ("日時", "5月1日"))
    table = read(folder, "b.csv", "\ufeff名前,役\n\n山田,理事\n")
    assert told(table) == [("山田", "名前: 山田、役: 理事", "b.csv 3行目")]
    assert told(read(folder, "c.tsv", "名前\t役\n山田\t理事\n"))[0][1] == "名前: 山田、役: 理事"


def test_a_long_text_becomes_several_passages_and_a_short_one_is_the_answer(folder: Path) -> None:
    document = read(folder, "長い.txt", "組合員は話し合って決めます。" * 60 + "\n■短い\nこれだけです。")
    long, second, short = document.passages
    assert 120 < len(long.detail) <= 600
    assert long.short == second.short == ""
    assert (short.short, short.detail) == ("これだけです。", "")
    assert [p.id for p in document.passages] == [document.id, f"{document.id}#s1-2", f"{document.id}#s2"]


# encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp", "iso2022_jp"])
def test_the_encodings_of_japanese_text(folder: Path, encoding: str) -> None:
    assert (
        read(folder, "a.txt", "総会は五月、カタカナも①".replace("①", "").encode(encoding)).passages[0].short
        == "総会は五月、カタカナも"
    )


def test_half_width_kana_in_shift_jis(folder: Path) -> None:
    assert read(folder, "a.txt", "ｿｳｶｲは5月①".encode("cp932")).passages[0].short == "ｿｳｶｲは5月①"


def test_characters_that_a_database_refuses_are_gone(folder: Path) -> None:
    page = "<!doctype html><p>一\u0085二&#x1;三\u200b四⽇</p>"
    assert read(folder, "a.html", page).passages[0].short.replace(" ", "") == "一二三四日"


def test_a_declared_encoding_that_does_not_exist_is_guessed() -> None:
    assert plain_text.decode("総会".encode("cp932"), "no-such-thing") == "総会"
    assert plain_text.decode("総会".encode(), "iso-8859-1") == "総会"


# corpus entries


def test_an_entry_of_the_corpus_keeps_its_fields(folder: Path) -> None:
    document = read(folder, "弁当.md", ENTRY.format(audience="public"))
    assert (document.id, document.kind, document.passages[0].asks) == ("tip-lunch", Kind.TIP, ("弁当はどう運ぶ",))


@pytest.mark.parametrize(
    ("own", "given", "both"),
    [
        ("public", "coop:3", "coop:3"),
        ("coop:3", "public", "coop:3"),
        ("federation", "coop:3", "coop:3"),
        ("coop:3", "federation", "coop:3"),
        ("public", "public", "public"),
    ],
)
def test_neither_the_entry_nor_the_operator_opens_what_the_other_closes(folder: Path, own: str, given: str, both: str) -> None:
    assert read(folder, "a.md", ENTRY.format(audience=own), Audience.of(given)).audience == Audience.of(both)


def test_an_entry_for_one_co_op_is_not_brought_in_for_another(folder: Path) -> None:
    with pytest.raises(InvalidDocument, match=r"a\.md: it is for coop:4 only"):
        read(folder, "a.md", ENTRY.format(audience="coop:4"), Audience.of("coop:3"))


def test_a_wrong_entry_is_named_once(folder: Path) -> None:
    assert refusal(folder, "a.md", ENTRY.replace("short: ", "shrt: ")).count("a.md") == 1


# ids


def test_the_id_comes_from_the_place_and_not_from_the_content(folder: Path) -> None:
    first, changed_content = read(folder, "a.txt", "一"), read(folder, "a.txt", "二")
    assert first.id == changed_content.id != read(folder, "b.txt", "一").id
    named = [read_file(folder / n, audience=Audience(), kind=Kind.SURVEY, place="同じ").id for n in ("a.txt", "b.txt")]
    assert named[0] == named[1]


def test_an_id_is_the_same_however_a_system_spells_the_name(folder: Path) -> None:
    (folder / "a.txt").write_text("一")
    spelled = [read_file(folder / "a.txt", audience=Audience(), kind=Kind.SURVEY, place=p).id for p in ("が", "か\u3099")]
    assert spelled[0] == spelled[1]


@pytest.mark.parametrize("name", ["Microsoft Word - 議案書.docx", "議案書.pdf"])
def test_a_title_that_is_a_file_name_loses_its_ending(folder: Path, name: str) -> None:
    assert read(folder, "x.pdf", office_files.pdf([["本文です。"]], name)).title == "議案書"


def test_without_a_title_the_file_is_the_title(folder: Path) -> None:
    assert read(folder, "議案書.pdf", office_files.pdf([["本文です。"]], "untitled")).title == "議案書"


# what cannot be read


def changed(content: bytes, part: str, old: bytes, new: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w") as after:
        for info in before.infolist():
            data = before.read(info)
            assert info.filename != part or old in data
            after.writestr(info, data.replace(old, new.encode()) if info.filename == part else data)
    return out.getvalue()


def archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def test_a_locked_pdf(folder: Path) -> None:
    assert "password" in refusal(folder, "a.pdf", office_files.pdf([["秘密"]], password="x"))


def test_a_pdf_of_pictures(folder: Path) -> None:
    assert "OCR" in refusal(folder, "a.pdf", office_files.pdf([[], []]))


def test_half_a_pdf_and_no_pdf(folder: Path) -> None:
    assert "damaged" in refusal(folder, "a.pdf", b"%PDF-1.7\n" + b"\xff" * 100)
    assert "no pdf file" in refusal(folder, "b.pdf", "ただの文章")


@pytest.mark.parametrize("made", [office_files.word, office_files.slides, office_files.sheets])
def test_half_an_office_file(folder: Path, made: object) -> None:
    content = made()  # type: ignore[operator]
    name = {"word": "a.docx", "slides": "a.pptx", "sheets": "a.xlsx"}[made.__name__]  # type: ignore[attr-defined]
    assert "damaged" in refusal(folder, name, content[: len(content) // 2])


@pytest.mark.parametrize(
    ("name", "part"),
    [("a.docx", "word__document.xml"), ("a.xlsx", "xl__workbook.xml"), ("a.pptx", "ppt__presentation.xml")],
)
def test_an_office_file_with_nonsense_inside(folder: Path, name: str, part: str) -> None:
    assert "damaged" in refusal(folder, name, archive(**{part: b"<nonsense"}))


def test_an_archive_that_is_no_office_file(folder: Path) -> None:
    assert "archive" in refusal(folder, "a.docx", archive(**{"x.txt": b"x"}))
    assert "type is not known" in refusal(folder, "a.bin", "文章")


def test_a_zip_bomb(folder: Path) -> None:
    content = archive(**{"word__document.xml": b"\0" * (LARGEST_UNPACKED + 1)})
    assert len(content) < 100_000
    assert "unpacks to more than 64 MB" in refusal(folder, "a.docx", content)


def test_a_zip_that_lies_about_its_size(folder: Path) -> None:
    content = bytearray(archive(**{"word__document.xml": b"\0" * 1_000_000}))
    for signature, at in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        begin = content.index(signature) + at
        content[begin : begin + 4] = (10).to_bytes(4, "little")
    assert "damaged" in refusal(folder, "a.docx", bytes(content))


def test_an_entity_bomb_in_a_word_document(folder: Path) -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
    head = f'<!DOCTYPE b [<!ENTITY a0 "xxxxxxxxxx">{entities}]><w:document'
    content = changed(office_files.word(), "word/document.xml", b"<w:document", head)
    assert read(folder, "a.docx", content).title == "就業規則"  # nothing uses it yet
    assert "damaged" in refusal(folder, "a.docx", changed(content, "word/document.xml", "附則".encode(), "&a8;"))


def test_an_entity_that_names_a_file(folder: Path) -> None:
    (folder / "secret.txt").write_text("秘密")
    head = f'<!DOCTYPE b [<!ENTITY a SYSTEM "{(folder / "secret.txt").as_uri()}">]><w:document'
    content = changed(office_files.word(), "word/document.xml", b"<w:document", head)
    content = changed(content, "word/document.xml", "附則".encode(), "附則&a;")
    assert all("秘密" not in p.short for p in read(folder, "a.docx", content).passages)


def test_old_and_locked_office_files(folder: Path) -> None:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    assert "old Office format" in refusal(folder, "a.doc", head)
    assert "password" in refusal(folder, "a.xlsx", head + "EncryptedPackage".encode("utf-16-le"))


def test_a_picture_and_a_name_that_lies(folder: Path) -> None:
    assert "picture" in refusal(folder, "a.png", b"\x89PNG\r\n\x1a\n")
    assert "called pdf but is docx" in refusal(folder, "a.pdf", office_files.word())


@pytest.mark.parametrize("content", [b"", b" \n\t", b"\0\0"])
def test_an_empty_file(folder: Path, content: bytes) -> None:
    assert "empty" in refusal(folder, "a.txt", content)


def test_a_document_without_words(folder: Path) -> None:
    assert "no text" in refusal(folder, "a.html", "<!doctype html><title>題</title><nav>メニュー</nav>")
    assert "no text" in refusal(folder, "a.html", "<!doctype html><!-- -->")


def test_bytes_that_are_no_text(folder: Path) -> None:
    assert "not text" in refusal(folder, "a.txt", b"abc\x00\x01\x02")
    assert "no encoding" in refusal(folder, "b.txt", b"\xff\x81\x20\xfd\xa0")


def test_a_file_that_is_too_large(folder: Path) -> None:
    with (folder / "a.txt").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(InvalidDocument, match="larger than 20 MB"):
        read_file(folder / "a.txt", audience=Audience(), kind=Kind.SURVEY)


def test_more_passages_and_rows_than_can_be_told_apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "MOST_PASSAGES", 10)
    monkeypatch.setattr(spreadsheets, "MOST_PASSAGES", 10)
    assert "more than 10 passages" in refusal(folder, "a.csv", "名前,役\n" + "山田,理事\n" * 11)
    assert "more than 10 rows" in refusal(folder, "a.xlsx", office_files.sheets(rows=10))


@pytest.mark.parametrize("said", ["A1:XFD1048576", "A1:A1"])
def test_a_sheet_whose_size_is_a_lie(folder: Path, said: str) -> None:
    content = changed(office_files.sheets(), "xl/worksheets/sheet1.xml", b'ref="A1:C5"', f'ref="{said}"')
    assert told(read(folder, "a.xlsx", content))[2][1] == "団体名: ふくし、設立: 2"


@pytest.mark.parametrize("page", ["<div>" * 100_000 + "x", "<div " + " ".join(f"a{n}" for n in range(40_000)) + ">x"])
def test_a_page_that_nobody_wrote(folder: Path, page: str) -> None:
    refusal(folder, "a.html", "<!doctype html>" + page)


def test_a_pipe_and_a_missing_file(folder: Path) -> None:
    os.mkfifo(folder / "pipe.txt")
    with pytest.raises(InvalidDocument, match="it is no file"):
        read_file(folder / "pipe.txt", audience=Audience(), kind=Kind.SURVEY)
    with pytest.raises(InvalidDocument, match="cannot be read"):
        read_file(folder / "gone.txt", audience=Audience(), kind=Kind.SURVEY)


# folders


def test_a_folder_by_name_without_what_is_hidden_or_leads_out(folder: Path) -> None:
    outside = folder.parent / "outside.txt"
    for path in (
        outside,
        folder / "b.txt",
        folder / "a" / "c.txt",
        folder / ".git" / "d.txt",
        folder / "~$b.docx",
        folder / "Thumbs.db",
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    (folder / "out.txt").symlink_to(outside)
    (folder / "up").symlink_to(folder.parent)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "within.txt").symlink_to(folder / "b.txt")
    assert [p.relative_to(folder).as_posix() for p in find_files(folder)] == ["a/c.txt", "b.txt", "within.txt"]
    assert list(find_files(outside)) == [outside]


def test_a_place_that_is_not_there(folder: Path) -> None:
    with pytest.raises(InvalidDocument, match="no such file or folder"):
        list(find_files(folder / "gone"))
