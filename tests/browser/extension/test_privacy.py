"""Nothing goes anywhere but to the user's own server and the picture's own address."""

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.extension.chromium import Extension
from tests.browser.extension.fault_proxy import FaultProxy
from tests.browser.extension.overlay_asserts import Overlay
from tests.browser.extension.web import PAGES, PICTURES, Web

OpenPage = Callable[..., Page]
Face = Callable[..., bytes]


def test_only_the_server_and_the_picture_are_asked(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    extension.reset(serverUrl=proxy.url, apiKey="")
    address = web.put(face(altered=True))
    page = open_page(f'<img id="target" src="{address}" width="400" height="400" alt="">')
    page.wait_for_load_state("networkidle")
    web.asked.clear()
    extension.check(page, page.locator("#target"), told=True)
    overlay = Overlay(page, proxy.url)
    overlay.verdict()
    overlay.part("heatmap-switch").click()
    popup = extension.page("popup.html")
    expect(popup.locator("[data-part=recent-item]")).to_have_count(1)
    asked = {(one.method, web.url(one.host, one.path)) for one in web.asked}
    assert asked <= {("GET", address)}
    assert all(
        one.path.startswith(("/v1/checks", "/v1/key", "/readyz", "/v1/model", "/healthz"))
        for one in proxy.received
    )
    for one in proxy.received:
        text = json.dumps([one.path, one.headers]) + one.body.decode("latin-1")
        for name in (PAGES, PICTURES, "Cookie", "Referer"):
            assert name not in text, f"{name} was sent to {one.path}"


def test_the_key_goes_to_the_server_alone(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    secret = "um_" + "s" * 40
    extension.reset(serverUrl=proxy.url, apiKey=secret)
    page = open_page(f'<img id="target" src="{web.put(face())}" width="400" height="400" alt="">')
    proxy.fail(401, "key_needed", times=99)
    extension.check(page, page.locator("#target"), told=True)
    expect(Overlay(page, proxy.url).chip).to_have_attribute("data-state", "error")
    assert [one.headers.get("Authorization") for one in proxy.checks()] == [f"Bearer {secret}"]
    assert all(secret not in json.dumps(one.headers) for one in web.asked)
    assert secret not in page.content()
    assert secret not in page.evaluate(
        "() => document.querySelector('unmask-page').shadowRoot.innerHTML"
    )


def test_a_page_cannot_speak_to_the_extension(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage
) -> None:
    page = open_page("<p>A page")
    found = page.evaluate(
        """async (id) => {
          const said = [typeof globalThis.chrome?.runtime?.sendMessage];
          for (const file of ['manifest.json', 'popup.html', 'options.html']) {
            const asked = fetch(`chrome-extension://${id}/${file}`);
            said.push(await asked.then(() => 'read', () => 'refused'));
          }
          return said;
        }""",
        extension.base.rpartition("/")[2],
    )
    assert found == ["undefined", "refused", "refused", "refused"]


def test_the_calls_of_our_own_pages_are_closed_to_scripts_in_web_pages(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage
) -> None:
    """As if a page had taken over the script in it."""
    page = open_page("<p>A page")
    answers = extension.worker.evaluate(
        """async (url) => {
          const tab = (await chrome.tabs.query({})).find((one) => one.url === url);
          const [done] = await chrome.scripting.executeScript({
            target: { tabId: tab.id },
            func: async () => {
              const ask = (message) => chrome.runtime.sendMessage(message).catch(String);
              return [
                await ask({ call: 'history/clear', request: {} }),
                await ask({ call: 'toString', request: {} }),
                await ask('nonsense'),
              ];
            },
          });
          return done.result;
        }""",
        page.url,
    )
    assert all("refused" in answer and "value" not in answer for answer in answers), answers


def test_what_is_stored_is_closed_to_scripts_in_web_pages(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage
) -> None:
    """The key and the history, even if a page had taken over the script in it."""
    secret = "um_" + "s" * 40
    extension.reset(serverUrl=proxy.url, apiKey=secret)
    page = open_page("<p>A page")
    found = extension.worker.evaluate(
        """async (url) => {
          const tab = (await chrome.tabs.query({})).find((one) => one.url === url);
          const [done] = await chrome.scripting.executeScript({
            target: { tabId: tab.id },
            func: () => Promise.all(["local", "session"].map((area) =>
              chrome.storage[area].get().then((kept) => JSON.stringify(kept), () => "refused"))),
          });
          return done.result;
        }""",
        page.url,
    )
    assert found == ["refused", "refused"]
