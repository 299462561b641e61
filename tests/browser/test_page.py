"""The page as people use it: with a mouse, with a keyboard, on a phone, with and without script."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, Photos, checked, done, new_key
from tests.server.proxy import proxied_in_thread
from tests.server.server_process import Service, blank, served_in_thread

DROP = """(form, files) => {
  const carried = new DataTransfer();
  for (const [name, text] of files) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    carried.items.add(new File([bytes], name, { type: "image/jpeg" }));
  }
  const how = { bubbles: true, cancelable: true };
  form.dispatchEvent(new DragEvent("dragenter", { ...how, dataTransfer: carried }));
  form.dispatchEvent(new DragEvent("drop", { ...how, dataTransfer: carried }));
}"""
PASTE = """(body, [name, text]) => {
  const carried = new DataTransfer();
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  carried.items.add(new File([bytes], name, { type: "image/jpeg" }));
  const how = { bubbles: true, cancelable: true, clipboardData: carried };
  body.dispatchEvent(new ClipboardEvent("paste", how));
}"""


def in_base64(path: str) -> list[str]:
    return [Path(path).name, base64.b64encode(Path(path).read_bytes()).decode()]


def test_dropped_photos_are_checked(open_page: OpenPage, photos: Photos) -> None:
    page = open_page()
    files = [in_base64(path) for path in photos("fake", "real")]
    page.locator("#drop").evaluate(DROP, files)
    done(page, 2)
    expect(page.get_by_role("heading", name="Signs of manipulation", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="No sign of manipulation")).to_be_visible()
    expect(page.locator("#drop.is-over")).to_have_count(0)
    for words in ("no proof of forgery", "does not prove that the picture is genuine"):
        expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_text("colour 0.0.1").first).to_be_visible()


def test_a_pasted_photo_is_checked(open_page: OpenPage, photos: Photos) -> None:
    page = open_page()
    page.locator("body").evaluate(PASTE, in_base64(photos("fake")[0]))
    done(page)


TEXT = """(body, text) => {
  const carried = new DataTransfer();
  carried.setData("text/plain", text);
  const how = { bubbles: true, cancelable: true, clipboardData: carried };
  body.dispatchEvent(new ClipboardEvent("paste", how));
}"""


def test_a_pasted_address_is_checked_and_another_text_is_named(
    open_page: OpenPage, photos: Photos
) -> None:
    page = open_page()
    _, coded = in_base64(photos("fake")[0])
    page.locator("body").evaluate(TEXT, f" data:image/jpeg;base64,{coded}\n")
    done(page)
    page.locator("body").evaluate(TEXT, "hello")
    words = page.locator(".state-text")
    expect(words).to_have_text("This is neither a photo nor the address of one.")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#cards > li")).to_have_count(1)


def test_behind_a_proxy_below_a_path_the_page_works(
    open_page: OpenPage, photos: Photos, url: str
) -> None:
    """Which path that is only the proxy knows."""
    with proxied_in_thread(url, "/desk/unmask") as below:
        page = open_page("/", base=below)
        page.set_input_files("#file", photos("fake"))
        card = done(page)
        status = "image => fetch(image.src).then(answer => answer.status)"
        for layer in ("layer-original", "layer-mask", "layer-heatmap"):
            assert card.locator(f".{layer}").evaluate(status) == 200, layer
        link = card.locator("[data-share]").evaluate("link => link.href")
        assert link.startswith(f"{below}/c/")
        page.goto(link)
        done(page)
        assert page.locator(".layer-original").evaluate(status) == 200
        for _ in range(2):
            page.locator("[data-remove]").click()
        page.wait_for_url(f"{below}/", wait_until="networkidle")


def test_many_photos_chosen_at_once_all_end(open_page: OpenPage, photos: Photos) -> None:
    """More than a browser opens connections for: live streams must not starve the rest."""
    page = open_page()
    page.set_input_files("#file", photos(*["fake", "real"] * 5))
    done(page, 10)


def test_a_url_is_checked(open_page: OpenPage, picture_site: tuple[int, str]) -> None:
    page = open_page()
    page.get_by_label("Web address of a picture").fill(picture_site[1])
    page.keyboard.press("Enter")
    done(page)
    page.get_by_label("Web address of a picture").fill("http://localhost/a.jpg")
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".is-failed")).to_contain_text("This URL is not fetched.")


def test_what_is_no_picture_is_said_so(open_page: OpenPage, tmp_path: Path) -> None:
    path = tmp_path / "<b>notes.txt"
    path.write_text("not a picture")
    page = open_page()
    page.set_input_files("#file", str(path))
    card = page.locator(".is-failed")
    expect(card).to_contain_text("not a picture")
    expect(card.get_by_role("heading")).to_have_text("<b>notes.txt")
    expect(page.get_by_role("status")).to_contain_text("not a picture")
    card.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#cards > li")).to_have_count(0)


def test_layers_are_switched_by_keyboard(open_page: OpenPage, photos: Photos) -> None:
    page = checked(open_page, photos)
    page.locator("[data-layer]").evaluate_all("boxes => boxes.forEach(b => (b.checked = true))")
    page.locator(".layer-heatmap").evaluate("image => image.decode()")
    sizes = page.locator(".stage img:not(.layer-trace)").evaluate_all(
        "images => images.map(i => [i.naturalWidth, i.naturalHeight, i.clientWidth].join())"
    )
    assert len(sizes) == 3 and len(set(sizes)) == 1
    page.get_by_label("Heatmap", exact=True).uncheck()
    for name, layer, shown in (
        ("Mask", ".layer-mask", True),
        ("Heatmap", ".layer-heatmap", False),
        ("Boxes", ".layer-boxes", True),
    ):
        expect(page.locator(layer)).to_be_visible(visible=shown)
        page.get_by_label(name, exact=True).focus()
        page.keyboard.press("Space")
        expect(page.locator(layer)).to_be_visible(visible=not shown)
    original = page.locator(".layer-original")
    expect(original).to_have_css("opacity", "1")
    page.get_by_label("Original", exact=True).uncheck()
    expect(original).to_have_css("opacity", "0")
    faces = page.locator(".faces img")
    assert faces.evaluate("face => face.naturalWidth") > 20


def test_a_check_is_shared_by_its_link(open_page: OpenPage, photos: Photos, url: str) -> None:
    page = checked(open_page, photos, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="Copy link").click()
    expect(page.get_by_role("link", name="Copied")).to_be_visible()
    link = page.evaluate("() => navigator.clipboard.readText()")
    assert link.startswith(f"{url}/c/")
    shared = open_page(link.removeprefix(url))
    expect(shared).to_have_title("Signs of manipulation · Unmask")
    expect(done(shared)).to_contain_text("93 %")
    for name, start in (("PDF", b"%PDF-"), ("JSON", b"{"), ("Picture", b"\xff\xd8")):
        with shared.expect_download() as download:
            shared.get_by_role("link", name=name).click()
        data = Path(download.value.path()).read_bytes()
        assert data.startswith(start)
        if name == "JSON":
            assert json.loads(data)["verdict"] == "fake"


def test_removing_asks_once_and_removes(open_page: OpenPage, photos: Photos, url: str) -> None:
    page = checked(open_page, photos)
    check = page.locator("article").get_attribute("data-check")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove for good?").click()
    expect(page.locator("article")).to_have_count(0)
    assert httpx.get(f"{url}/v1/checks/{check}").status_code == 404


def test_reloading_finds_the_checks_again(open_page: OpenPage, photos: Photos) -> None:
    page = checked(open_page, photos)
    before = page.locator("article").get_attribute("data-check")
    page.reload()
    assert done(page).get_attribute("data-check") == before
    assert page.evaluate("() => localStorage.length + sessionStorage.length") == 0


def test_a_photo_under_way_shows_its_state(open_page: OpenPage, photos: Photos, url: str) -> None:
    page = open_page()
    page.route(
        "**/v1/checks?door=web",
        lambda route: route.continue_(url=f"{route.request.url}&team=lonely"),
    )
    page.set_input_files("#file", photos("fake"))
    item = page.locator("#cards > li")
    expect(item).to_contain_text("Waiting for its turn")
    expect(item.get_by_role("heading")).to_have_text("fake-0.jpg")
    expect(item.get_by_text("Dismiss")).to_be_hidden()
    assert item.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)")
    httpx.delete(f"{url}/v1/checks/{item.get_attribute('data-check')}")
    expect(page.locator("#cards > li")).to_have_count(0)


def test_a_check_under_way_is_live(open_page: OpenPage, url: str) -> None:
    check = httpx.post(f"{url}/v1/checks?team=lonely", content=blank()).json()["id"]
    page = open_page(f"/c/{check}")
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    httpx.delete(f"{url}/v1/checks/{check}")
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()


def test_without_script_the_form_does(open_page: OpenPage, photos: Photos) -> None:
    page = open_page(java_script_enabled=False)
    page.locator("#file").set_input_files(photos("fake"))
    page.get_by_role("button", name="Check").click()
    page.wait_for_url("**/c/*")
    page.wait_for_selector("article[data-state=done]", timeout=30_000)
    page.get_by_label("Heatmap", exact=True).check()
    expect(page.locator(".layer-heatmap")).to_be_visible()
    expect(page.get_by_text("Remove", exact=True)).to_be_hidden()


def test_the_keyboard_reaches_everything_in_order(open_page: OpenPage, photos: Photos) -> None:
    page = checked(open_page, photos)
    page.evaluate("() => document.activeElement.blur()")
    page.locator("body").press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    seen = []
    for _ in range(25):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "() => { const e = document.activeElement; return e.id || e.dataset.layer"
                " || e.textContent.trim().split('\\n')[0]; }"
            )
        )
    wanted = ["API", "file", "url", "Check", "original", "boxes", "mask", "heatmap"]
    wanted += ["What this does not mean", "Copy link", "PDF", "JSON", "Picture", "Remove"]
    positions = [seen.index(name) for name in wanted]
    assert positions == sorted(positions)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_is_accessible_and_fits(
    open_page: OpenPage, photos: Photos, scheme: str, width: int
) -> None:
    viewport = {"width": width, "height": 800}
    page = open_page(color_scheme=scheme, viewport=viewport, reduced_motion="reduce")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.set_input_files("#file", photos("fake", "real", "wide"))
    done(page, 3)
    link = page.locator("[data-share]").first.get_attribute("href")
    for path in (None, link, "/reference", "/c/" + "0" * 32):
        if path is not None:
            page.goto(page.url.split("/c/")[0].removesuffix("/reference").rstrip("/") + path)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width, path


def test_motion_is_reduced_for_those_who_ask(open_page: OpenPage, url: str) -> None:
    check = httpx.post(f"{url}/v1/checks?team=lonely", content=blank()).json()["id"]
    for motion, name in (("reduce", "none"), ("no-preference", "breathe")):
        page = open_page(f"/c/{check}", reduced_motion=motion)
        expect(page.locator(".dot")).to_have_css("animation-name", name)
    httpx.delete(f"{url}/v1/checks/{check}")


def test_where_keys_are_needed_people_sign_in(
    open_page: OpenPage, photos: Photos, service: Service
) -> None:
    with served_in_thread(service, api_keys="required") as locked:
        page = open_page(base=locked)
        page.get_by_label("API key").fill("um_wrong")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("alert")).to_contain_text("not valid")
        page.get_by_label("API key").fill(new_key(service))
        page.get_by_role("button", name="Open").click()
        page.set_input_files("#file", photos("fake"))
        done(page)
        assert "um_" not in page.evaluate("() => document.cookie")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("API key")).to_be_visible()
        page.context.close()
