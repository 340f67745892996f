"""The chat page in a real Chromium: phone and desk, keyboard, larger type, accessibility."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.adapters.conftest import needs_browser
from tests.adapters.test_web import address

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["address"]  # the fixture of the web tests: a real server

pytestmark = [pytest.mark.browser, needs_browser]

TOLD = "article.bot:not(.waiting)"


@pytest.fixture(params=[360, 1280])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": request.param, "height": 740}, locale="ja-JP")
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: troubles.append(str(e)))
    page.goto(address)
    yield page
    context.close()
    assert troubles == []


def ask(page: Page, question: str) -> str:
    before = page.locator(TOLD).count()
    page.get_by_label("質問", exact=True).fill(question)
    page.get_by_role("button", name="送る").click()
    expect(page.locator(TOLD)).to_have_count(before + 1)
    return page.locator("article.bot").last.inner_text()


def test_a_question_gets_its_answer_and_its_source(page: Page) -> None:
    told = ask(page, "労協は何人から作れますか")
    assert "3人" in told
    assert page.locator("article.bot").last.get_by_role("link").first.get_attribute("href").startswith("https://")  # type: ignore[union-attr]


def test_a_button_goes_on_and_a_rating_is_kept(page: Page) -> None:
    ask(page, "総会の招集は何日前まで?")
    before = page.locator(TOLD).count()
    page.get_by_role("button", name="やさしい日本語で").last.click()
    expect(page.locator(TOLD)).to_have_count(before + 1)
    good = page.get_by_role("button", name="役に立った").last
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="ちがった").last).to_have_attribute("aria-pressed", "false")


def test_by_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "質問の欄へ"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.get_by_label("質問", exact=True).focus()
    page.keyboard.insert_text("監事の任期は?")
    page.keyboard.press("Enter")
    page.get_by_text("4年", exact=False).first.wait_for()
    assert page.evaluate("document.activeElement.id") == "question"


def test_nothing_is_wider_than_the_screen_also_in_larger_type(page: Page) -> None:
    ask(page, "https://example.org/" + "a" * 200 + " は何ですか")
    page.get_by_role("button", name="字を大きく").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    assert page.get_by_role("button", name="字を大きく").get_attribute("aria-pressed") == "true"
    page.reload()
    assert page.evaluate("document.documentElement.classList.contains('larger')")


def test_what_is_typed_stays_text(page: Page) -> None:
    ask(page, "<img src=x onerror=alert(1)>")
    assert page.locator("article img").count() == 0


def test_a_lost_connection_keeps_what_was_written(browser: Browser, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    context.set_offline(True)
    assert "もう一度" in ask(page, "理事は何人?")
    assert page.get_by_label("質問", exact=True).input_value() == "理事は何人?"
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_violation_of_accessibility(page: Page, theme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    ask(page, "労協は何人から作れますか")
    ask(page, "組合のユニフォームの総会での洗濯の当番表")
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]})
    assert found.violations_count == 0, found.generate_report()
    page.goto(page.url + "api/docs")
    described = Axe().run(page)
    assert described.violations_count == 0, described.generate_report()


def test_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    page.get_by_label("質問", exact=True).fill("監事の任期は?")
    page.get_by_role("button", name="送る").click()
    assert "4年" in page.locator("article.bot").last.inner_text()
    assert not page.get_by_role("button", name="字を大きく").is_visible()
    context.close()
