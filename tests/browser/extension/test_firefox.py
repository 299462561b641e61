"""Firefox with what ships: its own menus, its own permissions, closed shadow roots."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browser.extension.bidi import BidiError
from tests.browser.extension.chromium import SHAPE, Rect, eventually
from tests.browser.extension.fault_proxy import FaultProxy
from tests.browser.extension.firefox import Firefox, running_firefox
from tests.browser.extension.loop import Loop
from tests.browser.extension.web import LOCAL, Web

Face = Callable[..., bytes]
#: Everything in our shadow root that has a name: its text, its state, where it is.
PARTS = f"""(root) => [...root.querySelectorAll("[data-part]")]
  .filter((node) => node.checkVisibility()).map((node) => {{
    const {{ x, y, width, height }} = node.getBoundingClientRect();
    const rect = node.getBBox ? ({SHAPE})(node) : {{ x, y, width, height }};
    return {{ ...node.dataset, text: node.textContent, rect }};
  }})"""
STATE = "document.querySelector('[data-part=server-state]')?.dataset.state"


@pytest.fixture(scope="module")
def firefox(loop: Loop, build: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with running_firefox(loop, build / "release", tmp_path_factory.mktemp("firefox")) as running:
        # Who installs it is led to the options, for no server may be reached yet.
        eventually(lambda: tab_of(running, "options.html"))
        yield running


def tab_of(firefox: Firefox, page: str) -> str:
    tree = firefox.bidi.send("browsingContext.getTree")["contexts"]
    found = [one["context"] for one in tree if one["url"] == f"{firefox.base}/{page}"]
    assert found, [one["url"] for one in tree]
    return str(found[0])


@pytest.fixture
def connected(firefox: Firefox, proxy: FaultProxy) -> Firefox:
    """The server is set in the options by hand: in a second tab where the first shows no end."""
    try:
        _save_in_a_tab(firefox, proxy)
    except AssertionError as error:
        asked = [f"{one.method} {one.path}" for one in proxy.received]
        warnings.warn(f"the options said {error} after these requests: {asked}", stacklevel=1)
        _save_in_a_tab(firefox, proxy)
    return firefox


def _save_in_a_tab(firefox: Firefox, proxy: FaultProxy) -> None:
    """Returns once the options say that the server takes checks."""
    bidi = firefox.bidi
    tab = bidi.open(f"{firefox.base}/options.html")
    place = json.dumps(proxy.url)
    bidi.evaluate(tab, f"document.getElementById('server-url').value = {place}")
    at = bidi.evaluate(
        tab,
        "(() => { const it = document.getElementById('save'); it.scrollIntoView();"
        " const { x, y } = it.getBoundingClientRect(); return { x, y } })()",
    )

    def saved() -> None:
        """On a busy machine Firefox may need a moment until a permission just given is in force:
        then the save is tried again, as a person would."""
        told = "(({ dataset, textContent }) => [dataset.state ?? '', textContent])"
        state, words = bidi.evaluate(tab, f"{told}(document.getElementById('save-result'))")
        if state == "error" or not words:
            bidi.press(tab, at["x"] + 5, at["y"] + 5)
        assert state == "ok", words

    eventually(saved)  # the options themselves give a server twice twenty seconds


def test_at_first_no_server_may_be_reached(firefox: Firefox) -> None:
    popup = firefox.bidi.open(f"{firefox.base}/popup.html")

    def unset() -> None:
        assert firefox.bidi.evaluate(popup, STATE) == "not-set"

    eventually(unset)


def test_the_popup_shows_the_server_as_ready(connected: Firefox) -> None:
    popup = connected.bidi.open(f"{connected.base}/popup.html")

    def ready() -> None:
        assert connected.bidi.evaluate(popup, STATE) == "ready"

    eventually(ready)


def test_a_picture_is_checked_and_marked_in_place(
    connected: Firefox, proxy: FaultProxy, web: Web, face: Face
) -> None:
    bidi = connected.bidi
    address = web.put(face(altered=True), LOCAL[0])
    html = f'<p style="height: 60px">Above</p><img src="{address}" width="400" height="400" alt="">'
    html += '<p style="height: 3000px">Below'
    tab = bidi.open(web.page(html, LOCAL[1]))
    connected.choose(tab, 200, 250, "check-image")

    def parts() -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = bidi.call(tab, PARTS, bidi.shadow(tab, "unmask-page"))
        except BidiError as error:
            raise AssertionError(str(error)) from error
        return found

    def part(name: str) -> dict[str, Any]:
        found = [one for one in parts() if one["part"] == name]
        assert len(found) == 1, f"{len(found)} of {name}"
        return found[0]

    def ended() -> dict[str, Any]:
        chip = part("chip")
        assert chip["state"] in {"fake", "unsure", "real", "no_face"}, chip
        return chip

    chip = eventually(ended)
    report = httpx.get(f"{proxy.url}/v1/checks/{chip['check']}").json()["report"]
    said = eventually(lambda: part("sentence"))["text"]
    assert re.sub(r"\s(?=%)", "", said) == report["statement"].replace(" %", "%")
    there = "(() => { const { x, y, width, height } = document.images[0].getBoundingClientRect();"
    there += " return { x, y, width, height } })()"

    def marked() -> None:
        picture = Rect(**bidi.evaluate(tab, there))
        assert Rect(**part("overlay")["rect"]).off(picture) <= 1
        x, y, width, height = (side * 400 / 512 for side in report["faces"][0]["box"])
        wanted = Rect(picture.x + x, picture.y + y, width, height)
        assert Rect(**part("box")["rect"]).off(wanted) <= 1

    for top in (0, 30):
        bidi.evaluate(tab, f"scrollTo(0, {top})")
        eventually(marked)
    bidi.key(tab, "Escape")

    def closed() -> None:
        assert "panel" not in {one["part"] for one in parts()}

    eventually(closed)
