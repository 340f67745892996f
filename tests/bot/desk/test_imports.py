"""Files brought in at the desk: looked at first, taken in as long work, by whom and for whom."""

from __future__ import annotations

import ast
import datetime as dt
import io
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa

import knowledge
from bot.desk.entries import Entries
from bot.desk.entry_words import told as flaw_told
from bot.desk.import_rows import imports as table
from bot.desk.import_words import told
from bot.desk.imports import Imports, Job
from bot.desk.refusals import Refused
from knowledge import Audience, Database, Wanted
from tests.bot.people import FEDERATIONS, SUZAKAS_COORDINATOR, UEDA, UEDAS_COORDINATOR, People, people
from tests.fakes import BrokenEmbedder

COLUMNS = {"title": 0, "short": 1}


@dataclass(frozen=True, slots=True)
class Desk:
    people: People
    imports: Imports

    def upload(self, content: str | bytes, name: str = "table.csv", who: str = FEDERATIONS, audience: str = "public") -> Job:
        data = content.encode() if isinstance(content, str) else content
        return self.imports.upload(who, name, io.BytesIO(data), audience, "survey")

    def run(self, job: Job, columns: dict[str, int] | None = None, *, dry: bool = False, who: str = FEDERATIONS) -> Job:
        self.imports.start(who, job.id, columns, dry=dry)
        self.imports.wait()
        return self.imports.job(who, job.id)

    def titles(self, audience: Audience | None = None) -> set[str]:
        found, _ = self.people.knowledge.listing.page(Wanted(audience), 0, 100_000)
        return {d.title for d in found}

    @property
    def files(self) -> list[str]:
        folder = self.people.folder / "imports"
        return sorted(f.name for f in folder.iterdir()) if folder.is_dir() else []


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    with people(database, tmp_path) as found:
        imports = Imports(database, found.knowledge, found.members, found.clock, tmp_path / "imports")
        yield Desk(found, imports)
        imports.close()


TABLE = "題,短い答え,出典\n鍵当番,鍵当番は月曜に交代します。,きまり集\nごみの日,ごみの日は火曜です。,\n"


def test_a_table_is_looked_at_first_and_then_taken_in(desk: Desk) -> None:
    job = desk.upload(TABLE)
    held = desk.imports.table(FEDERATIONS, job.id)
    assert held
    assert held.header == ("題", "短い答え", "出典")
    assert dict(held.guessed) == {"title": 0, "short": 1, "source": 2}
    looked = desk.run(job, dict(held.guessed), dry=True)
    assert (looked.state, looked.report.added, looked.report.failed) == ("checked", 2, 0)
    assert looked.report.titles["added"] == ("鍵当番", "ごみの日")
    assert desk.titles() == set()
    done = desk.run(job, dict(held.guessed))
    assert (done.state, done.report.added) == ("done", 2)
    assert desk.titles() == {"鍵当番", "ごみの日"}
    assert desk.files == []
    match = desk.people.knowledge.retrieve("ごみの日は何曜日").matches[0]
    assert match.passage.short == "ごみの日は火曜です。"
    assert match.features["dense"] != 0
    assert match.document.source == "table.csv"


def test_the_same_file_again_changes_what_changed_and_removes_what_is_gone(desk: Desk) -> None:
    desk.run(desk.upload(TABLE), COLUMNS)
    newer = TABLE.replace("月曜", "木曜").replace("ごみの日,ごみの日は火曜です。,\n", "掃除,掃除は水曜です。,\n")
    job = desk.upload(newer)
    report = desk.run(job, COLUMNS, dry=True).report
    assert (report.added, report.changed, report.same, report.removed) == (1, 1, 0, 1)
    assert report.titles["removed"] == ("ごみの日",)
    desk.run(job, COLUMNS)
    assert desk.titles() == {"鍵当番", "掃除"}
    again = desk.run(desk.upload(newer), COLUMNS).report
    assert (again.added, again.changed, again.same, again.removed) == (0, 0, 2, 0)


def test_row_7000_is_named_and_the_others_are_taken(desk: Desk) -> None:
    lines = ["題,短い答え"] + [f"項目{n},項目{n}の答えは{n}です。" for n in range(2, 9_001)]
    lines[6_999] = '項目7000,"ここで引用符が閉じない'
    report = desk.run(desk.upload("\n".join(lines)), COLUMNS, dry=True).report
    assert report.documents == 8_998
    [error] = report.errors
    assert error.row == 7_000
    assert "引用符" in flaw_told(error.flaws[0], "ja")


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        ("項目3,\x00\x01", "broken_row"),
        ('項目3,"開いたまま', "broken_row"),
        ("項目3,", "empty"),
        (",題がない", "empty"),
        ("項目2,題が同じ", "same_title"),
    ],
)
def test_one_broken_row_costs_no_other_and_removes_nothing(desk: Desk, broken: str, what: str) -> None:
    rows = [f"項目{n},答え{n}。" for n in range(1, 40)]
    desk.run(desk.upload("題,短い答え\n" + "\n".join(rows)), COLUMNS)
    rows[2] = broken
    job = desk.run(desk.upload("題,短い答え\n" + "\n".join(rows[:-1])), COLUMNS)
    assert job.state == "done"
    assert [(e.row, e.flaws[0].what) for e in job.report.errors] == [(4, what)]
    assert desk.titles() == {f"項目{n}" for n in range(1, 40)}


def test_a_row_in_no_encoding_is_named(desk: Desk) -> None:
    rows = [f"項目{n},答え{n}。".encode() for n in range(1, 60)]
    rows[30] = "項目31,".encode() + b"\xff\xfe\xfa"
    job = desk.run(desk.upload("題,短い答え\n".encode() + b"\n".join(rows)), COLUMNS)
    assert [e.row for e in job.report.errors] == [32]
    assert job.report.added == 58


def test_excel_with_its_columns_named_in_english(desk: Desk) -> None:
    book = openpyxl.Workbook()
    for row in (["question", "answer", "date"], ["会費は?", "会費は月500円です。", "2026/04/01"]):
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    job = desk.upload(out.getvalue(), "q.xlsx")
    held = desk.imports.table(FEDERATIONS, job.id)
    assert held
    assert dict(held.guessed) == {"asks": 0, "short": 1, "as_of": 2}
    done = desk.run(job, dict(held.guessed))
    assert done.report.errors == ()
    assert desk.titles() == {"会費は?"}


def test_a_file_that_lies_about_its_type_gets_one_sentence(desk: Desk) -> None:
    job = desk.upload("<html><body>ページ</body></html>", "本当はページ.pdf")
    assert desk.imports.table(FEDERATIONS, job.id) is None
    failed = desk.run(job, dry=True)
    assert failed.state == "failed"
    assert (
        told(failed.report.told, "ja")
        == "名前は pdf ですが、中身は html です。中身に合った名前にするか、正しいファイルを選んでください。"
    )
    assert told(failed.report.told, "en").startswith("It is called pdf but is html inside")
    text = desk.run(desk.upload("ただの文字", "文字.pdf"), dry=True)
    assert "中身が pdf ではありません" in told(text.report.told, "ja")


def test_a_text_is_one_entry(desk: Desk) -> None:
    desk.run(desk.upload("# 鍵当番の決まり\n\n鍵当番は毎週月曜に交代します。\n", "../../きまり.md"))
    assert desk.titles() == {"鍵当番の決まり"}
    [found] = desk.people.knowledge.retrieve("鍵当番").matches
    assert found.document.source == "きまり.md"


def test_what_somebody_edited_here_stays_as_it_is(desk: Desk) -> None:
    desk.run(desk.upload(TABLE), COLUMNS)
    entries = Entries(desk.people.database, desk.people.knowledge, desk.people.members, desk.people.clock)
    [row] = entries.browse(FEDERATIONS, text="鍵当番").rows[:1]
    entry = entries.entry(FEDERATIONS, row.id)
    assert entry
    entries.save(FEDERATIONS, row.id, 0, replace(entry.content, title="鍵当番(改)"))
    job = desk.run(desk.upload(TABLE.replace("月曜", "土曜")), COLUMNS)
    assert [e.flaws[0].what for e in job.report.errors] == ["by_hand"]
    assert desk.titles() == {"鍵当番(改)", "ごみの日"}


def test_a_co_ops_coordinator_brings_in_for_that_co_op_alone(desk: Desk) -> None:
    own = f"coop:{UEDA}"
    for audience in ("public", "federation", "coop:suzaka", "coop:nowhere"):
        with pytest.raises(Refused):
            desk.upload(TABLE, who=UEDAS_COORDINATOR, audience=audience)
    csv = "題,短い答え,見られる人\n金庫,金庫の札は青です。,組合\n公園,公園は南です。,公開\n納屋,納屋は北です。,\n"
    job = desk.upload(csv, who=UEDAS_COORDINATOR, audience=own)
    done = desk.run(job, {**COLUMNS, "audience": 2}, who=UEDAS_COORDINATOR)
    assert [(e.row, e.flaws[0].what) for e in done.report.errors] == [(3, "not_this_audience")]
    assert desk.titles(Audience.of_member(UEDA)) == {"金庫", "納屋"}
    assert desk.titles(Audience.of_member("suzaka")) == set()
    assert desk.imports.jobs(SUZAKAS_COORDINATOR) == []
    with pytest.raises(Refused) as seen:
        desk.imports.job(SUZAKAS_COORDINATOR, job.id)
    with pytest.raises(Refused) as unseen:
        desk.imports.job(SUZAKAS_COORDINATOR, "nothing")
    assert str(seen.value) == str(unseen.value)
    assert [j.id for j in desk.imports.jobs(FEDERATIONS)] == [job.id]


def test_an_entry_that_names_its_id_cannot_take_anothers_nor_tell_of_it(desk: Desk) -> None:
    head = "---\nid: secret\nkind: survey\ntitle: 合言葉\nshort: 合言葉は山です。\nsource: きまり\n"
    text = head + "url: https://example.com/\naudience: {}\n---\n"
    desk.run(desk.upload(text.format("public"), "a.md", audience="coop:suzaka"))
    assert "secret" not in desk.people.knowledge.listing.named(["secret"])
    mine = desk.run(desk.upload(text.format("public"), "a.md", UEDAS_COORDINATOR, f"coop:{UEDA}"), who=UEDAS_COORDINATOR)
    assert (mine.state, mine.report.errors) == ("done", ())
    assert desk.titles(Audience()) == set()
    other = desk.upload(text.format("coop:suzaka"), "b.md", UEDAS_COORDINATOR, f"coop:{UEDA}")
    assert "範囲" in told(desk.run(other, who=UEDAS_COORDINATOR).report.told, "ja")


def test_files_go_after_a_day_or_when_nobody_knows_them(desk: Desk) -> None:
    job = desk.upload(TABLE)
    assert desk.files == [job.id]
    (desk.people.folder / "imports" / "left-over").write_text("x")
    assert (desk.people.folder / "imports" / job.id).stat().st_mode & 0o077 == 0
    desk.people.clock.now += dt.timedelta(hours=23)
    desk.imports.tidy()
    assert desk.files == [job.id]
    desk.people.clock.now += dt.timedelta(hours=2)
    desk.imports.tidy()
    assert desk.files == []
    with pytest.raises(Refused):
        desk.imports.start(FEDERATIONS, job.id, COLUMNS, dry=False)
    desk.people.clock.now += dt.timedelta(days=91)
    desk.imports.tidy()
    assert desk.imports.jobs(FEDERATIONS) == []


def test_what_a_dead_process_left_can_be_run_again(desk: Desk) -> None:
    job = desk.upload(TABLE)
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True)
    about = {"process": [socket.gethostname(), int(gone.stdout), "x"], "audience": "public", "kind": "survey", "columns": COLUMNS}
    with desk.people.database.write() as c:
        c.execute(sa.update(table).where(table.c.id == job.id).values(state="running", done=1, total=2, report=about))
    assert desk.imports.job(FEDERATIONS, job.id).state == "interrupted"
    assert desk.run(job, COLUMNS).state == "done"
    assert len(desk.titles()) == 2


def test_one_at_a_time(desk: Desk) -> None:
    first, second = desk.upload(TABLE), desk.upload(TABLE, "other.csv")
    desk.imports._busy.acquire()
    try:
        with pytest.raises(Refused) as busy:
            desk.imports.start(FEDERATIONS, second.id, COLUMNS, dry=True)
        assert busy.value.key == "import_busy"
    finally:
        desk.imports._busy.release()
    assert desk.run(first, COLUMNS).state == "done"
    desk.imports.cancel(FEDERATIONS, second.id)
    assert desk.imports.job(FEDERATIONS, second.id).state == "cancelled"
    assert desk.files == []


def test_too_large_and_empty_files_are_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.desk.imports.LARGEST", 1_000)
    for content, key in (("あ" * 1_000, "import_large"), ("", "import_empty")):
        with pytest.raises(Refused) as refused:
            desk.upload(content)
        assert refused.value.key == key
    assert desk.files == []


def test_without_a_model_what_was_brought_in_is_found_by_words(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'yui.db'}")
    with people(database, tmp_path, BrokenEmbedder()) as found:
        imports = Imports(database, found.knowledge, found.members, found.clock, tmp_path / "imports")
        desk = Desk(found, imports)
        assert desk.run(desk.upload(TABLE), COLUMNS).state == "done"
        assert desk.titles() == {"鍵当番", "ごみの日"}
    database.close()


def test_every_sentence_of_the_readers_has_a_japanese_one() -> None:
    folder = Path(knowledge.__file__).parent / "sources"
    unknown = told("?", "ja")
    for name in (
        "files",
        "recognising",
        "spreadsheets",
        "tables",
        "plain_text",
        "sections",
        "pdf",
        "office",
        "hypertext",
        "markdown",
    ):
        for node in ast.walk(ast.parse((folder / f"{name}.py").read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InvalidDocument" and node.args:
                [sentence] = node.args
                values = sentence.values if isinstance(sentence, ast.JoinedStr) else [sentence]
                text = "".join(str(v.value) if isinstance(v, ast.Constant) else "12" for v in values)
                outside = ("there is no such file", "is not YAML", "it cannot be read", "it is no file", "12: 12", "str(")
                assert any(part in text for part in outside) or text == "12" or told(text, "ja") != unknown, text
