"""Everything out in one file and in again: while the bot runs, between databases, damaged, interrupted."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot import tables
from bot.archive import MANIFEST, Archive
from bot.backup import KEY, WITHDRAWN, Restored, back_up, finish_restore, rehearse, restore
from bot.bootstrap import Yui, build
from bot.config import Settings
from bot.data_folder import InUse
from bot.errors import UserMistake
from bot.signing import load_key
from bot.store import Preference, Store
from bot.tips.tip import Action
from knowledge import FEDERATION, Audience, Database, KnowledgeError, StoreUnavailable
from tests.bot.people import ASKED, GIVER, LUNCH, SUZAKAS_GROUP, UEDAS_COORDINATOR, UEDAS_GROUP, People, people
from tests.fakes import FakeEmbedder, FixedClock
from tests.knowledge.test_statutes import OLD, law

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
NOW = dt.datetime(2026, 11, 21, 1, tzinfo=dt.UTC)


class Home:
    """A data folder with its database."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.settings = Settings(data_dir=folder, database_url=database_url, _env_file=None)

    def live(self, act: Callable[[People], object]) -> None:
        """Start the services, do something, stop."""
        load_key(self.folder)
        finish_restore(self.settings)
        database = Database(self.settings.database)
        with InUse(self.folder), people(database, self.folder) as here:
            here.curation.reconcile()
            act(here)
        database.close()

    def back_up(self, name: str = "yui.backup", *, replace: bool = False) -> Path:
        file = self.folder.parent / name
        back_up(self.settings, file, NOW, replace=replace)
        return file

    def restore(self, file: Path) -> Restored:
        return restore(self.settings, file)

    def state(self) -> tuple[bytes, str]:
        """The key and the tips: they belong together."""
        database = Database(self.settings.database)
        with database.read() as c:
            texts = str(c.exec_driver_sql("SELECT id, text, state FROM tips").all())
        database.close()
        return (self.folder / KEY).read_bytes(), texts

    def everything(self) -> dict[str, list[str]]:
        """All rows of all tables, as a backup would write them; without the marks, which tell of backups."""
        file = self.back_up("state", replace=True)
        with Archive(file) as archive:
            rows = {
                t: sorted(json.dumps(r, sort_keys=True, ensure_ascii=False) for r in archive.rows(t))
                for t in archive.tables
                if t != "marks"
            }
            rows["files"] = [str(archive.content(n)) for n in (KEY, WITHDRAWN)]
        return rows


def home_of(database: Database, tmp_path: Path) -> Home:
    url = "" if database.is_sqlite else database.url.render_as_string(hide_password=False)
    return Home(tmp_path / "one", url)


@pytest.fixture
def home(database: Database, tmp_path: Path) -> Home:
    return home_of(database, tmp_path)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Home:
    """Another data folder, with SQLite: where `home` has PostgreSQL, the other kind."""
    return Home(tmp_path / "other", f"sqlite:///{tmp_path / 'other' / 'of-another-name.db'}")


def nothing(_: People) -> None:
    pass


def published(here: People) -> str:
    tip = here.offer()
    here.curation.decide(tip, 1, Action.PUBLISH, UEDAS_COORDINATOR)
    here.store.prefer(GIVER, Preference("ja-easy", True))
    here.knowledge.import_law(law("三人"), NOW.date(), OLD)
    return tip


def damaged(file: Path, **parts: bytes | None) -> Path:
    """A copy with some parts replaced, or left out for None; the zip itself is sound."""
    changed = file.with_name("damaged")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = parts[name] if name in parts else old.read(name)
            if content is not None:
                new.writestr(name, content)
        for name in set(parts) - set(old.namelist()):
            new.writestr(name, parts[name] or b"")
    return changed


def changed(here: People) -> None:
    here.offer("会議は月1回、夜にしています。")
    here.store.prefer(GIVER, Preference("en"))


def test_what_was_backed_up_comes_back(home: Home) -> None:
    home.live(published)
    before = home.everything()
    file = home.back_up()
    home.live(changed)
    assert home.everything() != before
    done = home.restore(file)
    assert done.manifest.made_at == NOW
    assert home.everything() == before
    home.live(is_found)


def is_found(here: People) -> None:
    assert len(here.finds(SUZAKAS_GROUP)) == 1
    assert here.store.preference(GIVER) == Preference("ja-easy", True)
    here.offer("会議は月1回、夜にしています。")  # numbers of decisions and notices go on
    tip = here.offer("チラシは公民館の印刷機が安いです。")
    here.curation.decide(tip, 1, Action.DECLINE, UEDAS_COORDINATOR)


def test_another_database_takes_it_and_gives_it_back(home: Home, elsewhere: Home) -> None:
    home.live(published)
    before = home.everything()
    elsewhere.restore(home.back_up())
    assert elsewhere.everything() == before
    assert "世話人は三人とする" in str(before["law_texts"])
    elsewhere.live(is_found)
    again = elsewhere.back_up("again")
    elsewheres = elsewhere.everything()
    home.restore(again)
    assert home.everything() == elsewheres
    home.live(lambda here: here.offer("ごみ袋は2枚重ねています。"))


def test_what_is_withdrawn_after_the_backup_stays_gone(home: Home) -> None:
    told: list[str] = []
    home.live(lambda here: told.append(published(here)))
    file = home.back_up()
    home.live(lambda here: here.curation.withdraw(told[0], GIVER))
    assert home.restore(file).withdrawn_since == 1

    def gone(here: People) -> None:
        assert here.finds(UEDAS_GROUP) == here.finds(SUZAKAS_GROUP) == []
        assert here.curation.mine(GIVER) == []
        assert LUNCH not in str(here.knowledge.retrieve(ASKED, Audience.of(FEDERATION)))

    home.live(gone)
    assert LUNCH not in str(home.everything()["tips"])
    assert LUNCH not in str(home.everything()["tip_versions"])


def test_the_list_of_the_backup_counts_too(home: Home, tmp_path: Path) -> None:
    told: list[str] = []
    home.live(lambda here: told.append(published(here)))
    home.live(lambda here: here.curation.withdraw(told[0], GIVER))
    fresh = Home(tmp_path / "fresh")
    fresh.restore(home.back_up())
    assert (fresh.folder / WITHDRAWN).read_text() == f"{told[0]}\n"
    assert (fresh.folder / KEY).read_bytes() == (home.folder / KEY).read_bytes()


def test_a_backup_is_of_one_moment_and_disturbs_nobody(home: Home) -> None:
    """Two tables that always get their rows together never differ in a backup."""
    home.live(nothing)
    ended = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        database = Database(home.settings.database)
        while not ended.is_set():
            with database.write() as c:
                c.exec_driver_sql(f"INSERT INTO preferences VALUES ('{written}', 'ja', 1 = 1)")  # noqa: S608
                c.exec_driver_sql(f"INSERT INTO roles VALUES ('{written}', 'member', '', '2026-01-01 00:00:00')")  # noqa: S608
            written += 1
        database.close()

    writer = threading.Thread(target=write)
    writer.start()
    counts = []
    try:
        for n in range(6):
            with Archive(home.back_up(f"b{n}")) as archive:
                counts.append((archive.tables["preferences"], archive.tables["roles"]))
    finally:
        ended.set()
        writer.join()
    assert len({roles - preferences for preferences, roles in counts}) == 1
    assert counts[0] < counts[-1]
    assert written > counts[-1][0] - 1


def test_the_file_is_private_and_not_overwritten(home: Home) -> None:
    home.live(nothing)
    file = home.back_up()
    assert file.stat().st_mode & 0o777 == 0o600
    first = file.read_bytes()
    with pytest.raises(UserMistake, match="--force"):
        home.back_up()
    assert file.read_bytes() == first
    home.back_up(replace=True)
    with pytest.raises(UserMistake, match="folder"):
        back_up(home.settings, home.folder, NOW)
    with pytest.raises(UserMistake, match="cannot be written"):
        back_up(home.settings, home.folder / "nowhere" / "file", NOW)
    assert [p.name for p in file.parent.iterdir() if p.name.endswith(".part")] == []


def test_nothing_to_back_up(empty_database: Database, tmp_path: Path) -> None:
    home = home_of(empty_database, tmp_path)
    with pytest.raises(UserMistake, match="nothing to back up"):
        home.back_up()
    assert list(home.folder.parent.glob("yui.backup*")) == []


def test_a_running_bot_may_be_backed_up_but_not_restored(home: Home) -> None:
    home.live(nothing)
    file = home.back_up()
    before = home.everything()
    with InUse(home.folder):
        home.back_up("second")
        with pytest.raises(UserMistake, match="stop it"):
            home.restore(file)
    with InUse(home.folder, alone=True), pytest.raises(UserMistake, match="being restored"):
        InUse(home.folder)
    assert home.everything() == before


def test_a_program_on_another_machine_is_noticed(home: Home) -> None:
    home.live(nothing)
    file = home.back_up()
    if not home.settings.database_url:
        pytest.skip("SQLite serves one machine")
    other = Database(home.settings.database)
    with other.read(), pytest.raises(UserMistake, match="Another program"):
        home.restore(file)
    other.close()
    home.restore(file)


def parts_of(file: Path) -> list[str]:
    with zipfile.ZipFile(file) as archive:
        return archive.namelist()


def content_at(raw: bytes, part: zipfile.ZipInfo) -> int:
    """Where the compressed content of a part begins: behind its name and what else its head carries."""
    head = raw[part.header_offset : part.header_offset + 30]
    return part.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")


def test_damage_in_any_part_is_noticed_and_changes_nothing(home: Home, elsewhere: Home) -> None:
    home.live(published)
    file = home.back_up()
    elsewhere.live(nothing)
    before = elsewhere.everything()
    raw = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        places = {i.filename: content_at(raw, i) + i.compress_size // 2 for i in archive.infolist()}
    for name, place in places.items():
        broken = file.with_name("broken")
        broken.write_bytes(raw[:place] + bytes([raw[place] ^ 0xFF]) + raw[place + 1 :])
        with pytest.raises(UserMistake, match="nothing was changed"):
            elsewhere.restore(broken)
        with pytest.raises(UserMistake, match="nothing was changed"):
            elsewhere.restore(damaged(file, **{name: b'{"id": 1}\n'}))
        with pytest.raises(UserMistake, match="nothing was changed"):
            elsewhere.restore(damaged(file, **{name: None}))
    assert elsewhere.everything() == before


@pytest.mark.parametrize("cut", [0, 1, 100, -1, -100])
def test_a_part_of_a_file_or_another_file(home: Home, cut: int) -> None:
    home.live(nothing)
    file, before = home.back_up(), home.everything()
    part = file.with_name("part")
    part.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(UserMistake, match="nothing was changed"):
        home.restore(part)
    with pytest.raises(UserMistake, match="nothing was changed"):
        home.restore(damaged(file, **{"tables/../../evil.jsonl": b"{}"}))
    with pytest.raises(UserMistake, match="cannot be read"):
        home.restore(file.with_name("nowhere"))
    assert home.everything() == before


def resigned(file: Path, name: str, content: bytes) -> Path:
    """A copy in which a part is another one and the manifest vouches for it."""
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read(MANIFEST))
    manifest["parts"][name] |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "rows": content.count(b"\n")}
    return damaged(file, **{name: content, MANIFEST: json.dumps(manifest).encode()})


@pytest.mark.parametrize(
    "row",
    [b"no json\n", b"[1]\n", b'{"owner": "a"}\n', b'{"owner": null, "language": "ja", "large": true}\n'],
)
def test_rows_that_do_not_fit_change_nothing(home: Home, row: bytes) -> None:
    home.live(published)
    file, before = home.back_up(), home.everything()
    with pytest.raises(UserMistake, match="nothing was changed"):
        home.restore(resigned(file, "tables/preferences.jsonl", row))
    assert home.everything() == before
    assert not (home.folder / "restoring").exists()


def manifested(file: Path, **told: object) -> Path:
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read(MANIFEST)) | told
    return damaged(file, **{MANIFEST: json.dumps(manifest).encode()})


def test_a_newer_programs_backup_is_refused(home: Home) -> None:
    home.live(nothing)
    file, before = home.back_up(), home.everything()
    with pytest.raises(UserMistake, match="newer version"):
        home.restore(manifested(file, version=2))
    with pytest.raises(StoreUnavailable, match="newer version"):
        home.restore(manifested(file, migrations={"bot": "9999", "knowledge": "0002"}))
    assert home.everything() == before


def test_an_older_programs_backup_is_brought_up_to_date(home: Home, tmp_path: Path) -> None:
    old = Home(tmp_path / "old")
    load_key(old.folder)
    database = Database(old.settings.database)
    database.migrate("knowledge", "0001")
    database.migrate("bot", "0002")
    with database.write() as c:
        c.exec_driver_sql("INSERT INTO preferences VALUES ('line:a', 'en', 1)")
    database.close()
    home.restore(old.back_up())
    database = Database(home.settings.database)
    with database.read() as c:
        heads = tables.steps(c)
    assert heads["bot"] > "0002"
    assert heads["knowledge"] > "0001"
    assert Store(database).preference("line:a") == Preference("en", True)
    database.close()


def test_a_damaged_database_is_replaced(tmp_path: Path) -> None:
    home = Home(tmp_path / "one")
    home.live(published)
    file, before = home.back_up(), home.everything()
    (home.folder / "yui.db").write_bytes(b"no database at all" * 300)
    with pytest.raises(KnowledgeError, match="restore"):
        home.back_up("another")
    home.restore(file)
    assert home.everything() == before


def test_the_key_belongs_to_the_rows(home: Home) -> None:
    home.live(nothing)
    own, before = home.back_up("own"), home.everything()
    keyed = home.settings.model_copy(update={"secret_key": SecretStr("from the settings")})
    with pytest.raises(UserMistake, match="YUI_SECRET_KEY"):
        restore(keyed, own)
    file = home.folder.parent / "keyed"
    back_up(keyed, file, NOW)
    assert f"files/{KEY}" not in parts_of(file)
    assert b"from the settings" not in file.read_bytes()
    with pytest.raises(UserMistake, match="YUI_SECRET_KEY"):
        home.restore(file)
    restore(keyed, file)
    assert home.everything() == before


# A program of its own, of which copies are killed, without any chance to tidy up, at their nth step that touches the disk.
KILLED = """
import datetime, os, signal, sys
from pathlib import Path
from bot import backup, tables
from bot.config import Settings
folder, url, what, file = sys.argv[1:]
settings = Settings(data_dir=Path(folder), database_url=url, _env_file=None)

def counted(call):
    def counting(*a, **k):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*a, **k)
    return counting

for line in sys.stdin:
    step, at = line.split()
    child = os.fork()
    if child:
        print(os.waitpid(child, 0)[1], flush=True)
        continue
    left = [int(at)]
    if step == "rows":
        tables._typed = counted(tables._typed)
    else:
        os.fsync, Path.replace, Path.unlink, Path.mkdir = map(counted, (os.fsync, Path.replace, Path.unlink, Path.mkdir))
    if what == "restore":
        backup.restore(settings, Path(file))
    else:
        backup.back_up(settings, Path(file), datetime.datetime.now(datetime.UTC), replace=True)
    os._exit(0)
"""


class Mortal:
    """Backs up or restores in processes that are killed."""

    def __init__(self, home: Home, what: str, file: Path) -> None:
        arguments = [str(home.folder), home.settings.database_url, what, str(file)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", KILLED, *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Mortal:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=20)

    def dies(self, step: str, at: int) -> bool:
        """Whether it was killed; False where it ended before the step was reached."""
        assert self._process.stdin
        assert self._process.stdout
        print(step, at, file=self._process.stdin, flush=True)
        status = int(self._process.stdout.readline())
        assert status in (0, signal.SIGKILL)
        return status != 0


def test_a_killed_restore_leaves_the_old_or_the_new_never_a_mixture(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "another")
    other.live(lambda here: here.offer("会議は月1回、夜にしています。"))
    other_file, others = other.back_up("of-another"), other.state()
    home.live(published)
    own_file, own = home.back_up(), home.state()
    assert own != others
    outcomes = []
    with Mortal(home, "restore", other_file) as restoring:
        for step, at in [("rows", 1), ("rows", 12), *(("disk", n) for n in range(1, 40))]:
            died = restoring.dies(step, at)
            finish_restore(home.settings)
            after = home.state()
            assert after in (own, others), (step, at)
            assert not list(home.folder.glob("*restoring*"))
            outcomes.append("new" if after == others else "old")
            if not died:
                break
            if after == others:
                home.restore(own_file)
        else:
            pytest.fail("it never got to its end")
    assert outcomes.count("old") >= 3
    assert outcomes.count("new") >= 2
    assert outcomes == sorted(outcomes, reverse=True), outcomes  # once it has become true, it stays so


def test_a_killed_backup_leaves_the_one_before(tmp_path: Path) -> None:
    home = Home(tmp_path / "one")
    home.live(published)
    file = home.back_up()
    first = file.read_bytes()
    kept = []
    with Mortal(home, "backup", file) as backing_up:
        for at in range(1, 20):
            died = backing_up.dies("disk", at)
            with Archive(file) as archive:
                assert archive.tables["tips"] == 1
            kept.append(file.read_bytes() == first)
            if not died:
                break
    assert kept[:2] == [True, True]
    assert not kept[-1]
    home.back_up(replace=True)
    assert not list(tmp_path.glob("*.part"))


def test_a_whole_bot_comes_back(tmp_path: Path) -> None:
    home = Home(tmp_path / "one")

    def started() -> Yui:
        return build(home.settings, clock=FixedClock(), embedder=FakeEmbedder())

    yui = started()
    documents = yui.knowledge.status().documents
    yui.store.prefer("line:a", Preference("en"))
    file = home.back_up()
    with pytest.raises(UserMistake, match="stop it"):
        home.restore(file)
    yui.store.prefer("line:a", Preference("vi"))
    yui.close()
    home.restore(file)
    yui = started()
    assert yui.store.preference("line:a") == Preference("en")
    assert yui.knowledge.status().documents == documents
    yui.close()


def test_a_rehearsal_tells_what_a_restore_would_and_changes_nothing(home: Home, tmp_path: Path) -> None:
    home.live(published)
    file = home.back_up()
    before = home.state()
    found = rehearse(home.settings, file, tmp_path / "scratch")
    assert found.rows == sum(p.rows for name, p in found.manifest.parts.items() if name.startswith("tables/"))
    assert home.state() == before
    assert list((tmp_path / "scratch").iterdir()) == []
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UserMistake):
        rehearse(home.settings, file, tmp_path / "scratch")
    assert list((tmp_path / "scratch").iterdir()) == []
