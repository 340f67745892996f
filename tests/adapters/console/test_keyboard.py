"""Every task of the desk by keyboard alone, in a real browser: walked to with Tab, never clicked; and what came of it is there.

Only an operating system's own window for choosing a file is passed by, since no page can be asked about it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bot.announcing.announcement import State
from bot.desk.asked_rows import Filters
from bot.members import CoOp, Grant, Purpose, Role
from bot.tips.tip import Action, Draft, Tip, TipState
from knowledge import FEDERATION as AMONG_CO_OPS
from knowledge import Audience, Document, Kind, Passage
from tests.adapters.conftest import needs_browser
from tests.adapters.console.conftest import ADMIN, PASSWORD, Desk

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = [needs_browser, pytest.mark.browser, pytest.mark.long]

KENBAN = "kenban"
OF_KENBAN = Grant(Role.COORDINATOR, KENBAN)
NEW_PASSWORD = "あぜ道 とうふ 笛の音"
SHOWN = """e => {
    const style = getComputedStyle(e), at = e.getBoundingClientRect();
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && at.width > 0 && at.height > 0
        && at.bottom > 0 && at.right > 0 && at.top < innerHeight && at.left < innerWidth;
}"""


@dataclass(frozen=True, slots=True)
class Keyboard:
    """Somebody at a page who has no mouse."""

    page: Page

    def open(self, address: str) -> None:
        self.page.goto(address)

    def name(self) -> str:
        """What a screen reader calls the element that has the focus, as the browser computes it."""
        devtools = self.page.context.new_cdp_session(self.page)
        focused = devtools.send("Runtime.evaluate", {"expression": "document.activeElement"})["result"]["objectId"]
        node = devtools.send("Accessibility.getPartialAXTree", {"objectId": focused, "fetchRelatives": False})["nodes"][0]
        devtools.detach()
        return " ".join(str(node.get("name", {}).get("value", "")).split())

    def to(self, name: str, *, back: bool = False, within: int = 120) -> None:
        """Walk to what has a name that begins like this pattern. The focus is seen at every step."""
        passed = []
        for _ in range(within):
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            passed.append(self.name())
            if self.page.evaluate("document.activeElement === document.body"):
                continue  # past the end: the browser's own buttons, then the page again
            assert self.page.evaluate(f"({SHOWN})(document.activeElement)"), f"the focus is not seen on {passed[-1]}"
            if re.match(name, passed[-1]):
                return
        raise AssertionError(f"no way to {name} among {list(dict.fromkeys(passed))}")

    def press(self, name: str, *, back: bool = False) -> None:
        """A button or a link that leads to a page."""
        self.to(name, back=back)
        with self.page.expect_navigation(wait_until="load"):
            self.page.keyboard.press("Enter")

    def unfold(self, name: str) -> None:
        self.to(name)
        self.page.keyboard.press("Enter")
        assert self.page.evaluate("document.activeElement.parentElement.open"), name

    def write(self, name: str, text: str) -> None:
        """Into a field, over what stands there."""
        self.to(name)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def choose(self, name: str, option: str) -> None:
        """One of a list, by the arrow keys."""
        self.to(name)
        self.page.keyboard.press("Home")
        for _ in range(40):
            if option in self.page.evaluate("document.activeElement.selectedOptions[0].text"):
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{option} is not among {name}")

    def undo(self) -> None:
        """What was done has the focus, and the way back is the next thing."""
        assert self.page.evaluate("document.activeElement.id") == "said"
        self.press("もとにもどす")


@pytest.fixture(scope="module")
def co_op(_desk: Desk) -> Iterator[None]:
    """A co-op whose list has nothing of other tests."""
    _desk.yui.members.put_co_op(CoOp(KENBAN, "けんばん組合", "長野県飯山市", ("清掃",)))
    _desk.yui.store.joined("line", f"line:group-{KENBAN}", "Ckenban", _desk.yui.clock())
    _desk.yui.members.link(f"line:group-{KENBAN}", KENBAN)
    yield
    _desk.yui.members.remove_co_op(KENBAN)


@pytest.fixture
def keyboard(co_op: None, window: Callable[..., BrowserContext]) -> Callable[..., Keyboard]:  # noqa: ARG001
    def sit_down(name: str, *grants: Grant, language: str = "ja") -> Keyboard:
        page = window(name, *grants, language=language).new_page()
        page.emulate_media(reduced_motion="reduce")  # what is scrolled to is there at once
        return Keyboard(page)

    return sit_down


def offered(desk: Desk, text: str) -> Tip:
    draft = Draft(text=text, audience=Audience.of(AMONG_CO_OPS))
    return desk.yui.curation.offer(draft, author="line:giver-at-the-keys", conversation=f"line:group-{KENBAN}", co_op=KENBAN)


def state(desk: Desk, tip: Tip) -> TipState:
    found = desk.yui.curation.tip(tip.id, "cli:tests")
    assert found
    return found.state


def waiting(desk: Desk) -> list[str]:
    """The tips of this file's co-op that stand in the week's list."""
    return [i.id for i in desk.yui.agenda.items("cli:tests") if getattr(i.about, "co_op", "") == KENBAN]


def put(desk: Desk, document_id: str, title: str, short: str) -> str:
    passage = Passage(document_id, title, short, asks=(f"{title}は?",))
    document = Document(document_id, Kind.SURVEY, title, "けんばんのしらべ", (passage,), audience=Audience.of("public"))
    desk.yui.knowledge.upsert([document], f"papers of {document_id}")
    return document_id


def short_of(desk: Desk, document_id: str) -> str:
    found = desk.yui.entries.entry("cli:tests", document_id)
    assert found
    return found.content.parts[0].short


# 今週の15分


def test_a_question_is_answered(desk: Desk, keyboard: Callable[..., Keyboard]) -> None:
    desk.yui.questions.record(
        "鍵盤で答える畳の張り替えはいくらでしたか", asker="line:a", conversation=f"line:group-{KENBAN}", co_op=KENBAN, nearest=()
    )
    keys = keyboard("宇津木 こずえ", OF_KENBAN)
    keys.open("/console/")
    keys.unfold("答える")
    keys.write("答え", "畳の張り替えは、6畳で2万8千円でした。")
    keys.press("公開する")
    account = next(u.account for u in desk.yui.sign_in.users() if u.name == "宇津木 こずえ")
    scope = desk.yui.members.audience(account, account, group=False)
    assert [t.state for t in desk.yui.curation.mine(account)] == [TipState.PUBLISHED]
    assert "2万8千円" in str(desk.yui.search.find("畳の張り替えはいくら", scope, 5))
    keys.undo()
    assert [t.text for t in desk.yui.questions.topics(account)] == ["鍵盤で答える畳の張り替えはいくらでしたか"]
    keys.press("閉じる: 鍵盤で答える")
    assert desk.yui.questions.topics(account) == []
    keys.press("公開: 畳の張り替え")  # what was typed had stayed, as a tip
    assert waiting(desk) == []


def test_tips_are_asked_about_declined_merged_put_off_handed_over_and_taken_back(
    desk: Desk, keyboard: Callable[..., Keyboard]
) -> None:
    other, _ = desk.session("穂刈 みどりこ", OF_KENBAN)
    keys = keyboard("西脇 はるえ", OF_KENBAN)
    tip = offered(desk, "窓ふきは、曇りの日にすると、すじが残りませんでした。")
    keys.open("/console/")
    keys.press("あとで: 窓ふき")
    assert waiting(desk) == []
    keys.undo()
    assert waiting(desk) == [tip.id]
    keys.unfold("ほかの人にたのむ")
    keys.choose("たのむ人", "穂刈")
    keys.press("ほかの人にたのむ")
    found = desk.yui.curation.tip(tip.id, "cli:tests")
    assert found
    assert desk.yui.curation.verifier_of(found) == other
    keys.undo()
    keys.unfold("たずねる")
    keys.write("書いた人にたずねること", "どんな布でふきましたか")
    keys.press("たずねる")
    assert state(desk, tip) is TipState.ASKED_BACK
    keys.undo()
    keys.unfold("見送る")
    keys.write("見送る理由", "前に聞いた話と同じでした")
    keys.press("見送る")
    assert state(desk, tip) is TipState.DECLINED
    first, second = (offered(desk, f"油汚れの床は、重曹のお湯を10分おいてからこすると落ちました{end}") for end in "。！")
    desk.yui.curation.decide(first.id, 1, Action.PUBLISH, "cli:tests")
    keys.open("/console/")
    keys.page.locator("[data-load] details").wait_for()
    keys.press("このコツにまとめる: 油汚れ")
    assert state(desk, second) is TipState.MERGED
    keys.undo()
    keys.press("公開: 油汚れ")
    assert state(desk, second) is TipState.PUBLISHED


def test_what_comes_later_does_not_take_the_focus_away(desk: Desk, keyboard: Callable[..., Keyboard]) -> None:
    tip = offered(desk, "換気扇の羽根は、外してから米ぬかの袋でふくと早く済みました。")
    keys, coming = keyboard("北安 すずよ", OF_KENBAN), []
    keys.page.route("**/console/week/similar*", lambda route: coming.append(route))
    keys.open("/console/")
    keys.to("似たコツを見る")
    keys.page.wait_for_timeout(100)
    coming[0].fulfill(status=200, body="<details open><summary>似たコツ 1件</summary>同じ</details>")
    keys.page.get_by_text("似たコツ 1件").wait_for()
    assert keys.name() == "似たコツ 1件"
    keys.press("公開: 換気扇")
    assert state(desk, tip) is TipState.PUBLISHED


# 知識


def test_knowledge_is_sought_mended_and_put_back(desk: Desk, keyboard: Callable[..., Keyboard]) -> None:
    document = put(desk, "kenban-mop", "モップの置き場所", "モップは階段の下です。")
    keys = keyboard("梓川 ふみよ", ADMIN)
    keys.open("/console/knowledge")
    keys.write("質問や言葉で探す", "モップの置き場所はどこ")
    keys.press("探す")
    keys.press("モップの置き場所")
    keys.write("短い答え", "モップは玄関のわきです。")
    keys.press("保存する")
    assert short_of(desk, document) == "モップは玄関のわきです。"
    keys.press("変えた記録")
    keys.press("この文にもどす: 0")
    assert short_of(desk, document) == "モップは階段の下です。"
    keys.undo()
    assert short_of(desk, document) == "モップは玄関のわきです。"


def test_words_a_file_in_and_a_file_out(desk: Desk, keyboard: Callable[..., Keyboard]) -> None:
    keys = keyboard("麻績 ちかこ", ADMIN)
    keys.open("/console/knowledge")
    keys.press("言いかえの表")
    keys.write("組合員の言い方", "ぽかぽか積立")
    keys.write("知識の言葉", "準備金")
    keys.press("足す")
    assert ("ぽかぽか積立", "準備金") in [(s.said, s.meant) for s in desk.yui.synonyms.own()]
    keys.undo()
    assert "ぽかぽか積立" not in [s.said for s in desk.yui.synonyms.own()]
    keys.press("知識$")
    keys.press("ファイルから入れる")
    keys.to("ファイル")
    # Enter opens the operating system's own window here, which no page and no test can steer: the file is handed in instead.
    table = "題,短い答え\nけんばんのたわし,たわしは2つあります。\n".encode()
    keys.page.set_input_files("input[type=file]", {"name": "けんばん.csv", "mimeType": "text/csv", "buffer": table})
    keys.choose("見られる人", "けんばん組合")
    keys.press("送って、次へ")
    keys.press("入れる")
    deadline = time.monotonic() + 180
    while True:
        [job] = [j for j in desk.yui.imports.jobs("cli:tests") if j.name == "けんばん.csv"]
        if job.state != "running" or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    assert (job.state, job.report.added, job.audience) == ("done", 1, f"coop:{KENBAN}")
    keys.page.get_by_text("こう変わりました").wait_for()
    keys.press("知識$")
    keys.press("ファイルに出す")
    keys.choose("どの組合", "けんばん組合")
    keys.to("JSONで取る")
    with keys.page.expect_download() as coming:
        keys.page.keyboard.press("Enter")
    assert "たわしは2つあります。" in coming.value.path().read_text("utf-8")


# 質問の記録


def test_the_record_is_filtered_and_counted(desk: Desk, keyboard: Callable[..., Keyboard]) -> None:
    for n, text in enumerate(("けんばんの雨どいの掃除は?", "けんばんの網戸は?")):
        desk.yui.store.add_answer(f"keys-{n}", answered=n == 0, confidence=0.9, passages=[], now=desk.yui.clock())
        desk.yui.asked.record(
            f"keys-{n}", text, language="ja", asker="line:a", conversation="line:g", co_op=KENBAN, answered=n == 0, passages=[]
        )
    keys = keyboard("上條 のぶえ", OF_KENBAN)
    account = next(u.account for u in desk.yui.sign_in.users() if u.name == "上條 のぶえ")
    keys.open("/console/record")
    keys.unfold("しぼりこむ")
    keys.choose("答えられたか", "答えられなかった")
    keys.write("言葉", "網戸")
    keys.press("この条件で見る")
    held = desk.yui.asked.search(account, Filters(text="網戸", answered=False), 0, 50)
    assert keys.page.locator(".words").all_inner_texts() == [q.text for q in held] == ["けんばんの網戸は?"]
    keys.press("多い・少ないをグラフで見る")
    keys.press("分野")
    keys.unfold("同じ数を表で見る")
    assert keys.page.get_by_role("rowheader", name="清掃").is_visible()


# 組合と人


def test_a_co_op_an_invitation_a_role_and_a_groups_code(desk: Desk, keyboard: Callable[..., Keyboard]) -> None:
    other, _ = desk.session("会染 とみこ", OF_KENBAN)
    keys = keyboard("豊科 ますえ", ADMIN)
    keys.open("/console/people")
    keys.press("組合を加える")
    keys.write("ID", "kenban-two")
    keys.write("組合の名前", "けんばん第二組合")
    keys.to("ほかの組合から見つけられる")
    keys.page.keyboard.press("Space")
    keys.press("この組合を加える")
    made = desk.yui.members.co_op("kenban-two")
    assert made
    assert (made.name, made.findable) == ("けんばん第二組合", False)
    keys.press("グループをつなぐ言葉を作る")
    code = re.search(r"連携 ([A-Z0-9-]+)", keys.page.inner_text("main .card"))
    assert code
    assert desk.yui.members.redeem(code[1], "line:x", "line:kenban-two-group", group=True)[1] == "kenban-two"
    keys.to("係")
    keys.page.keyboard.press("Space")
    for role in ("組合員", "協力団体"):
        keys.page.keyboard.press("ArrowDown")
        assert keys.name().startswith(role)
    keys.page.keyboard.press("ArrowUp")
    keys.page.keyboard.press("ArrowUp")
    keys.press("招待リンクを作る")
    token = re.search(r"token=(\S+)", keys.page.inner_text("main .card"))
    assert token
    offer = desk.yui.sign_in.link(token[1])
    assert offer
    assert (offer.role, offer.co_op) == ("coordinator", "kenban-two")
    keys.open(f"/console/people/person?account={other}")
    keys.choose("役割", "協力団体")
    keys.choose("組合", "けんばん第二組合")
    keys.press("この役割を渡す")
    assert desk.yui.members.grants(other) == {OF_KENBAN, Grant(Role.PARTNER, "kenban-two")}
    keys.press("はずす: 協力団体")
    assert desk.yui.members.grants(other) == {OF_KENBAN}
    keys.undo()
    assert desk.yui.members.grants(other) == {OF_KENBAN, Grant(Role.PARTNER, "kenban-two")}
    keys.open("/console/people/co-op/remove?id=kenban-two")
    keys.press("この組合を消す")
    assert desk.yui.members.co_op("kenban-two") is None


# 設定と安全


def test_a_backup_and_the_checks(desk: Desk, keyboard: Callable[..., Keyboard]) -> None:
    from playwright.sync_api import expect

    keys = keyboard("明科 しげの", ADMIN)
    account = next(u.account for u in desk.yui.sign_in.users() if u.name == "明科 しげの")
    keys.open("/console/safety")
    keys.press("控えを作る")
    expect(keys.page.locator("[data-going-on]")).to_have_count(0, timeout=60_000)
    keys.to("控えを受け取る")
    with keys.page.expect_download() as coming:
        keys.page.keyboard.press("Enter")
    assert coming.value.path().read_bytes().startswith(b"PK")
    keys.press("「設定と安全」へもどる")
    keys.press("点検をはじめる")
    expect(keys.page.locator("[data-going-on]")).to_have_count(0, timeout=60_000)
    assert keys.page.get_by_text("データを置く場所").is_visible()
    assert {"backup.make", "backup.fetch", "checks.start"} <= {d.action for d in desk.yui.audit.entries(account, by=account)}


# お知らせ


def test_an_announcement_is_written_priced_and_sent(desk: Desk, keyboard: Callable[..., Keyboard]) -> None:
    keys = keyboard("松川 よしえ", OF_KENBAN)
    account = next(u.account for u in desk.yui.sign_in.users() if u.name == "松川 よしえ")
    keys.open("/console/announcements")
    keys.press("お知らせを書く")
    keys.write("題名", "けんばんの大そうじ")
    keys.write("本文", "9時に集会所へ来てください。")
    keys.to("すべての場所に送る")
    keys.page.keyboard.press("Space")
    keys.unfold("送り先をしぼる")
    keys.to("けんばん組合")
    keys.page.keyboard.press("Space")
    keys.to("無料だけ")
    keys.page.keyboard.press("ArrowDown")
    assert keys.name().startswith("無料で、残りは決めた日に")
    keys.page.keyboard.press("ArrowUp")
    keys.press("保存して、届き方を見る")
    [made] = desk.yui.announcements.all(account)
    assert (made.content.title, made.selection.everyone, made.selection.co_ops) == ("けんばんの大そうじ", False, (KENBAN,))
    assert made.state is State.DRAFT
    main = keys.page.inner_text("main")
    for shown in ("9時に集会所へ来てください。", "けんばん組合", "1か所", "使いません"):
        assert shown in main
    keys.press("ほかの人に見てもらう")
    assert desk.yui.announcements.get(made.id, account).state is State.PROPOSED
    second = keyboard("生坂 ともこ", OF_KENBAN)
    second.open("/console/announcements")
    second.press("けんばんの大そうじ")
    second.press("よいので送る")
    assert desk.yui.announcements.get(made.id, account).state in (State.SCHEDULED, State.SENDING)
    second.press("取り消す")
    assert desk.yui.announcements.get(made.id, account).state is State.WITHDRAWN


# わたしの設定


def test_ones_own_account(desk: Desk, keyboard: Callable[..., Keyboard]) -> None:
    keys = keyboard("池田 ひさの", OF_KENBAN)
    account = next(u.account for u in desk.yui.sign_in.users() if u.name == "池田 ひさの")
    keys.open("/console/")
    keys.press("池田 ひさのさん")
    keys.write("いまのパスワード", "おぼえちがい です")
    keys.write("新しいパスワード \\(", NEW_PASSWORD)
    keys.write("新しいパスワードを、もう一度", NEW_PASSWORD)
    keys.press("パスワードを変える")
    assert keys.name().startswith("いまのパスワード"), "what is wrong has the focus"
    keys.to("新しいパスワード", within=1)
    keys.to("いまのパスワード", back=True, within=1)
    keys.write("新しいパスワード \\(", "")
    keys.to("いまのパスワード", back=True, within=1)
    keys.page.keyboard.insert_text(PASSWORD)
    keys.write("新しいパスワード \\(", NEW_PASSWORD)
    keys.write("新しいパスワードを、もう一度", NEW_PASSWORD)
    keys.press("パスワードを変える")
    desk.yui.sign_in.sign_in("池田 ひさの", NEW_PASSWORD, "a phone", "::1")
    keys.open("/console/account")
    keys.press("ほかのブラウザーから出る")
    assert len(desk.yui.sign_in.sessions_of(account)) == 1
    given = desk.yui.members.code(Purpose.MERGE, account="line:ikeda-at-the-keys")
    keys.write("コード$", given)
    keys.press("このコードでつなぐ")
    assert desk.yui.members.grants("line:ikeda-at-the-keys") == {OF_KENBAN}
    keys.press("English", back=True)
    assert [s.current for s in desk.yui.sign_in.sessions_of(account)] == [False]
    assert keys.page.locator("html").get_attribute("lang") == "en"
    keys.press("Sign out", back=True)
    assert desk.yui.sign_in.sessions_of(account) == []


def test_the_way_past_the_menu(keyboard: Callable[..., Keyboard]) -> None:
    """The first thing on a page leads to what it is about, and the next Tab goes on from there."""
    keys = keyboard("小谷 やすよ", OF_KENBAN)
    keys.open("/console/record")
    keys.to("本文へ", within=1)
    keys.page.keyboard.press("Enter")
    keys.to("多い・少ないをグラフで見る", within=1)
