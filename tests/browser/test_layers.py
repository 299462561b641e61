"""The layers of traces of saving on the page: drawn when one is chosen, and what is said if not."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, Photos, checked, done


def test_a_layer_is_chosen_by_keyboard_and_drawn_then(open_page: OpenPage, photos: Photos) -> None:
    page = checked(open_page, photos)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    switch = page.get_by_role("group", name="Traces of saving")
    off = switch.get_by_role("radio", name="Off")
    expect(off).to_be_checked()
    for layer in ("error-levels", "ghosts", "noise"):
        expect(page.locator(f"[data-trace-of={layer}]")).to_be_hidden()
    off.focus()
    page.keyboard.press("ArrowRight")
    levels = switch.get_by_role("radio", name="Error levels")
    expect(levels).to_be_checked()
    expect(levels).to_have_accessible_description(
        "Shows: How much each place changes when the picture is saved as a JPEG once more. What "
        "was put in after an earlier saving may be brighter. Does not show: That something is "
        "fake: edges and textures are bright in every picture. Open it alone"
    )
    drawn = page.locator("[data-trace-of=error-levels]")
    expect(drawn).to_be_visible()
    expect(page.locator("[data-trace-of=error-levels][data-state=drawn]")).to_be_visible(
        timeout=40_000
    )
    assert drawn.evaluate("image => image.naturalWidth") == 512
    expect(page.locator(".trace-state")).to_be_empty()
    # the page's other pictures may still be on their way
    layers = {f"{layer}.png" for layer in ("error-levels", "ghosts", "noise")}
    assert [name for name in asked if name in layers] == ["error-levels.png"]
    violations = Axe().run(page).response["violations"]
    assert not violations, violations
    page.keyboard.press("ArrowLeft")
    expect(drawn).to_be_hidden()


@pytest.mark.parametrize("code", ["picture_missing", "busy"])
def test_it_is_said_why_there_is_no_layer(open_page: OpenPage, photos: Photos, code: str) -> None:
    page = open_page(noted="status of [45]")
    page.set_input_files("#file", photos("fake"))
    done(page)
    error = {"code": code, "message": f"The words of {code}.", "detail": {}}
    page.route("**/noise.png", lambda route: route.fulfill(status=503, json={"error": error}))
    page.get_by_role("radio", name="Noise").check()
    said = page.get_by_role("status").filter(has_text=f"The words of {code}.")
    expect(said).to_be_visible()
    page.unroute("**/noise.png")
    page.get_by_role("radio", name="Off").check()
    expect(said).to_be_hidden()
    page.get_by_role("radio", name="Noise").check()
    expect(page.locator("[data-trace-of=noise][data-state=drawn]")).to_be_visible(timeout=40_000)


def test_layers_need_no_script(open_page: OpenPage, photos: Photos) -> None:
    check = checked(open_page, photos).locator("article").get_attribute("data-check")
    page = open_page(f"/c/{check}", java_script_enabled=False)
    page.get_by_role("radio", name="JPEG ghosts").check()
    expect(page.locator("[data-trace-of=ghosts]")).to_be_visible()
    link = page.get_by_role("link", name="Open it alone")
    expect(link).to_have_count(1)
    answer = page.request.get(str(link.evaluate("link => link.href")), timeout=60_000)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
