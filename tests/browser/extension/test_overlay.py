"""The overlay stays on its picture, whatever becomes of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.extension.chromium import Extension, Rect, eventually
from tests.browser.extension.fault_proxy import FaultProxy
from tests.browser.extension.overlay_asserts import UNDER_WAY, Overlay
from tests.browser.extension.web import Web

OpenPage = Callable[..., Page]
Face = Callable[..., bytes]
Checked = Callable[..., tuple[Page, Overlay, dict[str, Any]]]


@pytest.fixture
def checked(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> Checked:
    """Opens a page, ``{face}`` standing for a picture's address, and checks its #target."""

    def check(html: str, **options: Any) -> tuple[Page, Overlay, dict[str, Any]]:
        page = open_page(html.replace("{face}", web.put(face(**options))))
        extension.check(page, page.locator("#target"), told="<img id" in html)
        overlay = Overlay(page, proxy.url)
        return page, overlay, overlay.report()

    return check


IMG = '<img id="target" src="{face}" width="400" height="400" alt="">'
TALL = '<p id="above" style="height: 120px">Above</p>' + IMG + '<p style="height: 3000px">Below'

MOVES = {
    "scroll": "() => window.scrollTo(0, 217)",
    "layout": "() => { document.getElementById('above').style.height = '333px' }",
    "size": "() => { document.getElementById('target').width = 250 }",
    "transform": "() => { const s = document.getElementById('target').style;"
    " s.transform = 'translate(31px, 47px)' }",
    "added": "() => { const news = document.createElement('h1');"
    " news.textContent = 'News'; document.body.prepend(news) }",
    "sideways": "() => { document.body.style.marginLeft = '222px' }",
    "transition": "() => { const s = document.getElementById('above').style;"
    " s.transition = 'height 300ms'; s.height = '400px' }",
    "css zoom": "() => { document.body.style.zoom = '1.25' }",
    "body replaced": "() => { const kept = document.getElementById('target');"
    " document.body.replaceWith(document.createElement('body')); document.body.append('x', kept) }",
}


def test_it_follows_its_picture(checked: Checked) -> None:
    page, overlay, report = checked(TALL)
    target = page.locator("#target")
    for name, move in MOVES.items():
        page.evaluate(move)
        overlay.lies_over(target)
        overlay.marks_faces(target, report)
        assert overlay.part("overlay").count() == 1, name
    for width, height in ((700, 500), (1200, 900)):
        page.set_viewport_size({"width": width, "height": height})
        overlay.lies_over(target)


def test_it_follows_through_a_container_that_scrolls(checked: Checked) -> None:
    page, overlay, report = checked(
        '<div id="box" style="width: 500px; height: 500px; overflow: auto; margin: 50px"><p'
        ' style="height: 80px">Above</p>' + IMG + '<p style="height: 2000px">Below</p></div>'
    )
    target, box = page.locator("#target"), page.locator("#box")
    for top in (40, 130, 0):
        box.evaluate("(node, top) => node.scrollTo(0, top)", top)
        overlay.marks_faces(target, report)
    # Scrolled out of its container, nothing is left to see of it.
    box.evaluate("node => node.scrollTo(0, 1500)")
    nothing_is_shown(overlay)
    box.evaluate("node => node.scrollTo(0, 0)")
    overlay.marks_faces(target, report)


@pytest.mark.parametrize(
    "style",
    [
        "object-fit: cover; width: 520px; height: 260px",
        "object-fit: cover; object-position: 20% 80%; width: 200px; height: 420px",
        "object-fit: contain; width: 520px; height: 300px",
        "object-fit: contain; object-position: 0% 100%; width: 500px; height: 260px",
        "object-fit: none; width: 300px; height: 300px",
        "object-fit: fill; width: 500px; height: 250px",
        "padding: 10px 20px 30px 40px; border: 7px solid; width: 400px; height: 400px",
        "transform: scale(0.7)",
        "zoom: 0.8",
    ],
)
def test_boxes_lie_where_the_pixels_are_drawn(checked: Checked, style: str) -> None:
    page, overlay, report = checked(
        f'<div style="margin: 40px"><img id="target" src="{{face}}" alt="" style="{style}">'
    )
    overlay.marks_faces(page.locator("#target"), report)


def test_boxes_lie_where_a_background_is_drawn(checked: Checked) -> None:
    for how in ("20% 30% / contain no-repeat", "50% 50% / cover"):
        page, overlay, report = checked(
            '<div id="target" style="width: 520px; height: 300px; margin: 40px; background:'
            f' url({{face}}) {how}"></div>'
        )
        overlay.marks_faces(page.locator("#target"), report)


def test_boxes_turn_with_a_turned_picture(checked: Checked) -> None:
    page, overlay, report = checked(
        '<div style="margin: 120px"><img id="target" src="{face}" alt="" style="width: 400px;'
        ' transform: rotate(25deg) scaleX(-1)">'
    )
    session = page.context.new_cdp_session(page)
    node = session.send("Runtime.evaluate", {"expression": "document.getElementById('target')"})[
        "result"
    ]["objectId"]
    quad = session.send("DOM.getContentQuads", {"objectId": node})["quads"][0]
    corners = [(quad[index], quad[index + 1]) for index in range(0, 8, 2)]
    x, y, width, height = report["faces"][0]["box"]
    across = (x + width / 2) / report["image"]["width"]
    down = (y + height / 2) / report["image"]["height"]
    (ax, ay), (bx, by), _, (dx, dy) = corners
    wanted = ax + (bx - ax) * across + (dx - ax) * down, ay + (by - ay) * across + (dy - ay) * down

    def same() -> None:
        there = Rect.of_shape(overlay.part("box")).centre
        assert abs(there[0] - wanted[0]) < 3 and abs(there[1] - wanted[1]) < 3, (there, wanted)

    eventually(same, pause=page.wait_for_timeout)


def test_it_goes_when_its_picture_goes(checked: Checked) -> None:
    page, overlay, _ = checked(IMG)
    page.evaluate("() => document.getElementById('target').remove()")
    nothing_is_shown(overlay)


def test_it_goes_when_its_picture_is_another(checked: Checked, web: Web, face: Face) -> None:
    page, overlay, _ = checked(IMG)
    page.evaluate(
        "(address) => { document.getElementById('target').src = address }", web.put(face())
    )
    nothing_is_shown(overlay)


def test_the_badge_of_a_picture_that_is_checked_again_is_reset(
    checked: Checked, extension: Extension, proxy: FaultProxy, web: Web, face: Face
) -> None:
    """The same picture, and the next one of a carousel."""
    page, overlay, _ = checked(IMG)
    target = page.locator("#target")
    for address in (None, web.put(face(altered=True))):
        if address is not None:
            target.evaluate("(image, address) => { image.src = address }", address)
            expect(target).to_have_js_property("complete", True)
        proxy.hold()
        extension.check(page, target, told=True)
        expect(overlay.chip.locator("visible=true")).to_have_attribute("data-state", UNDER_WAY)
        expect(overlay.panel).to_have_count(0)
        expect(overlay.part("overlay")).to_have_count(0)
        proxy.release()
        overlay.marks_faces(target, overlay.report())
        expect(overlay.panel).to_have_count(1)


def nothing_is_shown(overlay: Overlay) -> None:
    for part in ("chip", "overlay", "box"):
        expect(overlay.part(part).locator("visible=true")).to_have_count(0)


def test_a_hidden_picture_hides_it_and_shows_it_again(checked: Checked) -> None:
    page, overlay, report = checked(IMG)
    page.evaluate("() => { document.getElementById('target').style.display = 'none' }")
    expect(overlay.chip).to_be_hidden()
    expect(overlay.part("box").first).to_be_hidden()
    page.evaluate("() => { document.getElementById('target').style.display = '' }")
    overlay.marks_faces(page.locator("#target"), report)


def test_it_is_right_on_a_zoomed_page_and_a_fine_screen(
    checked: Checked, extension: Extension
) -> None:
    page, overlay, report = checked(TALL)
    session = page.context.new_cdp_session(page)
    session.send(
        "Emulation.setDeviceMetricsOverride",
        {"width": 900, "height": 700, "deviceScaleFactor": 2, "mobile": False},
    )
    overlay.marks_faces(page.locator("#target"), report)
    session.send("Emulation.clearDeviceMetricsOverride")
    for factor in (1.5, 0.67, 1):
        extension.worker.evaluate(
            "async ([url, factor]) => { const tabs = await chrome.tabs.query({});"
            " await chrome.tabs.setZoom(tabs.find((tab) => tab.url === url).id, factor) }",
            [page.url, factor],
        )
        overlay.marks_faces(page.locator("#target"), report)


def test_the_tampered_region_is_drawn_in_its_face(checked: Checked) -> None:
    page, overlay, report = checked(IMG, altered=True)
    assert report["verdict"] in {"fake", "unsure"} and report["faces"][0]["outline"], report
    region = overlay.part("region").first
    expect(region).to_be_visible()
    points = [point for ring in report["faces"][0]["outline"] for point in ring]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    at, scale = Rect.of(page.locator("#target")), 400 / 512
    wanted = Rect(
        at.x + min(xs) * scale,
        at.y + min(ys) * scale,
        (max(xs) - min(xs)) * scale,
        (max(ys) - min(ys)) * scale,
    )
    assert Rect.of_shape(region).off(wanted) <= 2


def test_the_page_is_left_as_it_was(checked: Checked) -> None:
    page, _, _ = checked(TALL)
    before = page.evaluate("() => document.body.outerHTML")
    assert "unmask" not in before
    assert page.evaluate("() => document.querySelectorAll('unmask-page').length") == 1
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    found = page.evaluate("() => Object.keys(window).filter((name) => /unmask/i.test(name))")
    assert found == []
