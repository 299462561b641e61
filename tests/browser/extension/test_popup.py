"""The toolbar's popup: the server's state, recent checks, and pictures from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.extension.chromium import Extension, eventually
from tests.browser.extension.fault_proxy import FaultProxy
from tests.browser.extension.overlay_asserts import VERDICTS, Overlay
from tests.browser.extension.web import Web
from tests.browser.test_page import DROP, PASTE, in_base64

OpenPage = Callable[..., Page]
Face = Callable[..., bytes]
RECENT = "[data-part=recent-item]"


def test_it_tells_the_state_of_the_server(extension: Extension, proxy: FaultProxy) -> None:
    for url, state in ((proxy.url, "ready"), ("http://127.0.0.1:9", "offline")):
        extension.reset(serverUrl=url)
        popup = extension.page("popup.html")
        expect(popup.locator("[data-part=server-state]")).to_have_attribute("data-state", state)
        expect(popup.locator("[data-part=server-state]")).not_to_be_empty()


def test_a_wrong_key_is_told(extension: Extension, proxy: FaultProxy) -> None:
    proxy.fail(401, "key_needed", match=".*", times=99)
    popup = extension.page("popup.html")
    state = popup.locator("[data-part=server-state]")
    expect(state).to_have_attribute("data-state", "unauthorized")


def test_files_come_in_by_every_way(
    extension: Extension, proxy: FaultProxy, face: Face, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{way}.jpg" for way in ("chosen", "dropped", "pasted")]
    for path in paths:
        path.write_bytes(face(altered=path.stem == "dropped"))
    popup = extension.page("popup.html")
    items = popup.locator(RECENT)
    popup.locator("[data-part=file-input]").set_input_files(paths[0])
    expect(items).to_have_count(1)
    popup.locator("[data-part=drop]").evaluate(DROP, [in_base64(str(paths[1]))])
    expect(items).to_have_count(2)
    popup.locator("body").evaluate(PASTE, in_base64(str(paths[2])))
    expect(items).to_have_count(3)
    for number in range(3):
        expect(items.nth(number)).to_have_attribute("data-state", VERDICTS)
        thumbnail = items.nth(number).locator("img, canvas").first
        expect(thumbnail).to_be_visible()
    sent = [one.sha256 for one in proxy.checks()]
    assert sent == [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    link = items.first.get_attribute("href") or ""
    assert link.startswith(f"{proxy.url}/c/")


def test_recent_checks_outlive_the_popup_until_they_are_cleared(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    page = open_page(f'<img id="target" src="{web.put(face())}" width="400" height="400" alt="">')
    extension.check(page, page.locator("#target"), told=True)
    Overlay(page, proxy.url).verdict()
    popup = extension.page("popup.html")
    expect(popup.locator(RECENT)).to_have_count(1)
    popup.reload()
    expect(popup.locator(RECENT)).to_have_count(1)
    popup.locator("[data-part=clear-history]").click()
    expect(popup.locator(RECENT)).to_have_count(0)
    popup.reload()
    expect(popup.locator(RECENT)).to_have_count(0)


def test_without_history_nothing_is_kept(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    extension.reset(serverUrl=proxy.url, keepHistory=False)
    page = open_page(f'<img id="target" src="{web.put(face())}" width="400" height="400" alt="">')
    extension.check(page, page.locator("#target"), told=True)
    Overlay(page, proxy.url).verdict()
    kept = extension.worker.evaluate("async () => Object.keys(await chrome.storage.local.get())")
    assert kept == ["settings"]


def test_the_popup_of_the_toolbar_checks_the_page_below(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    images = "".join(f'<img src="{web.put(face(size=256))}" width="150" alt="">' for _ in range(3))
    page = open_page(images)
    popup = extension.popup()
    ready = "document.querySelector('[data-part=server-state]')?.dataset.state"

    def is_ready() -> None:
        assert popup.evaluate(ready) == "ready"

    eventually(is_ready, pause=page.wait_for_timeout)
    popup.evaluate("document.querySelector('[data-part=check-page]').click()")
    overlay = Overlay(page, proxy.url)
    expect(overlay.part("page-item")).to_have_count(3)
    for number in range(3):
        expect(overlay.part("page-item").nth(number)).to_have_attribute("data-state", VERDICTS)


def test_its_buttons_lead_to_the_options(extension: Extension) -> None:
    popup = extension.page("popup.html")
    with extension.context.expect_page() as opened:
        popup.locator("[data-part=open-options]").click()
    expect(opened.value.locator("#server-url")).to_be_visible()
