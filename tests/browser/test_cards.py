"""The cards: whose photo each is, how it is removed, and that everybody can use them."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage, Photos, alone, checked, done
from tests.server.server_process import Service, served_in_thread

COLOURS = """(field) => {
  const around = [field, field.closest("form"), document.body];
  const [own, form, body] = around.map((element) => getComputedStyle(element));
  const under = form.backgroundColor.startsWith("rgba") ? body : form;
  return [own.borderTopColor, own.backgroundColor, under.backgroundColor];
}"""


@pytest.fixture
def damaged(tmp_path: Path) -> str:
    """A file whose head is a picture's and whose pixels are not: only the worker finds out."""
    out = BytesIO()
    Image.effect_noise((64, 64), 90).save(out, "PNG")
    data = bytearray(out.getvalue())
    start = data.index(b"IDAT") + 4
    length = int.from_bytes(data[start - 8 : start - 4], "big")
    body = bytes(byte ^ 0x5A for byte in data[start : start + length])
    data[start : start + length] = body
    data[start + length : start + length + 4] = zlib.crc32(b"IDAT" + body).to_bytes(4, "big")
    path = tmp_path / "evidence-17.png"
    path.write_bytes(data)
    return str(path)


def removed(page: Page) -> None:
    """Presses Remove twice, by keyboard."""
    page.get_by_role("button", name="Remove").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")


def test_each_card_keeps_the_name_of_its_photo(
    open_page: OpenPage, photos: Photos, damaged: str
) -> None:
    page = open_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(f"{request.url} {request.headers}"))
    page.set_input_files("#file", [*photos("fake"), damaged])
    for _ in range(2):
        expect(done(page)).to_contain_text("fake-0.jpg")
        failed = page.locator("article[data-state=failed]")
        expect(failed).to_contain_text("evidence-17.png")
        expect(failed).to_contain_text("Could not be examined")
        expect(page.get_by_role("article", name="evidence-17.png Could not be")).to_be_visible()
        page.reload()
    assert not [line for line in requests if "evidence" in line or "fake-0" in line]


def test_a_photo_under_way_keeps_its_name_when_reloaded(
    open_page: OpenPage, photos: Photos
) -> None:
    page = open_page()
    alone(page)
    page.set_input_files("#file", photos("fake"))
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="fake-0.jpg")).to_be_visible()
    removed(page)
    expect(page.locator("#cards > li")).to_have_count(0)


def test_a_failed_check_shows_its_picture(open_page: OpenPage, photos: Photos, url: str) -> None:
    page = open_page()
    failed = (
        '<article class="card is-failed" data-check="x" data-state="failed"><h2>No</h2></article>'
    )
    page.route("**/card", lambda route: route.fulfill(content_type="text/html", body=failed))
    page.set_input_files("#file", photos("fake"))
    picture = page.locator("[data-state=failed] img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)")


def test_a_failed_check_is_removed(open_page: OpenPage, damaged: str, url: str) -> None:
    page = open_page()
    page.set_input_files("#file", damaged)
    check = page.locator("[data-state=failed]").get_attribute("data-check")
    shared = open_page(f"/c/{check}")
    expect(shared.get_by_role("button", name="Remove")).to_be_visible()
    removed(page)
    expect(page.locator("#cards > li")).to_have_count(0)
    assert httpx.get(f"{url}/v1/checks/{check}").status_code == 404
    assert page.evaluate("() => history.state.checks") == []


def test_a_check_under_way_is_removed(open_page: OpenPage, photos: Photos, url: str) -> None:
    page = open_page()
    alone(page)
    page.set_input_files("#file", photos(*["fake"] * 4))
    expect(page.get_by_role("button", name="Remove")).to_have_count(4)
    first = page.locator("#cards > li").first
    check = first.get_attribute("data-check")
    removed(page)
    expect(page.locator("#cards > li")).to_have_count(3)
    assert httpx.get(f"{url}/v1/checks/{check}").status_code == 404
    expect(page.get_by_role("button", name="Remove").first).to_be_focused()
    shared = open_page(f"/c/{first.get_attribute('data-check')}")
    removed(shared)
    expect(shared.get_by_role("heading", name="Was this face faked?")).to_be_visible()
    for left in page.locator("#cards > li").all()[1:]:
        httpx.delete(f"{url}/v1/checks/{left.get_attribute('data-check')}")


def test_the_focus_goes_on_when_a_card_goes(
    open_page: OpenPage, photos: Photos, tmp_path: Path
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a picture")
    page = open_page()
    page.set_input_files("#file", photos("fake", "real"))
    done(page, 2)
    page.set_input_files("#file", str(path))
    page.get_by_role("button", name="Dismiss").press("Enter")
    cards = page.locator("#cards > li")
    expect(cards).to_have_count(2)
    expect(cards.first.get_by_label("Original", exact=True)).to_be_focused()
    removed(page)
    expect(cards).to_have_count(1)
    expect(cards.first.get_by_label("Original", exact=True)).to_be_focused()
    removed(page)
    expect(cards).to_have_count(0)
    expect(page.get_by_role("main")).to_be_focused()


def test_taking_a_photo_is_announced(open_page: OpenPage, photos: Photos) -> None:
    page = open_page()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/v1/checks?door=web", hold)
    page.set_input_files("#file", photos("fake"))
    expect(page.get_by_role("status")).to_have_text("fake-0.jpg: sending")
    page.set_input_files("#file", photos("fake", "real"))
    expect(page.get_by_role("status")).to_have_text("Sending 2 photos")
    page.get_by_label("Web address of a picture").fill("http://localhost/a.jpg")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("localhost/a.jpg: sending")


def test_layers_are_told_apart_in_forced_colours(open_page: OpenPage, photos: Photos) -> None:
    page = checked(open_page, photos, forced_colors="active")
    background = "element => getComputedStyle(element).backgroundColor"
    # What is off lets the page's own background through.
    on, page_itself = (
        page.locator(where).evaluate(background)
        for where in ("[data-layer=original] + span", "body")
    )
    assert on != page_itself


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_edges_of_fields_are_seen(open_page: OpenPage, service: Service, scheme: str) -> None:
    with served_in_thread(service, api_keys="required") as locked:
        pages = [open_page(color_scheme=scheme), open_page(base=locked, color_scheme=scheme)]
        for page in pages:
            field = page.locator("input[type=url], input[type=password]")
            edge, *grounds = map(luminance, field.evaluate(COLOURS))
            for ground in grounds:
                darker, lighter = sorted((edge, ground))
                assert (lighter + 0.05) / (darker + 0.05) >= 3
        pages[1].context.close()


def luminance(colour: str) -> float:
    """The relative luminance of an rgb() colour, as WCAG defines it."""
    parts = [int(part) / 255 for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
