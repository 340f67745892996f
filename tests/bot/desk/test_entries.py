"""Entries at the desk: who sees and edits what, versions and conflicts, expiry and care, found at once."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.desk.contents import Content, Part, compared, content_of, document_of, merged
from bot.desk.entries import Conflict, Entries, Saved
from bot.desk.entry_rows import Care
from bot.desk.entry_words import Flawed
from bot.desk.refusals import Refused
from bot.members import Grant, Role
from knowledge import DESK, FEDERATION, Audience, Database, Document, Kind, Passage
from knowledge import corpus as shipped_corpus
from tests.bot.people import FEDERATIONS, GIVER, SUZAKA, SUZAKAS_COORDINATOR, UEDA, UEDAS_COORDINATOR, People, people
from tests.knowledge.test_statutes import NEW, OLD, law

ADMIN = "desk:admin"


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk over a small knowledge of three entries."""

    people: People
    entries: Entries

    def found(self, question: str, audience: Audience | None = None) -> str:
        """What is found; so few entries are too few to be sure of an answer."""
        found = self.people.knowledge.retrieve(question, audience).matches
        return "\n".join(m.passage.short for m in found)

    def edit(self, editor: str, document_id: str, **part: str) -> Saved | Conflict:
        """Change the first part, on the newest version."""
        entry = self.entries.entry(editor, document_id)
        assert entry is not None
        content = entry.content.with_part(replace(entry.content.parts[0], **part))
        return self.entries.save(editor, document_id, entry.version, content)


def document(document_id: str, short: str, *keys: str, kind: Kind = Kind.SURVEY, **more: object) -> Document:
    title = str(more.pop("title", short[:12]))
    passage = Passage(document_id, title, short, asks=(f"{title}は?",))
    return Document(document_id, kind, title, "しらべ", (passage,), audience=Audience.of(*keys), **more)  # type: ignore[arg-type]


@pytest.fixture
def desk(database: Database, tmp_path: Path) -> Iterator[Desk]:
    with people(database, tmp_path) as found:
        found.members.give(ADMIN, Grant(Role.ADMIN))
        found.knowledge.upsert(
            [
                document("key-day", "鍵当番は毎週月曜に交代します。", title="鍵当番の決まり"),
                document("rice", "精米機は第3倉庫にあります。", FEDERATION, title="精米機の場所"),
                document("ueda-money", "上田の金庫の番号札は青です。", f"coop:{UEDA}", title="上田の金庫"),
            ],
            "papers",
        )
        found.knowledge.align()
        yield Desk(found, Entries(database, found.knowledge, found.members, found.clock))


def new_content(short: str = "配達は朝8時に出ます。", *keys: str, title: str = "配達の時間") -> Content:
    part = Part("", title, short, asks=("配達は何時",))
    return Content("survey", title, "組合のきまり", audience=keys or ("public",), parts=(part,))


def test_everybody_sees_and_edits_their_own_and_nothing_else(desk: Desk) -> None:
    entries = desk.entries
    ids = lambda who: {r.id for r in entries.browse(who).rows}  # noqa: E731
    assert ids(ADMIN) == ids(FEDERATIONS) == {"key-day", "rice", "ueda-money"}
    assert ids(UEDAS_COORDINATOR) == {"key-day", "rice", "ueda-money"}
    assert ids(SUZAKAS_COORDINATOR) == {"key-day", "rice"}
    assert ids(GIVER) == {"key-day"}
    assert entries.browse(SUZAKAS_COORDINATOR).total == 2
    assert entries.browse(SUZAKAS_COORDINATOR, co_op=UEDA).total == 0
    assert entries.browse(SUZAKAS_COORDINATOR, text="上田の金庫の番号札は何色", co_op=UEDA).total == 0
    assert "ueda-money" not in {r.id for r in entries.browse(SUZAKAS_COORDINATOR, text="上田の金庫の番号札は何色").rows}
    assert entries.entry(SUZAKAS_COORDINATOR, "ueda-money") is None
    may = lambda who: {i for i in ("key-day", "rice", "ueda-money") if entries.may_edit(who, i)}  # noqa: E731
    assert may(ADMIN) == may(FEDERATIONS) == {"key-day", "rice", "ueda-money"}
    assert may(UEDAS_COORDINATOR) == {"ueda-money"}
    assert may(SUZAKAS_COORDINATOR) == may(GIVER) == set()


@pytest.mark.parametrize(
    "action", ["save", "remove", "restore", "checked", "postpone", "hand_over", "take_care", "restore_shipped"]
)
def test_what_one_may_not_see_is_refused_like_what_is_not_there(desk: Desk, action: str) -> None:
    arguments = {
        "save": (0, new_content()),
        "restore": (0,),
        "hand_over": (SUZAKAS_COORDINATOR,),
        "take_care": (Care(),),
    }.get(action, ())
    told_of = []
    for document_id in ("ueda-money", "nothing-here"):
        with pytest.raises(Refused) as refused:
            getattr(desk.entries, action)(SUZAKAS_COORDINATOR, document_id, *arguments)
        told_of.append(str(refused.value))
    assert told_of[0] == told_of[1]
    assert desk.entries.versions(SUZAKAS_COORDINATOR, "ueda-money") == []


def test_a_saved_entry_is_found_at_once_by_words_and_by_meaning(desk: Desk) -> None:
    saved = desk.edit(FEDERATIONS, "key-day", short="鍵当番は毎週木曜に交代します。")
    assert saved == Saved("key-day", 1)
    assert "木曜" in desk.found("鍵当番はいつ交代する?")
    knowledge = desk.people.knowledge
    assert knowledge.status().without_vector is False
    found = knowledge.retrieve("鍵当番はいつ交代する?")
    assert found.matches[0].features["dense"] != 0
    # An import of the same papers does not undo what a person wrote, nor does it fail for the rest.
    assert knowledge.listing.named(["key-day"])["key-day"].origin == DESK


def test_two_people_saving_the_same_entry(desk: Desk) -> None:
    entries = desk.entries
    seen = entries.entry(FEDERATIONS, "key-day")
    assert seen
    desk.edit(ADMIN, "key-day", short="鍵当番は毎週火曜に交代します。", detail="火曜の朝に渡します。")
    mine = seen.content.with_part(replace(seen.content.parts[0], short="鍵当番は毎週水曜に交代します。"))
    conflict = entries.save(FEDERATIONS, "key-day", seen.version, mine)
    assert isinstance(conflict, Conflict)
    assert (conflict.by, conflict.version) == (ADMIN, 1)
    assert "火曜" in desk.found("鍵当番はいつ交代する?")
    [difference] = conflict.differences
    assert [(p.what, p.text) for p in difference.pieces if p.what != "same"] == [("gone", "火曜"), ("new", "水曜")]
    # Keeping mine keeps what they wrote elsewhere.
    kept = entries.save(FEDERATIONS, "key-day", conflict.version, conflict.mine)
    assert kept == Saved("key-day", 2)
    now = entries.entry(FEDERATIONS, "key-day")
    assert now
    assert (now.content.parts[0].short, now.content.parts[0].detail) == ("鍵当番は毎週水曜に交代します。", "火曜の朝に渡します。")


def test_of_many_who_save_at_once_one_wins_and_all_others_hear(desk: Desk) -> None:
    seen = desk.entries.entry(ADMIN, "key-day")
    assert seen
    results: list[object] = []

    def save(n: int) -> None:
        content = seen.content.with_part(replace(seen.content.parts[0], short=f"鍵当番は毎月{n}日に交代します。"))
        results.append(desk.entries.save(ADMIN, "key-day", seen.version, content))

    threads = [threading.Thread(target=save, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(r).__name__ for r in results) == ["Conflict"] * 5 + ["Saved"]
    [won] = [r for r in results if isinstance(r, Saved)]
    versions = desk.entries.versions(ADMIN, "key-day")
    assert [v.version for v in versions] == [1, 0]
    now = desk.entries.entry(ADMIN, "key-day")
    assert now
    assert versions[0].content == now.content
    assert won.version == 1


def test_versions_differ_readably_and_can_be_restored(desk: Desk) -> None:
    desk.edit(ADMIN, "key-day", short="鍵当番は毎週木曜に交代します。")
    [difference] = desk.entries.diff(ADMIN, "key-day", 0, 1)
    assert (difference.part, difference.field) == ("key-day", "short")
    assert "".join(p.text for p in difference.pieces if p.what != "new") == "鍵当番は毎週月曜に交代します。"
    assert [v.by for v in desk.entries.versions(ADMIN, "key-day")] == [ADMIN, ""]
    assert desk.entries.restore(ADMIN, "key-day", 0) == Saved("key-day", 2)
    assert "月曜" in desk.found("鍵当番はいつ交代する?")
    # Exactly as it came, it follows the papers it came from again.
    assert desk.people.knowledge.listing.named(["key-day"])["key-day"].origin == "papers"
    assert desk.entries.save(ADMIN, "key-day", 2, desk.entries.entry(ADMIN, "key-day").content).changed is False  # type: ignore[union-attr]


def test_what_was_taken_out_can_be_brought_back(desk: Desk) -> None:
    desk.entries.remove(UEDAS_COORDINATOR, "ueda-money")
    ueda = Audience.of_member(UEDA)
    assert "青" not in desk.found("上田の金庫の番号札は何色?", ueda)
    assert desk.entries.entry(UEDAS_COORDINATOR, "ueda-money") is None
    assert [v.note for v in desk.entries.versions(UEDAS_COORDINATOR, "ueda-money")] == ["removed", ""]
    assert desk.entries.versions(SUZAKAS_COORDINATOR, "ueda-money") == []
    desk.entries.restore(UEDAS_COORDINATOR, "ueda-money", 0)
    assert "青" in desk.found("上田の金庫の番号札は何色?", ueda)
    assert "青" not in desk.found("上田の金庫の番号札は何色?", Audience.of_member(SUZAKA))


def test_a_new_entry_goes_no_further_than_its_writer_may_send_it(desk: Desk) -> None:
    with pytest.raises(Flawed) as flawed:
        desk.entries.new(UEDAS_COORDINATOR, new_content())
    assert [f.what for f in flawed.value.flaws] == ["not_yours"]
    with pytest.raises(Flawed):
        desk.entries.new(UEDAS_COORDINATOR, new_content("x。", f"coop:{SUZAKA}"))
    with pytest.raises(Flawed):
        desk.entries.new(ADMIN, new_content("x。", "coop:nowhere"))
    saved = desk.entries.new(UEDAS_COORDINATOR, new_content("配達は朝8時に出ます。", f"coop:{UEDA}"))
    assert "8時" in desk.found("配達は何時?", Audience.of_member(UEDA))
    assert "8時" not in desk.found("配達は何時?")
    entry = desk.entries.entry(UEDAS_COORDINATOR, saved.document)
    assert entry
    wider = replace(entry.content, audience=("public",))
    with pytest.raises(Flawed):
        desk.entries.save(UEDAS_COORDINATOR, saved.document, entry.version, wider)
    assert isinstance(desk.entries.save(FEDERATIONS, saved.document, entry.version, wider), Saved)
    assert "8時" in desk.found("配達は何時?")
    # Now it is everybody's: its former writer sees it, and what it was when it was private stays with those who look after it.
    assert desk.entries.versions(UEDAS_COORDINATOR, saved.document) == []
    assert len(desk.entries.versions(FEDERATIONS, saved.document)) == 2


@pytest.mark.parametrize(
    ("change", "what", "sentence"),
    [
        ({"title": ""}, "empty", "「題」が空です"),
        ({"source": " "}, "empty", "「出典」が空です"),
        ({"short": ""}, "empty", "「短い答え」が空です"),
        ({"short": "あ" * 121}, "too_long", "120文字まで"),
        ({"article": "第200条"}, "no_article", "「第200条」という条は"),
        ({"source": "労働者協同組合法 第22条、第150条"}, "no_article", "「第150条」という条は"),
        ({"as_of": "去年"}, "no_date", "日付ではありません"),
        ({"starts": "2026/05/01"}, "no_date", "2026-05-01 のように"),
        ({"url": "javascript:alert(1)"}, "no_address", "https:// から"),
        ({"easy": "朝 8時に 30人が 出ます。"}, "number", "「30"),
        ({"en": "Delivery costs 200,000 yen."}, "number", "英語"),
        ({"kind": "rumour"}, "no_kind", "種類"),
    ],
)
def test_what_is_wrong_is_said_in_clear_sentences(desk: Desk, change: dict[str, str], what: str, sentence: str) -> None:
    content = new_content()
    part = {k: v for k, v in change.items() if k in ("short", "easy", "en")}
    whole = {k: v for k, v in change.items() if k not in part}
    content = replace(content, **whole, parts=(replace(content.parts[0], **part),))
    with pytest.raises(Flawed) as flawed:
        desk.entries.new(ADMIN, content)
    assert what in [f.what for f in flawed.value.flaws]
    assert sentence in str(flawed.value)
    assert not re.search("[ぁ-ん]{3}", flawed.value.said("en"))
    assert desk.entries.browse(ADMIN).total == 3


def test_numbers_that_the_passage_says_another_way_are_no_flaw(desk: Desk) -> None:
    content = new_content("費用は20万円で、約6割が補助です。")
    part = replace(content.parts[0], en="It costs 200,000 yen; about 60% is subsidised.", easy="20万円 かかります。")
    assert desk.entries.new(ADMIN, replace(content, parts=(part,))).changed


def test_an_edited_shipped_entry_is_left_alone_at_the_next_start(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    knowledge, entries = desk.people.knowledge, desk.entries
    held = [document("act-x", "届出は2週間以内です。", title="届出"), document("act-y", "定款は公開します。", title="定款")]
    monkeypatch.setattr(shipped_corpus, "load", lambda: list(held))
    monkeypatch.setattr(shipped_corpus, "ids", lambda: frozenset(d.id for d in held))
    caplog.set_level("INFO")
    knowledge.load_shipped()
    desk.edit(ADMIN, "act-x", short="届出は3週間以内です。")
    entries.remove(ADMIN, "act-y")
    caplog.clear()
    knowledge.load_shipped()
    assert [r for r in caplog.records if r.levelname == "ERROR"] == []
    assert "2 shipped documents are left as people have edited them" in caplog.text
    assert "3週間" in desk.found("届出の期限")
    assert "定款は公開" not in desk.found("定款の公開")
    assert "act-y" not in {r.id for r in entries.browse(ADMIN).rows}
    entries.restore_shipped(ADMIN, "act-x")
    entries.restore(ADMIN, "act-y", 0)
    assert "2週間" in desk.found("届出の期限")
    held[0] = document("act-x", "届出は4週間以内です。", title="届出")
    knowledge.load_shipped()
    assert "4週間" in desk.found("届出の期限")
    assert "定款は公開" in desk.found("定款の公開")
    with pytest.raises(Refused):
        entries.restore_shipped(UEDAS_COORDINATOR, "act-x")
    with pytest.raises(Refused):
        entries.restore_shipped(ADMIN, "key-day")


def test_what_rests_on_a_changed_article_wants_a_look(desk: Desk) -> None:
    cites = replace(document("founders", "発起人は3人以上です。", title="発起人"), source="労働者協同組合法 第22条")
    desk.people.knowledge.upsert([cites, document("guide", "発起人の条です。", kind=Kind.LAW, article="第22条")], "guides")
    desk.people.knowledge.import_law(law("三人"), dt.date(2026, 11, 1), OLD)
    desk.people.knowledge.import_law(law("五人"), dt.date(2026, 11, 20), NEW)
    due = {d.document: d for d in desk.entries.due(FEDERATIONS)}
    assert {i: (d.why, d.articles) for i, d in due.items()} == {
        "founders": (("changed",), ("第22条",)),
        "guide": (("changed",), ("第22条",)),
    }
    desk.entries.checked(FEDERATIONS, "founders")
    desk.edit(FEDERATIONS, "guide", short="発起人は5人です。")
    assert desk.entries.due(FEDERATIONS) == []


def test_control_characters_and_script_are_only_text(desk: Desk) -> None:
    saved = desk.entries.new(ADMIN, new_content("<script>alert(1)</script>\x00\u202eです。"))
    entry = desk.entries.entry(ADMIN, saved.document)
    assert entry
    assert entry.content.parts[0].short == "<script>alert(1)</script>です。"


def test_past_its_last_day_an_entry_is_hidden_until_that_changes(desk: Desk) -> None:
    tomorrow = dt.date(2026, 11, 22)
    desk.entries.take_care(ADMIN, "key-day", Care(expires_at=tomorrow))
    desk.entries.expire()
    assert "月曜" in desk.found("鍵当番はいつ交代する?")
    desk.people.clock.now += dt.timedelta(days=2)
    desk.entries.expire()
    desk.entries.expire()
    assert "月曜" not in desk.found("鍵当番はいつ交代する?")
    assert {r.id for r in desk.entries.browse(ADMIN, care="expired").rows} == {"key-day"}
    entry = desk.entries.entry(ADMIN, "key-day")
    assert entry
    assert entry.hidden
    assert entry.content.audience == ("public",)
    assert desk.entries.entry(UEDAS_COORDINATOR, "key-day") is None
    # Its text can be mended while it is hidden, and stays hidden.
    assert isinstance(desk.edit(ADMIN, "key-day", short="鍵当番は毎週金曜に交代します。"), Saved)
    assert "金曜" not in desk.found("鍵当番はいつ交代する?")
    desk.entries.take_care(ADMIN, "key-day", Care(expires_at=dt.date(2027, 1, 1)))
    assert "金曜" in desk.found("鍵当番はいつ交代する?")


def test_a_co_op_keeps_seeing_what_it_hid(desk: Desk) -> None:
    desk.entries.take_care(UEDAS_COORDINATOR, "ueda-money", Care(expires_at=dt.date(2026, 11, 1)))
    assert "青" not in desk.found("上田の金庫の番号札は何色?", Audience.of_member(UEDA))
    assert desk.entries.may_edit(UEDAS_COORDINATOR, "ueda-money")
    assert desk.entries.entry(UEDAS_COORDINATOR, "ueda-money")
    assert desk.entries.entry(SUZAKAS_COORDINATOR, "ueda-money") is None
    desk.entries.take_care(UEDAS_COORDINATOR, "ueda-money", Care())
    assert "青" in desk.found("上田の金庫の番号札は何色?", Audience.of_member(UEDA))
    assert desk.people.knowledge.listing.named(["ueda-money"])["ueda-money"].origin == "papers"


def test_what_wants_a_look_stands_in_the_list_until_it_has_had_one(desk: Desk) -> None:
    today = dt.date(2026, 11, 21)
    entries = desk.entries
    fair = document("fair", "市は12月1日です。", title="市", kind=Kind.EVENT, ends=dt.date(2026, 12, 1))
    desk.people.knowledge.upsert([fair, document("far", "市は来年です。", kind=Kind.EVENT, ends=dt.date(2027, 5, 1))], "calendar")
    entries.take_care(ADMIN, "key-day", Care(check_at=today))
    entries.take_care(ADMIN, "rice", Care(expires_at=today + dt.timedelta(days=14)))
    entries.take_care(ADMIN, "ueda-money", Care(check_at=today + dt.timedelta(days=1)))
    due = {d.document: d for d in entries.due(FEDERATIONS)}
    assert {i: d.why for i, d in due.items()} == {"fair": ("lapsing",), "key-day": ("check",), "rice": ("lapsing",)}
    assert due["fair"].ends == dt.date(2026, 12, 1)
    assert entries.due(SUZAKAS_COORDINATOR) == []
    former = entries.checked(ADMIN, "key-day", dt.date(2027, 11, 21))
    assert former.check_at == today
    entries.checked(ADMIN, "fair")
    entries.postpone(ADMIN, "rice")
    assert entries.due(FEDERATIONS) == []
    assert entries.browse(ADMIN, care="due").total == 0
    entries.uncheck(ADMIN, "key-day")
    entries.resume(ADMIN, "rice")
    assert {d.document for d in entries.due(FEDERATIONS)} == {"key-day", "rice"}
    entries.postpone(ADMIN, "rice")
    desk.people.clock.now += dt.timedelta(days=8)
    assert {d.document for d in entries.due(UEDAS_COORDINATOR)} == {"ueda-money"}
    assert {d.document for d in entries.due(ADMIN)} == {"key-day", "rice", "ueda-money"}


def test_a_check_changes_no_text_and_is_no_conflict(desk: Desk) -> None:
    seen = desk.entries.entry(ADMIN, "key-day")
    assert seen
    desk.entries.checked(FEDERATIONS, "key-day", dt.date(2027, 1, 1))
    mine = seen.content.with_part(replace(seen.content.parts[0], short="鍵当番は毎週土曜に交代します。"))
    assert desk.entries.save(ADMIN, "key-day", seen.version, mine) == Saved("key-day", 2)
    with pytest.raises(Refused):
        desk.entries.uncheck(FEDERATIONS, "key-day")
    assert [v.note for v in desk.entries.versions(ADMIN, "key-day")] == ["", "checked", ""]


def test_it_is_handed_to_somebody_who_may_look_after_it(desk: Desk) -> None:
    assert desk.entries.hand_over(ADMIN, "ueda-money", UEDAS_COORDINATOR) == ""
    assert {r.id for r in desk.entries.browse(UEDAS_COORDINATOR, care="mine").rows} == {"ueda-money"}
    with pytest.raises(Refused):
        desk.entries.hand_over(ADMIN, "ueda-money", SUZAKAS_COORDINATOR)
    assert set(desk.entries.verifiers("ueda-money")) == {ADMIN, FEDERATIONS, UEDAS_COORDINATOR}
    desk.entries.forget(UEDAS_COORDINATOR)
    assert desk.entries.browse(UEDAS_COORDINATOR, care="mine").total == 0


def test_tips_are_seen_and_not_edited_here(desk: Desk) -> None:
    tip = desk.people.offer()
    assert desk.entries.entry(UEDAS_COORDINATOR, tip) is not None
    assert not desk.entries.may_edit(ADMIN, tip)
    with pytest.raises(Refused):
        desk.entries.remove(ADMIN, tip)


def test_a_search_says_why(desk: Desk) -> None:
    page = desk.entries.browse(FEDERATIONS, text="鍵当番の交代は何曜日ですか")
    first = page.rows[0]
    assert first.id == "key-day"
    assert first.why
    assert "鍵" in "".join(first.why.found)
    assert first.why.score > page.rows[-1].why.score  # type: ignore[union-attr]
    assert desk.entries.browse(FEDERATIONS, text="鍵当番の交代は何曜日ですか", kind="case").rows == ()


def test_my_changes_on_top_of_theirs() -> None:
    base = replace(new_content(), parts=(Part("a", "A", "一。"), Part("b", "B", "二。")))
    mine = base.with_part(Part("a", "A", "壱。")).with_part(Part("c", "C", "三。"))
    theirs = replace(base.with_part(Part("b", "B", "弐。")), title="新しい題")
    found = merged(base, mine, theirs)
    assert found.title == "新しい題"
    assert [p.short for p in found.parts] == ["壱。", "弐。", "三。"]
    assert merged(base, base.without_part("b"), theirs).part("b") is None
    assert compared(base, base) == []


def test_every_shipped_document_survives_the_form_and_has_no_flaw() -> None:
    for held in shipped_corpus.load():
        assert document_of(held.id, content_of(held)) == held
