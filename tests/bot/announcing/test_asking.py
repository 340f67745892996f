"""What members ask about announcements, and what they are told: by the day, to whom it was for, in one screen."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.announcing.announcement import Content, Event, Grant
from bot.announcing.knowledge_of import Announced, Bulletin
from bot.conversations import Conversations
from bot.messages import IncomingMessage, Reply
from bot.metrics import Metrics
from bot.signing import Signer
from bot.store import Store
from knowledge import Audience, Database, KnowledgeBase
from tests.bot.announcing.announcements import FESTIVAL, FOR_ALL, GRANT, LATER, NOTICE, NOW, announced, at
from tests.fakes import FakeEmbedder, FixedClock


@dataclass
class Talk:
    """A conversation with a bot that was given some announcements."""

    conversations: Conversations
    bulletin: Bulletin
    knowledge: KnowledgeBase
    clock: FixedClock
    told: list[Announced] = field(default_factory=list)
    withdrawn: set[str] = field(default_factory=set)

    def announce(self, *told: Announced) -> None:
        self.told[:] = told

    def ask(self, text: str, co_op: str | None = "ueda", conversation: str = "c") -> Reply:
        message = IncomingMessage(conversation, text, co_op=co_op)
        reply = asyncio.run(self.conversations.reply_to(message))
        assert reply is not None
        return reply

    def says(self, text: str, co_op: str | None = "ueda", conversation: str = "c") -> str:
        return self.ask(text, co_op, conversation).text


@pytest.fixture
def talk(sqlite: Database, tmp_path: Path) -> Iterator[Talk]:
    clock = FixedClock(NOW.isoformat())
    store = Store(sqlite)
    knowledge = KnowledgeBase(sqlite, FakeEmbedder(), tmp_path / "index")
    told: list[Announced] = []
    withdrawn: set[str] = set()
    page = "https://yui.example.jp/announcements/{}.signed".format
    bulletin = Bulletin(knowledge, lambda: list(told), page, clock, withdrawn.__contains__)
    conversations = Conversations(knowledge, store, Signer(b"key"), clock, Metrics(), bulletin=bulletin)
    yield Talk(conversations, bulletin, knowledge, clock, told, withdrawn)
    knowledge.close()


def everything() -> tuple[Announced, ...]:
    """What the federation and two co-ops have been told."""
    return (
        announced(FESTIVAL, "ueda", id_="ann-festival"),
        announced(GRANT, id_="ann-grant"),
        announced(FOR_ALL, id_="ann-first"),
        announced(LATER, "kofu", id_="ann-later"),
        announced(NOTICE, id_="ann-notice", began=at(7, 3)),
    )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("夏祭りはいつ?", "8月1日(土) 午前10時〜午後3時"),
        ("お祭りの場所どこだっけ", "上田市 中央公民館"),
        ("夏祭りのお知らせ何だっけ?", "8月1日(土)"),
        ("居場所づくり助成の締切はいつ?", "7月31日(金)"),
        ("居場所づくり助成っていくら?", "50万円"),
        ("引っ越しのお知らせ何だっけ?", "7月20日から"),
        ("居場所に使える助成金は?", "7月31日(金)"),
        ("８月の行事おしえて", "夏祭りは、8月1日(土)"),
        ("お祭り何時からやったかいな", "午前10時〜午後3時"),
        ("居場所づくり助成って何に使える?", "家賃と備品"),
        ("夏祭り、なにがあるの?", "屋台と盆おどり"),
        ("夏祭りに屋台出る?", "屋台と盆おどり"),
        ("事務所の電話番号変わった?", "電話番号は変わりません"),
        ("夏祭りまであと何日?", "あと26日です"),
        ("夏祭りは来月?", "はい。夏祭りは、8月1日(土)"),
        ("夏祭りって今月だっけ", "いいえ。夏祭りは、8月1日(土)"),
        ("8月1日は夏祭り?", "はい。夏祭りは、8月1日(土)"),
        ("夏祭りは来週ですか?", "いいえ。夏祭りは、8月1日(土)"),
        ("締切まであと何日?", "(あと9日)"),
        ("31日って何だったっけ", "居場所づくり助成"),
        ("先週送られてきたやつ", "先週のお知らせは4件"),
        ("お知らせ一覧", "お知らせは4件"),
    ],
)
def test_one_announcement_is_told_in_short_with_its_source(talk: Talk, asked: str, told: str) -> None:
    talk.announce(*everything())
    reply = talk.ask(asked)
    assert told in reply.text
    assert len(reply.text) <= 250
    assert reply.answer["answered"]
    assert [layer["layer"] for layer in reply.answer["layers"]] == ["event"]
    assert reply.text.splitlines()[-1].startswith("出典:")


RULES = Content(
    "第5回通常総会のご案内",
    "委任状は7月10日までに出してください。お弁当が出ます。雨でも開きます。Zoomでも出られます。",
    link="https://example.org/soukai",
    event=Event(at(7, 18, 13), None, "市民会館"),
)


def test_what_no_field_holds_is_told_from_the_text_or_said_to_be_missing(talk: Talk) -> None:
    talk.announce(*everything(), announced(RULES, "ueda", id_="ann-rules"))
    for asked, told in (
        ("委任状いつまで?", "委任状は7月10日までに"),  # not the day of the meeting
        ("総会のお弁当出る?", "お弁当が出ます"),
        ("総会のリンク教えて", "https://example.org/soukai"),
        ("雨でもやるん?", "雨でも開きます"),
        ("総会ってズームでも出れる?", "Zoomでも出られます"),
        ("夏祭りはズームある?", "Zoomのことは、お知らせには書いてありません"),
        ("夏祭りの持ち物は?", "持ち物のことは、お知らせには書いてありません"),
        ("夏祭り中止になったん?", "中止や延期のお知らせは出ていません"),
    ):
        assert told in talk.says(asked, conversation=asked), asked
        assert told not in talk.says(asked, "suzaka", f"{asked}-others"), asked
    talk.says("総会いつ?")
    assert "委任状は7月10日までに" in talk.says("委任状いつまで?")  # going on from it too
    assert "書いてありません" in talk.says("駐車場ある?")


def test_a_day_with_nothing_on_it_is_said_to_be_free_and_the_next_is_named(talk: Talk) -> None:
    talk.announce(*everything())
    assert "はじめの一歩基金" in talk.says("来週なんかあったっけ")
    told = talk.says("明日は何かある?")
    assert "あしたの行事と締切は、お知らせにはありません" in told
    assert "7月15日(水)" in told
    assert talk.says("明日は何かある?", None) == "あしたの行事と締切は、お知らせにはありません。"


def test_what_was_not_announced_is_said_to_be_missing(talk: Talk) -> None:
    assert talk.says("総会は来月?") == "「総会」のことは、お知らせにはありません。"
    talk.announce(*everything())
    assert talk.says("夏祭りは来月?", "kofu") == "「夏祭り」のことは、お知らせにはありません。"  # it was for others
    for others in ("法律の施行は2022年10月1日?", "あしたの天気は?", "あしたの新横浜の天気、雨ふる?"):
        assert "お知らせにはありません" not in talk.says(others)


def test_who_cannot_apply_yet_hears_from_when(talk: Talk) -> None:
    talk.announce(announced(replace(GRANT, grant=Grant(dt.date(2026, 9, 10), dt.date(2026, 8, 1)))))
    assert "受付は8月1日(土)から" in talk.says("居場所づくり助成の締切は?")
    talk.clock.now = at(8, 2)
    assert "受付は" not in talk.says("居場所づくり助成の締切は?")


def quoting(talk: Talk, announcement: str, text: str, co_op: str = "ueda") -> str:
    """What is said to somebody who quotes an announcement, in a conversation of its own."""
    message = IncomingMessage(f"{co_op}-{text}", text, co_op=co_op, quotes=announcement)
    reply = asyncio.run(talk.conversations.reply_to(message))
    assert reply is not None
    return reply.text


def test_who_quotes_an_announcement_means_that_one(talk: Talk) -> None:
    talk.announce(*everything())
    assert "午前10時〜午後3時" in quoting(talk, "ann-festival", "これ何時から?")
    assert "7月31日(金)" in quoting(talk, "ann-grant", "締切は?")
    assert "8月20日" in quoting(talk, "ann-later", "締切は?", "kofu")
    assert "屋台" in quoting(talk, "ann-festival", "くわしく")
    for text in ("これ何時から?", "くわしく", "出典"):  # it went elsewhere: whatever was quoted, nothing of it is told
        told = quoting(talk, "ann-festival", text, "kofu")
        assert not any(word in told for word in ("夏祭り", "屋台", "午前10時"))
    talk.clock.now = at(8, 2)
    assert "に終わりました" in quoting(talk, "ann-festival", "これ、何時からだった?")


def test_who_quotes_a_withdrawn_announcement_hears_that_it_is_gone(talk: Talk) -> None:
    talk.announce(*everything())
    talk.withdrawn.add("ann-festival")
    talk.told[:] = [a for a in talk.told if a.id != "ann-festival"]
    for text in ("これ何時から?", "くわしく", "いつだっけ?", "What time is it?"):
        told = quoting(talk, "ann-festival", text)
        assert "取り消され" in told or "withdrawn" in told
    assert "7月31日(金)" in quoting(talk, "ann-festival", "居場所づくり助成の締切は?")  # it asks for something else


def test_the_deadlines_of_a_month_are_a_list_by_date(talk: Talk) -> None:
    talk.announce(*everything())
    assert talk.says("今月の締切は?").splitlines() == [
        "今月の締切は2件です。",
        "・7月15日(水)締切 はじめの一歩基金",
        "・7月31日(金)締切 居場所づくり助成",
        "出典:連合会のお知らせ",
    ]


@pytest.mark.parametrize(
    ("day", "asked", "told"),
    [
        (at(7, 6), "来週の締切は?", ["はじめの一歩基金"]),
        (at(7, 6), "今週しめきりの助成金ある?", []),
        (at(7, 6), "まだ間に合う助成金は?", ["はじめの一歩基金", "居場所づくり助成"]),
        (at(7, 15, 23, 59), "まだ間に合う助成金は?", ["はじめの一歩基金", "居場所づくり助成"]),
        (at(7, 16, 0, 1), "まだ間に合う助成金は?", ["居場所づくり助成"]),
        (at(7, 16), "いま出せる助成金は?", ["居場所づくり助成"]),
        (at(8, 1), "来月の締切は?", []),
    ],
)
def test_days_count_from_the_clock_in_japan(talk: Talk, day: dt.datetime, asked: str, told: list[str]) -> None:
    talk.announce(*everything())
    talk.clock.now = day
    text = talk.says(asked)
    assert [
        title for title in ("はじめの一歩基金", "居場所づくり助成") if f"{title}" in text and "いちばん近い" not in text
    ] == told


def test_the_day_of_the_message_counts_not_that_of_the_clock(talk: Talk) -> None:
    talk.announce(*everything())
    message = IncomingMessage("c", "来月の締切は?", co_op="ueda", at=at(6, 20))
    reply = asyncio.run(talk.conversations.reply_to(message))
    assert reply
    assert "来月の締切は2件" in reply.text


def test_grants_are_found_by_their_place_and_those_for_everywhere_everywhere(talk: Talk) -> None:
    talk.announce(*everything())
    nagano, yamanashi = talk.says("長野の助成金ある?"), talk.says("山梨県の助成金は?", "kofu")
    assert "居場所づくり助成" in nagano
    assert "はじめの一歩基金" in nagano
    assert "子ども食堂応援助成" in yamanashi
    assert "居場所づくり助成" not in yamanashi


@pytest.mark.parametrize("asked", ["夏祭りはいつ?", "8月の行事は?", "お知らせある?", "夏祭り", "行事の予定は?", "くわしく"])
def test_what_was_not_for_the_asker_leaves_no_trace(talk: Talk, asked: str) -> None:
    """With an announcement for others, every answer is what it is without it."""
    talk.announce(announced(GRANT, id_="ann-grant"))
    without = talk.says(asked, "suzaka", "a")
    talk.announce(announced(GRANT, id_="ann-grant"), announced(FESTIVAL, "ueda", id_="ann-festival"))
    assert talk.says(asked, "suzaka", "b") == without
    assert "8月1日" in talk.says("夏祭りはいつ?", "ueda", "c")


def test_strangers_are_told_nothing(talk: Talk) -> None:
    talk.announce(*everything())
    assert "夏祭り" not in talk.says("夏祭りはいつ?", None)
    assert talk.says("お知らせある?", None) == "いま出ているお知らせはありません。"


def test_an_event_that_is_over_is_told_in_the_past_by_its_name_only(talk: Talk) -> None:
    talk.announce(*everything())
    talk.clock.now = at(8, 2)
    assert talk.says("夏祭りはいつ?").startswith("夏祭りは、8月1日(土)に終わりました。")
    assert "夏祭り" not in talk.says("お知らせある?")
    assert talk.knowledge.document("ann-festival", talk.told[0].audience) is None


def test_what_is_withdrawn_is_gone_at_once(talk: Talk) -> None:
    talk.announce(*everything())
    assert "8月1日" in talk.says("夏祭りはいつ?")
    talk.announce(*everything()[1:])
    for asked in ("夏祭りはいつ?", "くわしく", "お知らせある?", "屋台と盆おどりは?"):
        assert "8月1日" not in talk.says(asked)
        assert "屋台と盆おどりが" not in talk.says(asked)


def test_the_button_below_an_announcement_tells_all_of_it(talk: Talk) -> None:
    talk.announce(*everything())
    for typed in ("夏祭りのお知らせについてくわしく", "夏祭りのお…について くわしく"):
        told = talk.says(typed)
        assert "日時: 2026年8月1日(土) 午前10時〜午後3時" in told
        assert "屋台と盆おどりがあります" in told
    assert "屋台" not in talk.says("夏祭りのお知らせについてくわしく", "suzaka", "b")


def test_a_correction_says_so(talk: Talk) -> None:
    talk.announce(announced(FESTIVAL, "ueda", corrected=at(7, 5)))
    assert "7月5日(日)に訂正しました" in talk.says("夏祭りはいつ?")


def test_the_latest_is_meant_by_that_announcement_and_it_can_be_gone_on_from(talk: Talk) -> None:
    talk.announce(*everything())
    assert "7月20日から新しい場所に移ります" in talk.says("あのお知らせ何だっけ?")
    assert "8月1日(土)" in talk.says("夏祭りはいつ?")
    assert "中央公民館" in talk.says("場所はどこ?")
    told = talk.says("くわしく")
    assert "屋台と盆おどりがあります" in told
    assert "https://yui.example.jp/announcements/ann-festival.signed" in told


def test_a_list_can_be_chosen_from(talk: Talk) -> None:
    talk.announce(*everything())
    reply = talk.ask("今月の締切は?")
    assert "はじめの一歩基金" in [c.text for c in reply.choices]
    assert "設立3年までの労協" in talk.says("1")


def test_many_fit_on_one_screen_and_the_rest_are_counted(talk: Talk) -> None:
    grants = [
        announced(replace(GRANT, title=f"とても長い名前の地域ささえあい活動支援助成プログラム第{n}号"), id_=f"ann-{n}")
        for n in range(9)
    ]
    talk.announce(*grants)
    text = talk.says("今月の締切は?")
    assert len(text) <= 250
    shown = text.count("・")
    assert 2 <= shown < 9
    assert f"ほか{9 - shown}件" in text


@pytest.mark.parametrize(
    "asked",
    [
        "監事は何人必要?",
        "夏祭りのために定款を変える必要がある?",
        "総会の期限は法律で決まり?",
        "組合員の任期はいつまで?",
        "期限は?",
        "届出の締切はいつ?",
        "助成金って何?",
        "引っ越しの届け出はどうやって書くの?",
        "お知らせはだれが出せる?",
        "来週の天気は?",
        "引っ越しの電話代もらってる労協ある?",
    ],
)
def test_other_questions_are_left_to_the_search(talk: Talk, asked: str) -> None:
    without = talk.says(asked, conversation="a")
    only = [announced(NOTICE, id_="ann-notice")]
    talk.announce(*only)
    told = talk.ask(asked, conversation="b")
    assert told.text == without or all(layer["layer"] != "event" for layer in told.answer["layers"])


def test_plain_japanese_is_told_where_it_was_written(talk: Talk) -> None:
    talk.announce(*everything())
    message = IncomingMessage("c", "夏祭りはいつ?", co_op="ueda", language="ja-easy")
    reply = asyncio.run(talk.conversations.reply_to(message))
    assert reply
    assert reply.text.startswith("夏祭りは8月1日です。だれでも来られます。")


def test_it_is_also_found_by_the_ordinary_search(talk: Talk) -> None:
    """By whoever it was for, in whatever words, as any document."""
    talk.announce(*everything())
    talk.bulletin.follow()
    asked = "屋台と盆おどりがある催しの会場"
    ueda, suzaka = (talk.knowledge.retrieve(asked, Audience.of_member(c)).matches for c in ("ueda", "suzaka"))
    assert ueda[0].document.id == "ann-festival"
    assert "ann-festival" not in [m.document.id for m in suzaka]
