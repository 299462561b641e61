"""Makes the pictures of the extension that the docs show, into docs/extension/.

Run it from the root of the repository, with the extension built (``make extension``):
``python -m scripts.extension_screenshots``. The only photograph in them is scikit-image's portrait
of Eileen Collins (NASA, public domain), as it is and with the face exchanged by a blend. Server,
worker and model are the real ones.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import skimage.data
from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

from benchmarks.extension import service
from benchmarks.service import made
from tests.browser.extension.chromium import Extension, running_chromium
from tests.browser.extension.conftest import blended
from tests.browser.extension.loop import running_loop
from tests.browser.extension.overlay_asserts import VERDICTS, Overlay
from tests.browser.extension.web import Web

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "extension" / "build" / "test"
OUT = ROOT / "docs" / "extension"
ARTICLE = """<style>
  body { margin: 0; font: 17px/1.6 Georgia, serif; color: #222; background: #fbfaf7; }
  main { max-width: 58rem; margin: 0 auto; padding: 1.5rem 2rem; }
  h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .4rem; }
  .by { color: #666; font: 14px system-ui; margin: 0 0 1.2rem; }
  figure { margin: 0; float: left; width: 24rem; padding-right: 1.6rem; }
  figure img { width: 100%%; display: block; }
  figcaption { font: 13px system-ui; color: #666; padding-top: .4rem; }
  .grid { display: grid; grid-template-columns: repeat(3, 12rem); gap: 1rem; }
  .grid img { width: 12rem; height: 12rem; object-fit: cover; display: block; }
</style><main><h1>The commander speaks</h1><p class="by">A page of the web, 12 May</p>%s</main>"""
TITLES = ("Before the flight", "In uniform", "At the desk", "On the pad", "A portrait", "The suit")
STORY = """<figure><img id="target" src="%s" alt="A portrait"><figcaption>The photo that was sent to
the desk.</figcaption></figure><p>The picture went from hand to hand since the morning. Nobody knew
who had taken it, and the face looked a little too smooth.</p><p>A right click and “Check image” is
all it takes to have it examined: by the desk's own server, where it lies.</p>"""


def main() -> None:
    """Take them all, and say how large they are."""
    if not BUILD.exists():
        sys.exit("There is no build of the extension: run `make extension` first.")
    OUT.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        studio = Studio(stack)
        for take in (studio.overlay, studio.gallery, studio.popup, studio.options):
            take()
    for path in sorted(OUT.glob("*.png")):
        sys.stdout.write(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes\n")


class Studio:
    """A browser with the extension, before a real server."""

    def __init__(self, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        loop = stack.enter_context(running_loop())
        self.web = Web()
        loop.run(self.web.start())
        stack.callback(lambda: loop.run(self.web.stop()))
        playwright = stack.enter_context(sync_playwright())
        chromium = running_chromium(
            playwright,
            BUILD,
            made(folder / "profile"),
            f"--host-resolver-rules={self.web.resolver_rules}",
            viewport={"width": 1000, "height": 560},
            color_scheme="light",
        )
        self.extension: Extension = stack.enter_context(chromium)
        self.server = stack.enter_context(service(made(folder / "service"), self.extension.base))
        self.extension.reset(serverUrl=self.server)
        portrait = skimage.data.astronaut()
        self.plain, self.altered = portrait, blended(portrait)

    def page(self, inside: str) -> tuple[Page, Overlay]:
        """A page with this in it, and what the extension shows there."""
        page = self.extension.context.new_page()
        page.goto(self.web.page(ARTICLE % inside))
        page.bring_to_front()
        page.wait_for_load_state("networkidle")
        return page, Overlay(page, self.server)

    def overlay(self) -> None:
        """One picture: its chip, boxes, the region and the panel; then with the heatmap."""
        page, overlay = self.page(STORY % self.web.put(jpeg(self.altered)))
        self.extension.check(page, page.locator("#target"), told=True)
        overlay.verdict()
        expect(overlay.panel).to_be_visible()
        overlay.lies_over(page.locator("#target"))
        save(page, "overlay")
        overlay.part("heatmap-switch").click()
        expect(overlay.part("heatmap")).to_be_visible()
        save(page, "heatmap")
        page.close()

    def gallery(self) -> None:
        """All pictures of a page, and the list of them."""
        pictures = [cut(self.plain), self.altered, cut(self.altered), self.plain[:, ::-1]]
        pictures += [cut(self.plain)[:, ::-1], self.plain[260:]]
        named = zip(pictures, TITLES, strict=True)
        shown = (f'<img src="{self.web.put(jpeg(one))}" alt="{title}">' for one, title in named)
        page, overlay = self.page(f'<div class="grid">{"".join(shown)}</div>')
        self.extension.choose(page, "check-page")
        expect(overlay.part("page-item")).to_have_count(len(pictures))
        for number in range(len(pictures)):
            expect(overlay.part("page-item").nth(number)).to_have_attribute("data-state", VERDICTS)
        save(page, "page")
        page.close()

    def popup(self) -> None:
        """The toolbar's popup with what was checked before."""
        popup = self.extension.page("popup.html")
        popup.set_viewport_size({"width": 380, "height": 560})
        expect(popup.locator("[data-part=server-state]")).to_have_attribute("data-state", "ready")
        save(popup, "popup")
        popup.close()

    def options(self) -> None:
        """The settings."""
        options = self.extension.page("options.html")
        options.locator("#server-url").fill("http://127.0.0.1:8080")
        save(options, "options", options.locator("#form"))
        options.close()


def cut(portrait: Any) -> Any:
    """The head and shoulders of it."""
    return portrait[20:340, 60:380]


def jpeg(pixels: Any) -> bytes:
    """Pixels as a JPEG."""
    out = BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90)
    return out.getvalue()


def save(page: Page, name: str, part: Locator | None = None) -> None:
    """A picture of the page or a part of it, of few colours: it is small, and nobody sees it."""
    page.wait_for_timeout(400)  # for what fades in
    few_colours((part or page).screenshot()).save(OUT / f"{name}.png", optimize=True)


def few_colours(screenshot: bytes) -> Image.Image:
    """A screenshot in 256 colours."""
    taken = Image.open(BytesIO(screenshot)).convert("RGB")
    return taken.quantize(256, kmeans=3, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()
