"""Each way in which a page shows a picture: it is found, its own bytes are sent, it is marked."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.extension.chromium import Extension
from tests.browser.extension.fault_proxy import FaultProxy
from tests.browser.extension.overlay_asserts import UNDER_WAY, Overlay
from tests.browser.extension.web import CLOSED, LOCAL, MEMBERS, OTHER, PAGES, WARY, Web
from tests.conftest import Pixels

OpenPage = Callable[..., Page]
Face = Callable[..., bytes]

BLOB = """<img id="target" width="400" height="400" alt=""><script>
  const bytes = Uint8Array.from(atob("{data}"), (letter) => letter.charCodeAt(0));
  const blob = new Blob([bytes], {{type: "{kind}"}});
  document.getElementById("target").src = URL.createObjectURL(blob);
</script>"""
HOSTILE = """<style>* {{ all: unset !important; position: static !important;
  transform: none !important; opacity: 0.99 !important; font: 3px serif !important;
  pointer-events: none !important; }} style, head {{ display: none !important; }}
  img {{ display: block !important; width: 400px !important; height: 400px !important;
  pointer-events: auto !important; }}</style>"""
SIZE = 'width="400" height="400"'


@dataclass(frozen=True)
class Case:
    """``html`` with ``{face}`` for the picture's address; what is clicked, what the picture is
    drawn in, and whether a browser tells the menu the picture's address."""

    html: str
    click: str = "#target"
    over: str = "#target"
    told: bool = True
    small: bool = False
    in_data: bool = False
    kind: str = "image/jpeg"
    headers: tuple[tuple[str, str], ...] = ()


CASES = {
    "img": Case(f'<img id="target" src="{{face}}" {SIZE} alt="">'),
    "called a page": Case(f'<img id="target" src="{{face}}" {SIZE} alt="">', kind="text/html"),
    "called a text": Case(f'<img id="target" src="{{face}}" {SIZE} alt="">', kind="text/plain"),
    "placeholder": Case(
        f'<img id="target" src="{{small}}" data-src="{{face}}" {SIZE} alt="">', small=True
    ),
    "picture": Case(
        f'<picture><source srcset="{{face}}" media="(min-width: 300px)"><source srcset="{{small}}">'
        f'<img id="target" src="{{small}}" {SIZE} alt=""></picture>',
        small=True,
    ),
    "srcset": Case(
        f'<img id="target" src="{{small}}" srcset="{{small}} 128w, {{face}} 512w" sizes="400px"'
        f' {SIZE} alt="">',
        small=True,
    ),
    "lazy": Case(
        f'<p style="height: 9000px">Far below</p><img id="target" loading="lazy" src="{{face}}"'
        f' {SIZE} alt="">'
    ),
    "data": Case(
        f'<img id="target" src="data:{{kind}};base64,{{data}}" {SIZE} alt="">', in_data=True
    ),
    "blob": Case(BLOB, in_data=True),
    "blob under a strict policy": Case(
        BLOB,
        in_data=True,
        headers=(
            (
                "Content_Security_Policy",
                "default-src 'none'; script-src 'unsafe-inline'; img-src blob:; connect-src 'none'",
            ),
        ),
    ),
    "svg": Case(
        '<svg width="400" height="400" viewBox="0 0 512 512">'
        '<image id="target" href="{face}" width="512" height="512"/></svg>',
        told=False,
    ),
    "background": Case(
        '<div id="target" style="width: 400px; height: 400px; background: url({face}) 50% 50% /'
        ' cover"></div>',
        told=False,
    ),
    "before": Case(
        "<style>#target {{ position: relative; width: 400px; height: 400px; }} #target::before {{"
        "content: ''; position: absolute; inset: 0; background: url({face}) 50% 50% / cover }}"
        '</style><div id="target"></div>',
        told=False,
    ),
    "poster": Case(
        f'<video id="target" poster="{{face}}" {SIZE} style="object-fit: fill"></video>', told=False
    ),
    "overlay": Case(
        f'<div style="position: relative; width: 400px"><img id="target" src="{{face}}" {SIZE}'
        ' alt=""><a id="cover" href="#elsewhere" style="position: absolute; inset: 0"></a></div>',
        click="#cover",
        told=False,
    ),
    "lightbox": Case(
        f'<img src="{{small}}" {SIZE} alt=""><div style="position: fixed; inset: 0; background:'
        f' #000c; z-index: 2147483647; display: grid; place-items: center"><img id="target"'
        f' src="{{face}}" {SIZE} alt=""><div id="cover" style="position: absolute; inset: 0;'
        ' z-index: 5"></div></div>',
        click="#cover",
        told=False,
        small=True,
    ),
    "dialog": Case(
        f'<dialog id="dialog"><img id="target" src="{{face}}" {SIZE} alt=""></dialog>'
        "<script>document.getElementById('dialog').showModal()</script>"
    ),
    "shadow root": Case(
        '<div id="host"></div><script>document.getElementById("host")'
        '.attachShadow({{mode: "open"}}).innerHTML ='
        f' `<img id="target" src="{{face}}" {SIZE} alt="">`</script>'
    ),
    "strict policy": Case(
        f'<img id="target" src="{{face}}" {SIZE} alt="">',
        headers=(("Content_Security_Policy", "default-src 'none'; img-src http:"),),
    ),
    "hostile styles": Case(HOSTILE + '<img id="target" src="{face}" alt="">'),
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", CASES)
def test_the_picture_itself_is_sent_and_marked(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face, name: str
) -> None:
    case, data = CASES[name], face()
    small = web.put(face(size=128)) if case.small else ""
    where = "" if case.in_data else web.put(data, kind=case.kind)
    text = base64.b64encode(data).decode() if case.in_data else ""
    html = case.html.format(face=where, small=small, data=text, kind="image/jpeg")
    page = open_page(html, **dict(case.headers))
    overlay = Overlay(page, proxy.url)
    proxy.hold()
    extension.check(page, page.locator(case.click), case.told)
    expect(overlay.chip).to_have_attribute("data-state", UNDER_WAY)
    proxy.release()
    report = overlay.report()
    assert report["sha256"] == sha256(data)
    assert [one.sha256 for one in proxy.checks()] == [sha256(data)]
    target = page.locator(case.over)
    overlay.lies_over(target)
    if name != "svg":
        overlay.marks_faces(target, report)
    chip_is_on_top(overlay)


def test_a_page_on_the_same_site_reads_a_picture_that_is_called_a_page(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    data = face()
    page = open_page(f'<img id="target" src="{web.put(data, PAGES, "text/html")}" {SIZE} alt="">')
    extension.check(page, page.locator("#target"), told=True)
    assert Overlay(page, proxy.url).report()["sha256"] == sha256(data)


def test_a_server_under_a_path_of_its_host(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    proxy.prefix = "/desk/unmask"
    server = f"{proxy.url}/desk/unmask"
    extension.reset(serverUrl=server)
    data = face(altered=True)
    page = open_page(f'<img id="target" src="{web.put(data)}" {SIZE} alt="">')
    extension.check(page, page.locator("#target"), told=True)
    overlay = Overlay(page, server)
    assert overlay.report()["sha256"] == sha256(data)
    link = overlay.part("report-link").get_attribute("href") or ""
    assert link.startswith(f"{server}/c/")
    overlay.part("heatmap-switch").click()
    expect(overlay.part("heatmap")).to_be_visible()
    assert {one.path.partition("/v1/")[0] for one in proxy.received} == {"/desk/unmask"}


def chip_is_on_top(overlay: Overlay) -> None:
    """A click where the chip is meets the chip, whatever the page lays above."""
    overlay.closes()
    overlay.chip.click()
    expect(overlay.panel).to_be_visible()
    overlay.chip.click()
    expect(overlay.panel).to_have_count(0)


def test_an_address_is_read_with_the_cookies_of_a_member(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    data = face()
    html = f'<img id="target" src="{web.put(data, MEMBERS)}" {SIZE} alt="">'
    page = open_page(html)
    assert page.locator("#target").evaluate("image => image.naturalWidth") == 0
    page.goto(web.url(MEMBERS, "/login"))
    page.goto(web.page(html, MEMBERS))
    extension.check(page, page.locator("#target"), told=True)
    assert Overlay(page, proxy.url).report()["sha256"] == sha256(data)
    page.context.clear_cookies()


def test_a_link_to_a_picture_is_checked(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    data = face()
    page = open_page(f'<p style="margin: 90px"><a id="target" href="{web.put(data)}">A photo</a>')
    extension.check(page, page.locator("#target"))
    assert Overlay(page, proxy.url).report()["sha256"] == sha256(data)


def test_where_a_host_refuses_the_browser_the_server_asks(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    data = face()
    page = open_page(f'<img id="target" src="{web.put(data, WARY)}" {SIZE} alt="">')
    extension.check(page, page.locator("#target"), told=True)
    assert Overlay(page, proxy.url).report()["sha256"] == sha256(data)
    assert data not in proxy.checks()[-1].body
    agents = [one.headers["User-Agent"] for one in web.asked if one.host == WARY]
    assert any(agent.startswith("Unmask/") for agent in agents)


def test_where_nobody_gets_the_bytes_there_is_a_way_out(
    extension: Extension,
    proxy: FaultProxy,
    open_page: OpenPage,
    web: Web,
    face: Face,
    tmp_path: Path,
) -> None:
    data = face()
    page = open_page(f'<img id="target" src="{web.put(data, CLOSED)}" {SIZE} alt="">')
    overlay = Overlay(page, proxy.url)
    extension.check(page, page.locator("#target"), told=True)
    expect(overlay.chip).to_have_attribute("data-state", "error")
    expect(overlay.part("message")).not_to_be_empty()
    expect(overlay.part("capture")).to_be_visible()
    file = tmp_path / "saved.jpg"
    file.write_bytes(data)
    with page.expect_file_chooser() as chooser:
        overlay.part("choose-file").click()
    chooser.value.set_files(file)
    assert overlay.report()["sha256"] == sha256(data)


def test_the_visible_area_is_captured_where_nobody_gets_the_bytes(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    page = open_page(f'<img id="target" src="{web.put(face(), CLOSED)}" {SIZE} alt="">')
    overlay = Overlay(page, proxy.url)
    extension.check(page, page.locator("#target"), told=True)
    expect(overlay.chip).to_have_attribute("data-state", "error")
    overlay.part("capture").click()
    report = overlay.report()
    size = report["image"]
    assert abs(size["width"] / size["height"] - 1) < 0.02, "more or less than the picture"
    assert size["width"] >= 380
    overlay.marks_faces(page.locator("#target"), report, slack=2)


@pytest.mark.parametrize("host", [LOCAL[1], OTHER])
def test_a_picture_in_a_frame_is_checked(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face, host: str
) -> None:
    data = face()
    inner = web.page(f'<p>Above<p><img id="target" src="{web.put(data)}" {SIZE} alt="">', host)
    page = open_page(
        f'<p style="height: 90px">Above</p><iframe src="{inner}" width="600" height="600"></iframe>'
    )
    frame = next(one for one in page.frames if one.url == inner)
    target = frame.locator("#target")
    extension.check(page, target, told=True, frame=frame)
    overlay = Overlay(page, proxy.url, frame)
    report = overlay.report()
    assert report["sha256"] == sha256(data)
    overlay.lies_over(target)


def test_where_nothing_is_found_it_is_said_so(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage
) -> None:
    page = open_page('<p id="target" style="margin: 90px">Words alone.')
    extension.check(page, page.locator("#target"))
    overlay = Overlay(page, proxy.url)
    expect(overlay.panel.or_(overlay.part("picker"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(overlay.panel.or_(overlay.part("picker"))).to_have_count(0)
    assert proxy.checks() == []


def test_where_the_click_was_not_seen_the_person_points(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, face: Face
) -> None:
    """Without the right to read every site nobody knows where the right click was."""
    data = face()
    html = (
        f'<div id="target" style="width: 400px; height: 400px; background: url({web.put(data)})">'
    )
    page = open_page(html)
    extension.choose(page, "check-image")
    overlay = Overlay(page, proxy.url)
    expect(overlay.part("picker")).to_be_visible()
    page.locator("#target").click()
    assert overlay.report()["sha256"] == sha256(data)


def test_a_webp_is_marked_as_the_browser_shows_it(
    extension: Extension, proxy: FaultProxy, open_page: OpenPage, web: Web, portrait: Pixels
) -> None:
    """Its EXIF says that it is upside down, which Chromium does not heed for a WebP."""
    exif, out = Image.Exif(), BytesIO()
    exif[0x0112] = 3
    Image.fromarray(portrait).save(out, "WEBP", quality=90, exif=exif.tobytes())
    address = web.put(out.getvalue(), kind="image/webp")
    page = open_page(f'<img id="target" src="{address}" width="512" height="512" alt="">')
    extension.check(page, page.locator("#target"), told=True)
    x, y, width, height = Overlay(page, proxy.url).report()["faces"][0]["box"]
    assert x < 224 < x + width
    assert y < 140 < y + height
