"""The options: what is saved was tried, and every language has all its texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.extension.chromium import Extension
from tests.browser.extension.fault_proxy import FaultProxy
from tests.browser.extension.web import PAGES, Web
from tests.browser.test_page import new_key
from tests.server.server_process import Service, served_in_thread

LANGUAGES = ("en", "es", "fr", "de", "hi", "te")


@pytest.fixture
def options(extension: Extension) -> Page:
    return extension.page("options.html")


@pytest.fixture(scope="module")
def locked(real_service: Service, chrome_id: str) -> Iterator[str]:
    """A server that asks for keys."""
    origins = f"chrome-extension://{chrome_id}"
    with served_in_thread(real_service, api_keys="required", extension_origins=origins) as url:
        yield url


def save(page: Page, state: str) -> None:
    page.locator("#save").click()
    expect(page.locator("#save-result")).to_have_attribute("data-state", state)
    expect(page.locator("#save-result")).not_to_be_empty()


def test_a_good_server_is_saved(options: Page, extension: Extension, proxy: FaultProxy) -> None:
    options.locator("#server-url").fill(f"{proxy.url}/")
    options.locator("#minimum-size").fill("150")
    options.locator("#at-once").fill("5")
    options.locator("#keep-history").uncheck()
    save(options, "ok")
    assert extension.kept("local", "settings") == {
        "serverUrl": proxy.url, "apiKey": "", "minimumSize": 150, "atOnce": 5,
        "keepHistory": False, "language": "",
            "teamConfirmed": False, "teamPage": True,
    }  # fmt: skip
    options.reload()
    expect(options.locator("#server-url")).to_have_value(proxy.url)
    expect(options.locator("#at-once")).to_have_value("5")


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "nonsense://x", ""])
def test_what_does_not_answer_is_said_so(options: Page, address: str) -> None:
    options.locator("#server-url").fill(address)
    save(options, "error")


def test_a_server_of_another_kind_is_told_from_ours(options: Page, web: Web) -> None:
    options.locator("#server-url").fill(web.url(PAGES, ""))
    save(options, "error")
    expect(options.locator("#save-result")).to_contain_text("Unmask")


def test_a_wrong_key_is_told_from_a_good_one(
    options: Page, extension: Extension, locked: str, real_service: Service
) -> None:
    options.locator("#server-url").fill(locked)
    for wrong in ("", "um_wrong"):
        options.locator("#api-key").fill(wrong)
        save(options, "error")
        expect(options.locator("#save-result")).to_contain_text(re.compile("key", re.IGNORECASE))
    key = new_key(real_service)
    options.locator("#api-key").fill(key)
    save(options, "ok")
    assert options.locator("#api-key").get_attribute("type") == "password"
    assert extension.kept("local", "settings")["apiKey"] == key
    synced = extension.worker.evaluate(
        "async () => JSON.stringify(await chrome.storage.session.get())"
    )
    assert key not in synced
    popup = extension.page("popup.html")
    expect(popup.locator("[data-part=server-state]")).to_have_attribute("data-state", "ready")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_all_its_texts(
    options: Page, extension: Extension, proxy: FaultProxy, build: Path, language: str
) -> None:
    options.locator("#server-url").fill(proxy.url)
    options.locator("#language").select_option(language)
    save(options, "ok")
    for name in ("options.html", "popup.html"):
        page = extension.page(name)
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("[data-text]").first).not_to_be_empty()  # the page begins in English
        catalogue = json.loads((build / "test/_locales" / language / "messages.json").read_text())
        texts = {text["message"] for text in catalogue.values()}
        labels = page.locator(":is(h1, h2, label, button:not([data-part=server-state])):visible")
        for label in labels.all_inner_texts():
            assert label.strip() in texts | {"Unmask", ""}
        missing = page.evaluate(
            """() => [...document.querySelectorAll('[data-i18n], button, label, h1, h2, a')]
              .filter((node) => !node.hidden && node.checkVisibility()
                && !node.textContent.trim() && !node.getAttribute('aria-label') && !node.title)
              .map((node) => node.outerHTML)"""
        )
        assert missing == []
        text = page.locator("body").inner_text()
        assert not re.search(r"__MSG|undefined|\b[a-z]+_[a-z_]+\b|\$\d", text), text


def test_it_is_accessible_and_fits(options: Page, extension: Extension) -> None:
    for scheme in ("light", "dark"):
        for width in (320, 1000):
            for name in ("options.html", "popup.html"):
                page = extension.page(name)
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.reload()
                page.set_viewport_size({"width": width, "height": 700})
                found = Axe().run(page)
                assert found.violations_count == 0, found.generate_report()
                assert page.evaluate("() => document.documentElement.scrollWidth") <= width
                page.close()


def test_the_keyboard_reaches_everything(options: Page) -> None:
    wanted = [
        "server-url",
        "api-key",
        "minimum-size",
        "at-once",
        "keep-history",
        "language",
        "save",
    ]
    options.evaluate("() => { document.activeElement?.blur(); window.scrollTo(0, 0) }")
    focused = []
    for _ in range(20):
        options.keyboard.press("Tab")
        focused.append(options.evaluate("() => document.activeElement.id"))
    assert set(wanted) <= set(focused)
