"""Every picture of a page, a few at one time."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.extension.chromium import Extension, eventually
from tests.browser.extension.fault_proxy import FaultProxy
from tests.browser.extension.overlay_asserts import UNDER_WAY, VERDICTS, Overlay
from tests.browser.extension.web import Web

OpenPage = Callable[..., Page]
Face = Callable[..., bytes]
AT_ONCE = 4


@pytest.fixture
def pictures(face: Face) -> Callable[[int], list[bytes]]:
    """So many pictures, each third with a tampered face."""
    return lambda count: [face(altered=number % 3 == 0, size=256) for number in range(count)]


def gallery(web: Web, pictures: list[bytes], more: str = "") -> str:
    shown = (f'<img src="{web.put(one)}" width="130" height="130" alt="">' for one in pictures)
    return "".join(shown) + more


def test_thirty_pictures_are_checked_a_few_at_one_time(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face,
    pictures: Callable[[int], list[bytes]],
) -> None:  # fmt: skip
    extension.reset(serverUrl=proxy.url, atOnce=AT_ONCE)
    large = pictures(30)
    small = [face(size=64) for _ in range(3)]
    icons = "".join(f'<img src="{web.put(one)}" width="60" height="60" alt="">' for one in small)
    page = open_page(gallery(web, large, icons))
    extension.choose(page, "check-page")
    overlay = Overlay(page, proxy.url)
    items = overlay.part("page-item")
    expect(items).to_have_count(30)
    for number in range(30):
        expect(items.nth(number)).to_have_attribute("data-state", VERDICTS)
    sent = {one.sha256 for one in proxy.checks()}
    assert sent == {hashlib.sha256(one).hexdigest() for one in large}
    assert 1 < proxy.most_under_way <= AT_ONCE
    expect(overlay.chip).to_have_count(30)
    states = items.evaluate_all("items => items.map((item) => item.dataset.state)")
    filter_by_verdict(overlay, states)


def filter_by_verdict(overlay: Overlay, states: list[str]) -> None:
    chosen = overlay.part("page-filter")
    expect(chosen.first).to_be_visible()
    shown = overlay.part("page-item").locator("visible=true")
    if chosen.first.evaluate("node => node.tagName") == "SELECT":
        for state in sorted(set(states)):
            chosen.select_option(state)
            expect(shown).to_have_count(states.count(state))
    else:
        raise AssertionError("the filter is of a kind that this test does not know")


def test_cancel_ends_what_waits_and_keeps_what_is_known(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web,
    pictures: Callable[[int], list[bytes]],
) -> None:  # fmt: skip
    extension.reset(serverUrl=proxy.url, atOnce=2)
    page = open_page(gallery(web, pictures(12)))
    proxy.hold()
    extension.choose(page, "check-page")
    overlay = Overlay(page, proxy.url)
    expect(overlay.part("page-item")).to_have_count(12)
    expect(overlay.part("page-progress")).to_have_attribute("aria-valuemax", "12")
    eventually(lambda: two_asked(proxy), pause=page.wait_for_timeout)
    overlay.part("page-cancel").click()
    proxy.release()
    expect(page.locator("unmask-page [data-part=page-item]").filter(
        has=page.locator(":scope[data-state=waiting]"))).to_have_count(0)  # fmt: skip
    page.wait_for_load_state("networkidle")
    assert len(proxy.checks()) == 2


def two_asked(proxy: FaultProxy) -> None:
    assert len(proxy.checks()) == 2


def test_a_page_without_pictures_says_so(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage
) -> None:
    page = open_page("<p>Words alone.")
    extension.choose(page, "check-page")
    overlay = Overlay(page, proxy.url)
    expect(overlay.part("page-list")).to_be_visible()
    expect(overlay.part("page-item")).to_have_count(0)
    expect(overlay.part("page-list")).to_contain_text(re.compile("no ", re.IGNORECASE))


def test_the_least_size_is_a_setting(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    extension.reset(serverUrl=proxy.url, minimumSize=200)
    images = [
        f'<img src="{web.put(face())}" width="{side}" height="{side}" alt="">'
        for side in (150, 250)
    ]
    page = open_page("".join(images))
    extension.choose(page, "check-page")
    overlay = Overlay(page, proxy.url)
    expect(overlay.part("page-item")).to_have_count(1)
    expect(overlay.part("page-item")).to_have_attribute("data-state", VERDICTS)


def test_the_same_picture_twice_is_sent_once(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    address = web.put(face())
    page = open_page(
        f'<img src="{address}" width="150" alt=""><p><img src="{address}" width="250" alt="">'
    )
    extension.choose(page, "check-page")
    overlay = Overlay(page, proxy.url)
    eventually(lambda: all_ended(overlay), pause=page.wait_for_timeout)
    assert len(proxy.checks()) == 1


def all_ended(overlay: Overlay) -> None:
    states = overlay.part("page-item").evaluate_all(
        "items => items.map((item) => item.dataset.state)"
    )
    assert states and all(VERDICTS.match(state) for state in states), states


def test_a_worker_that_dies_goes_on_with_the_page(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web,
    pictures: Callable[[int], list[bytes]],
) -> None:  # fmt: skip
    large = pictures(6)
    page = open_page(gallery(web, large))
    proxy.hold()
    extension.choose(page, "check-page")
    overlay = Overlay(page, proxy.url)
    expect(overlay.part("page-item")).to_have_count(6)
    expect(overlay.part("page-item").first).to_have_attribute("data-state", UNDER_WAY)
    extension.stop_worker()
    proxy.release()
    for number in range(6):
        expect(overlay.part("page-item").nth(number)).to_have_attribute("data-state", VERDICTS)


DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def test_pictures_that_wait_to_be_loaded(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    """Each by its own address, though a placeholder, or nothing, stands in its place."""
    size = 'width="300" height="300" alt=""'
    blurred = "data:image/jpeg;base64," + base64.b64encode(face(size=24)).decode()
    ways = {
        "native": f'<img loading="lazy" src="{{face}}" {size}>',
        "a small copy": f'<img src="{blurred}" data-src="{{face}}" {size}>',
        "a small file": f'<img src="{web.put(face(size=40))}" data-original="{{face}}" {size}>',
        "a srcset": f'<img src="{DOT}" data-srcset="{{face}} 1x" {size}>',
        "a srcset alone": f'<img loading="lazy" srcset="{{face}} 600w" sizes="300px" {size}>',
        "a source": f'<picture><source type="image/jpeg" data-srcset="{{face}}">'
        f'<img src="{DOT}" {size}></picture>',
        "a drawing": f'<img src="data:image/svg+xml,<svg/>" data-lazy-src="{{face}}" {size}>',
        "no source": f'<img data-url="{{face}}" {size}>',
        "noscript": f'<div><img src="{DOT}" {size}><noscript><img src="{{face}}"></noscript></div>',
        "noscript alone": '<div style="width: 300px; height: 300px">'
        '<noscript><img src="{face}"></noscript></div>',
        "no size": f'<div style="width: 300px"><img src="{DOT}" data-src="{{face}}" alt=""></div>',
        "a background": '<div data-bg="{face}" style="width: 300px; height: 300px"></div>',
        "a poster": '<video data-poster="{face}" width="300" height="300"></video>',
    }
    files = {way: face(size=200 + number) for number, way in enumerate(ways)}
    far_below = '<div style="height: 6000px">Far below</div>'
    page = open_page(
        far_below + "".join(html.format(face=web.put(files[way])) for way, html in ways.items())
    )
    extension.choose(page, "check-page")
    overlay = Overlay(page, proxy.url)
    expect(overlay.part("page-item")).to_have_count(len(ways))
    eventually(lambda: all_ended(overlay), seconds=90, pause=page.wait_for_timeout)
    sent = {one.sha256 for one in proxy.checks()}
    missing = [way for way, data in files.items() if hashlib.sha256(data).hexdigest() not in sent]
    assert (missing, len(sent)) == ([], len(ways))
