"""The panel tells what the report says, to the eye, the keyboard and the screen reader."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.extension.chromium import Extension, eventually
from tests.browser.extension.fault_proxy import FaultProxy
from tests.browser.extension.overlay_asserts import Overlay
from tests.browser.extension.web import LOCAL, Web
from unmask.report import shown_percent

OpenPage = Callable[..., Page]
Face = Callable[..., bytes]
Shown = Callable[..., tuple[Page, Overlay, dict[str, Any]]]
IMG = '<main><h1>News</h1><img id="target" src="{face}" width="400" height="400" alt="A"></main>'


@pytest.fixture
def shown(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> Shown:
    """A page with a picture of a tampered face, checked, and its panel open."""

    def show(**options: Any) -> tuple[Page, Overlay, dict[str, Any]]:
        page = open_page(IMG.replace("{face}", web.put(face(altered=True))), **options)
        extension.check(page, page.locator("#target"), told=True)
        overlay = Overlay(page, proxy.url)
        report = overlay.report()
        expect(overlay.panel).to_be_visible()
        return page, overlay, report

    return show


def test_it_says_what_the_report_says(shown: Shown) -> None:
    _, overlay, report = shown()
    expect(overlay.part("sentence")).to_have_text(without_gaps(report["statement"]))
    expect(overlay.part("panel-face")).to_have_count(len(report["faces"]))
    for number, face in enumerate(report["faces"]):
        percent = shown_percent(face["fake_probability"])
        said = overlay.part("panel-face").nth(number).inner_text()
        assert re.search(rf"\b{percent}\s?%", said), said


def without_gaps(statement: str) -> re.Pattern[str]:
    """The statement, whether or not a space stands before the sign of per cent."""
    return re.compile("^" + re.escape(statement).replace(r"\ %", r"\s?%") + "$")


def test_two_faces_are_told_apart(
    extension: Extension,
    proxy: FaultProxy,
    open_page: OpenPage,
    web: Web,
    portrait: Any,
    face: Face,
) -> None:
    plain, altered = (np.asarray(Image.open(BytesIO(face(altered=how)))) for how in (False, True))
    out = BytesIO()
    Image.fromarray(np.hstack([plain, altered])).save(out, "JPEG", quality=90)
    page = open_page(
        f'<img id="target" src="{web.put(out.getvalue())}" width="800" height="400" alt="">'
    )
    extension.check(page, page.locator("#target"), told=True)
    overlay = Overlay(page, proxy.url)
    report = overlay.report()
    assert len(report["faces"]) == 2
    overlay.marks_faces(page.locator("#target"), report)
    told = overlay.part("panel-face").all_inner_texts()
    percents = [str(shown_percent(face["fake_probability"])) for face in report["faces"]]
    assert [re.search(r"(\d+)\s?%", text)[1] for text in told] == percents  # type: ignore[index]


def test_the_heatmap_is_switched(shown: Shown) -> None:
    for policy in ({}, {"Content_Security_Policy": "default-src 'none'; img-src http:"}):
        page, overlay, _ = shown(**policy)
        target, switch = page.locator("#target"), overlay.part("heatmap-switch")
        plain = pixels(target.screenshot())
        switch.click()

        def changed(plain: Any = plain, target: Any = target) -> None:
            now = pixels(target.screenshot())
            face = np.s_[60:140, 150:210]
            assert np.abs(now[face] - plain[face]).mean() > 5, "no heatmap is drawn on the face"

        eventually(changed, pause=page.wait_for_timeout)
        switch.click()

        def back(plain: Any = plain, target: Any = target) -> None:
            assert np.abs(pixels(target.screenshot()) - plain).mean() < 1

        eventually(back, pause=page.wait_for_timeout)


def pixels(picture: bytes) -> Any:
    return np.asarray(Image.open(BytesIO(picture)).convert("RGB")).astype(int)


def test_escape_closes_and_gives_the_focus_back(shown: Shown) -> None:
    page, overlay, _ = shown()
    overlay.closes()
    ways: list[Callable[[], object]] = [lambda: page.keyboard.press("Escape")]
    for close in [*ways, overlay.part("close").click]:
        overlay.chip.focus()
        page.keyboard.press("Enter")
        expect(overlay.panel).to_be_visible()
        close()
        expect(overlay.panel).to_have_count(0)
        assert in_shadow(page, "root.activeElement?.dataset.part") == "chip"


def test_the_full_report_is_a_page_of_the_server(shown: Shown, proxy: FaultProxy) -> None:
    page, overlay, report = shown()
    with page.context.expect_page() as opened:
        overlay.part("report-link").click()
    expect(opened.value).to_have_url(f"{proxy.url}/c/{overlay.check}")
    expect(opened.value.locator("article[data-state=done]")).to_contain_text(report["statement"])


@pytest.mark.parametrize("host", ["pages.example.org", LOCAL[0]])
def test_share_copies_the_link(shown: Shown, proxy: FaultProxy, host: str) -> None:
    """On pages that are secure contexts and on those that are not."""
    page, overlay, _ = shown(host=host)
    overlay.part("share").click()
    proxy.received.clear()
    page.context.grant_permissions(["clipboard-read"], origin=proxy.url)
    reader = page.context.new_page()
    reader.goto(f"{proxy.url}/c/{overlay.check}")

    def copied() -> None:
        text = reader.evaluate("() => navigator.clipboard.readText()")
        assert text == f"{proxy.url}/c/{overlay.check}"

    eventually(copied, pause=page.wait_for_timeout)


def test_it_is_accessible(shown: Shown) -> None:
    for scheme in ("light", "dark"):
        page, overlay, _ = shown()
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert overlay.panel.get_attribute("role") == "dialog"
        expect(overlay.panel).to_have_accessible_name(re.compile("."))
        expect(overlay.part("close")).to_have_accessible_name(re.compile("."))


def test_the_chip_and_the_verdict_are_read_out(shown: Shown) -> None:
    _, overlay, report = shown()
    percent = str(shown_percent(report["fake_probability"]))
    expect(overlay.chip).to_have_accessible_name(re.compile("."))
    live = overlay.part("live")
    assert live.get_attribute("aria-live") or live.get_attribute("role") in {"status", "log"}
    announcement = live.inner_text() + (
        overlay.chip.get_attribute("aria-label") or overlay.chip.inner_text()
    )
    assert announcement.strip()
    assert percent in announcement or report["statement"] in announcement, announcement


def test_the_keyboard_alone_is_enough(shown: Shown) -> None:
    page, overlay, _ = shown()
    page.keyboard.press("Escape")
    page.evaluate("() => { document.activeElement.blur() }")
    for _ in range(10):
        page.keyboard.press("Tab")
        if in_shadow(page, "root.activeElement?.dataset.part") == "chip":
            break
    else:
        pytest.fail("the chip is not reached by Tab")
    page.keyboard.press("Enter")
    expect(overlay.panel).to_be_visible()
    reached = set()
    for _ in range(15):
        page.keyboard.press("Tab")
        reached.add(in_shadow(page, "root.activeElement?.closest('[data-part]')?.dataset.part"))
    assert {"heatmap-switch", "report-link", "share", "close"} <= reached
    overlay.part("heatmap-switch").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(overlay.panel).to_have_count(0)


def in_shadow(page: Page, expression: str) -> Any:
    return page.evaluate(
        f"() => {{ const root = document.querySelector('unmask-page').shadowRoot;"
        f" return ({expression}) ?? null; }}"
    )


def test_motion_is_reduced_for_those_who_ask(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    page = open_page(IMG.replace("{face}", web.put(face())))
    overlay = Overlay(page, proxy.url)
    proxy.hold()
    extension.check(page, page.locator("#target"), told=True)
    expect(overlay.chip).to_be_visible()
    moving = """() => document.getAnimations().concat(
      ...[...document.querySelectorAll('unmask-page')].map((host) =>
        host.shadowRoot.getAnimations?.() ?? [])).length"""
    eventually(lambda: nonzero(page.evaluate(moving)), pause=page.wait_for_timeout)
    page.emulate_media(reduced_motion="reduce")
    eventually(lambda: zero(page.evaluate(moving)), pause=page.wait_for_timeout)
    proxy.release()
    overlay.verdict()
    page.emulate_media(reduced_motion="no-preference")


def zero(count: int) -> None:
    assert count == 0, f"{count} animations run"


def nonzero(count: int) -> None:
    assert count > 0, "nothing shows that it is being worked at"
