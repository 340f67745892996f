"""What is exported is what an audience may find, as the givers allowed, in files that do no harm."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.exporting import ExportedTip, Exporting, Format, OpenTopic, render
from bot.members import Grant, Role
from bot.search import Search, audience_of_member
from bot.tips.store import TipStore
from bot.tips.tip import Action, Consent
from knowledge import FEDERATION, PUBLIC, Audience, Database
from tests.bot.people import (
    ASKED,
    FEDERATIONS,
    GIVER,
    SUZAKA,
    SUZAKAS_COORDINATOR,
    SUZAKAS_GROUP,
    UEDA,
    UEDAS_COORDINATOR,
    UEDAS_GROUP,
    People,
    people,
)


@pytest.fixture
def here(database: Database, tmp_path: Path) -> Iterator[People]:
    with people(database, tmp_path) as found:
        yield found


def exporting(here: People) -> Exporting:
    return Exporting(Search(here.knowledge, here.curation, TipStore(here.database)), here.curation, here.questions)


def exported(here: People, co_op: str = "") -> list[str]:
    return [t.id for t in exporting(here).tips(audience_of_member(co_op))]


def published(here: People, text: str, **told: object) -> str:
    tip = here.offer(text, **told)  # type: ignore[arg-type]
    here.curation.decide(tip, 1, Action.PUBLISH, FEDERATIONS)
    here.clock.now += dt.timedelta(minutes=1)  # they are told in the order they were offered
    return tip


def test_everybody_gets_what_they_may_find(here: People) -> None:
    everybodys = published(here, "チラシは公民館の印刷機が安いです。", audience=Audience.of(PUBLIC))
    federations = published(here, "会議は月1回、夜にしています。", audience=Audience.of(FEDERATION))
    uedas = published(here, "かぎは受付の箱に入れます。", audience=Audience.of("coop:ueda"))
    suzakas = published(here, "当番は2人で組みます。", co_op=SUZAKA, audience=Audience.of("coop:suzaka"))
    here.offer("まだ確認されていないコツです。", audience=Audience.of(PUBLIC))
    here.curation.decide(here.offer("見送られたコツです。", audience=Audience.of(PUBLIC)), 1, Action.DECLINE, FEDERATIONS)
    assert exported(here) == [everybodys]
    assert exported(here, UEDA) == [everybodys, federations, uedas]
    assert exported(here, SUZAKA) == [everybodys, federations, suzakas]


def test_what_is_withdrawn_or_past_its_day_is_not_exported(here: People) -> None:
    withdrawn = published(here, "チラシは公民館の印刷機が安いです。")
    expiring = here.offer("夏のあいだは朝6時に始めます。")
    day = here.clock.now.date()
    here.curation.decide(expiring, 1, Action.PUBLISH, UEDAS_COORDINATOR, expires_at=day + dt.timedelta(days=10))
    assert exported(here, UEDA) == [withdrawn, expiring]
    here.curation.withdraw(withdrawn, GIVER)
    here.clock.now += dt.timedelta(days=20)
    assert exported(here, UEDA) == []


def test_names_stand_there_only_with_consent(here: People) -> None:
    published(here, "チラシは公民館の印刷機が安いです。", consent=Consent.NAME, author_name="ゆき")
    published(here, "会議は月1回、夜にしています。", consent=Consent.CO_OP)
    published(here, "当番は2人で組みます。", consent=Consent.ANONYMOUS, author_name="ゆき")
    tips = exporting(here).tips(audience_of_member(UEDA))
    assert [t.who for t in tips] == ["ゆきさん", "労協うえだ", ""]
    for as_ in Format:
        content = render(as_, tips).decode()
        assert content.count("ゆき") == 1
        assert GIVER not in content
        assert UEDAS_GROUP not in content
        assert UEDAS_COORDINATOR not in content


def test_questions_are_those_of_the_co_op_alone(here: People) -> None:
    suzakas = published(here, "当番は2人で組みます。", co_op=SUZAKA, audience=Audience.of("coop:suzaka"))
    for group, co_op, text in ((UEDAS_GROUP, UEDA, ASKED), (SUZAKAS_GROUP, SUZAKA, "冬の送迎はどうしていますか")):
        here.questions.record(text, asker="line:asker", conversation=group, co_op=co_op, nearest=[suzakas])
    here.members.give("cli:operator", Grant(Role.ADMIN))
    assert {t.question for t in exporting(here).topics("cli:operator")} == {ASKED, "冬の送迎はどうしていますか"}
    assert [t.question for t in exporting(here).topics("cli:operator", UEDA)] == [ASKED]
    assert [t.question for t in exporting(here).topics(SUZAKAS_COORDINATOR)] == ["冬の送迎はどうしていますか"]
    assert exporting(here).topics(GIVER) == []
    content = render(Format.JSONL, [], exporting(here).topics("cli:operator", UEDA)).decode()
    assert "line:asker" not in content
    assert "当番" not in content
    assert [t.nearest for t in exporting(here).topics(SUZAKAS_COORDINATOR)] == [("当番は2人で組みます。",)]


def test_what_several_co_ops_asked_is_told_each_in_its_own_words(here: People) -> None:
    told = [(UEDA, "夏のお弁当がいたまないようにするには?"), (SUZAKA, "夏のお弁当がいたまないようにするには、どうしますか?")]
    for days, (co_op, text) in enumerate([*told, told[1]]):
        here.clock.now += dt.timedelta(days=days)
        group = {UEDA: UEDAS_GROUP, SUZAKA: SUZAKAS_GROUP}[co_op]
        here.questions.record(text, asker="line:asker", conversation=group, co_op=co_op, nearest=[])
    here.members.give("cli:operator", Grant(Role.ADMIN))
    with_others = here.questions.topics("cli:operator")
    assert [t.asked for t in with_others] == [3]
    days = here.clock.now.date()
    (uedas,), (suzakas,) = (exporting(here).topics("cli:operator", co_op) for co_op in (UEDA, SUZAKA))
    assert (uedas.question, uedas.asked) == (told[0][1], 1)
    assert (suzakas.question, suzakas.asked) == (told[1][1], 2)
    assert uedas.last < suzakas.first < suzakas.last == days.isoformat()
    assert exporting(here).topics(SUZAKAS_COORDINATOR, UEDA) == []


def tip(text: str) -> ExportedTip:
    return ExportedTip("tip-1", text, "上田", "去年", "", "", "ゆきさん", "2026-11-01", "2026-11-02", 3, ("第22条",), ())


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+81 90", "-2", "@SUM(A1)", "  =1", "\t=1", "\n=1", "=cmd|' /C calc'!A0", "＝1+1", "＠A1", "|calc"],
)
def test_no_cell_is_a_formula(text: str) -> None:
    content = render(Format.CSV, [tip(text)], [OpenTopic(text, 2, "2026-11-01", "2026-11-02", (text,))])
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert [row[header.index(name)] for row, name in zip(rows, ("text", "question"), strict=True)] == [f"'{text}"] * 2
    for cell in (cell for row in rows for cell in row):
        assert not cell.strip() or cell.strip()[0] not in "=+-@|＝＋－＠"


def test_a_csv_keeps_lines_quotes_and_commas() -> None:
    text = 'ふたに、"2枚", 置きます。\n夏だけです。'
    header, row = csv.reader(io.StringIO(render(Format.CSV, [tip(text)]).decode("utf-8-sig"), newline=""))
    told = dict(zip(header, row, strict=True))
    assert told["text"] == text
    assert (told["type"], told["helped"], told["articles"]) == ("tip", "3", "第22条")


def test_markdown_shows_words_as_they_are() -> None:
    content = render(Format.MARKDOWN, [tip("# 大見出し\n<script>x</script> [ここ](http://a) *強*")]).decode()
    assert "> \\# 大見出し\n> \\<script\\>x\\</script\\> \\[ここ\\](http://a) \\*強\\*\n" in content
    assert "— ゆきさん / 上田 / 去年 / 公開 2026-11-02 / 役に立った 3件\n" in content


def test_jsonl_is_one_object_a_line() -> None:
    content = render(Format.JSONL, [tip("一\n二\u2028三")], [OpenTopic("何時?", 2, "2026-11-01", "2026-11-02", ())]).decode()
    rows = [json.loads(line) for line in content.split("\n") if line]
    assert [r["type"] for r in rows] == ["tip", "question"]
    assert rows[0]["text"] == "一\n二\u2028三"
