"""What can go wrong on the way to the server: nothing is lost, and it is said what to do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.extension.chromium import Extension, eventually
from tests.browser.extension.fault_proxy import FaultProxy
from tests.browser.extension.overlay_asserts import UNDER_WAY, VERDICTS, Overlay
from tests.browser.extension.web import Web

OpenPage = Callable[..., Page]
Face = Callable[..., bytes]
Ask = Callable[[], tuple[Page, Overlay]]
IMG = '<img id="target" src="{face}" width="400" height="400" alt="">'


@pytest.fixture
def ask(extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face) -> Ask:
    """Asks for a check of a picture on a page."""

    def ask_one() -> tuple[Page, Overlay]:
        page = open_page(IMG.replace("{face}", web.put(face())))
        extension.check(page, page.locator("#target"), told=True)
        return page, Overlay(page, proxy.url)

    return ask_one


@pytest.fixture
def offline(proxy: FaultProxy) -> Iterator[None]:
    proxy.go_offline()
    yield
    if not proxy.listens:
        proxy.come_back()


#: Where a request is held while the worker dies: as the picture is sent, and as its end is awaited.
@pytest.mark.parametrize("match", [r"POST /v1/checks\b", r"GET /v1/checks/[^/?]+$"])
def test_a_worker_that_dies_still_comes_to_one_verdict(
    ask: Ask, extension: Extension, proxy: FaultProxy, match: str
) -> None:
    proxy.hold(match)
    page, overlay = ask()
    expect(overlay.chip).to_have_attribute("data-state", UNDER_WAY)
    eventually(lambda: asked(proxy, match), pause=page.wait_for_timeout)
    extension.stop_worker()
    proxy.release()
    overlay.verdict()
    told = page.evaluate(
        """() => new Promise((resolve) => {
          const states = [], chip = document.querySelector('unmask-page').shadowRoot
            .querySelector('[data-part=chip]');
          new MutationObserver(() => states.push(chip.dataset.state))
            .observe(chip, { attributeFilter: ['data-state'] });
          setTimeout(() => resolve(states), 1000);
        })"""
    )
    assert told == [], "the verdict came twice"
    assert overlay.chip.count() == 1
    ids = {one["id"] for one in listed(proxy)}
    check = overlay.chip.get_attribute("data-check")
    assert check in ids
    sums = Counter(one["sha256"] for one in listed(proxy))
    assert sums[overlay.report()["sha256"]] == 1, "the server was given the picture twice"


def asked(proxy: FaultProxy, match: str) -> None:
    assert any(re.match(match, f"{one.method} {one.path}") for one in proxy.received)


def listed(proxy: FaultProxy) -> list[dict[str, str]]:
    found: list[dict[str, str]] = httpx.get(f"{proxy.url}/v1/checks?limit=200").json()["checks"]
    return found


def test_an_offline_server_is_asked_again_by_the_button(
    offline: None, ask: Ask, proxy: FaultProxy
) -> None:
    _, overlay = ask()
    expect(overlay.chip).to_have_attribute("data-state", "error")
    expect(overlay.part("message")).to_contain_text(re.compile("server", re.IGNORECASE))
    expect(overlay.part("retry")).to_be_visible()
    proxy.come_back()
    overlay.part("retry").click()
    overlay.verdict()


def test_a_file_of_the_popup_is_tried_again_by_its_button(
    offline: None, extension: Extension, proxy: FaultProxy, face: Face, tmp_path: Path
) -> None:
    (tmp_path / "photo.jpg").write_bytes(face())
    popup = extension.page("popup.html")
    popup.locator("[data-part=file-input]").set_input_files(tmp_path / "photo.jpg")
    item = popup.locator("[data-part=recent-item]")
    expect(item).to_have_attribute("data-state", "error")
    proxy.come_back()
    item.locator("[data-part=retry]").click()
    expect(item).to_have_attribute("data-state", VERDICTS)


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (401, "key_needed", "key"),
        (403, "origin_refused", "extension"),
        (413, "too_many_bytes", "large"),
        (415, "not_a_picture", "picture"),
        (503, "queue_unavailable", "server"),
        (500, "internal", "wrong"),
        (507, "storage_full", "server|room|space"),
    ],
)
def test_what_the_server_refuses_is_said_in_words(
    ask: Ask, proxy: FaultProxy, status: int, code: str, words: str
) -> None:
    proxy.fail(status, code, times=99)
    _, overlay = ask()
    expect(overlay.chip).to_have_attribute("data-state", "error")
    expect(overlay.part("message")).to_contain_text(re.compile(words, re.IGNORECASE))
    said = overlay.part("message").inner_text()
    assert code not in said and str(status) not in said
    proxy.faults.clear()
    if code != "too_many_bytes":
        overlay.part("retry").click()
        overlay.verdict()


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limited"), (503, "busy")])
def test_a_busy_server_is_asked_again_when_it_said(
    ask: Ask, proxy: FaultProxy, status: int, code: str
) -> None:
    proxy.fail(status, code, Retry_After="2")
    _, overlay = ask()
    overlay.verdict()
    assert len(proxy.checks()) == 2


def test_a_limit_while_the_end_is_awaited_costs_no_second_check(
    ask: Ask, proxy: FaultProxy
) -> None:
    proxy.fail(429, "rate_limited", match=r"GET /v1/checks/[^/?]+$", Retry_After="2")
    _, overlay = ask()
    overlay.verdict()
    assert len(proxy.checks()) == 1


def test_a_long_wait_is_told_and_can_be_cut_short(ask: Ask, proxy: FaultProxy) -> None:
    proxy.fail(429, "rate_limited", Retry_After="600")
    page, overlay = ask()
    eventually(lambda: one_asked(proxy), pause=page.wait_for_timeout)
    expect(overlay.part("message")).not_to_be_empty()
    expect(overlay.part("countdown")).to_contain_text(re.compile(r"\d"))
    overlay.part("retry").click()
    overlay.verdict()


def one_asked(proxy: FaultProxy) -> None:
    assert len(proxy.checks()) == 1


def test_a_proxy_that_answers_in_words_of_its_own_does_no_harm(ask: Ask, proxy: FaultProxy) -> None:
    proxy.fail(502, "<html>", times=99, Content_Type="text/html")
    _, overlay = ask()
    expect(overlay.chip).to_have_attribute("data-state", "error")
    proxy.faults.clear()
    overlay.part("retry").click()
    overlay.verdict()


def test_a_page_that_navigates_away_finds_its_verdict_in_the_popup(
    ask: Ask, extension: Extension, proxy: FaultProxy, web: Web
) -> None:
    proxy.hold()
    page, _ = ask()
    eventually(lambda: one_asked(proxy), pause=page.wait_for_timeout)
    page.goto(web.page("<p>Elsewhere"))
    proxy.release()
    popup = extension.page("popup.html")
    item = popup.locator("[data-part=recent-item]")
    expect(item).to_have_count(1)
    expect(item.locator("img")).to_have_js_property("complete", True)
    assert page.locator("unmask-page [data-part=chip]").count() == 0


def test_a_closed_tab_does_not_stop_the_worker(ask: Ask, proxy: FaultProxy) -> None:
    proxy.hold()
    page, _ = ask()
    eventually(lambda: one_asked(proxy), pause=page.wait_for_timeout)
    page.close()
    proxy.release()
    _, overlay = ask()
    overlay.verdict()
