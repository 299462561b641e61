"""What a check shows on the page, and what it should show."""

from __future__ import annotations

import re
from typing import Any

import httpx
from playwright.sync_api import Frame, Locator, Page, expect

from tests.browser.extension.chromium import Rect, eventually

VERDICTS = re.compile("^(fake|unsure|real|no_face)$")
UNDER_WAY = re.compile("^(waiting|checking)$")

#: Where a picture of w x h pixels is drawn in an element, transforms of its own aside.
DRAWN = """(node, [w, h]) => {
  const style = getComputedStyle(node), outer = node.getBoundingClientRect();
  const side = (name) => parseFloat(style[name]) || 0;
  const replaced = ["IMG", "VIDEO"].includes(node.tagName);
  const pad = (name) => side(`border${name}Width`) + (replaced ? side(`padding${name}`) : 0);
  const room = {
    x: outer.x + pad("Left"), y: outer.y + pad("Top"),
    width: outer.width - pad("Left") - pad("Right"),
    height: outer.height - pad("Top") - pad("Bottom"),
  };
  const fit = replaced ? style.objectFit : style.backgroundSize;
  const across = room.width / w, down = room.height / h;
  let [sx, sy] = [across, down];
  if (fit === "cover") sx = sy = Math.max(across, down);
  if (fit === "contain") sx = sy = Math.min(across, down);
  if (fit === "none") sx = sy = 1;
  const at = (replaced ? style.objectPosition : style.backgroundPosition).split(" ");
  const share = at.map((text) => parseFloat(text) / 100);
  return {
    x: room.x + (room.width - w * sx) * share[0], y: room.y + (room.height - h * sy) * share[1],
    width: w * sx, height: h * sy,
  };
}"""


class Overlay:
    """The parts of the extension in a page, or in one frame of it."""

    def __init__(self, page: Page, server: str, frame: Frame | None = None) -> None:
        self.page, self._server, self._in = page, server, frame or page

    def part(self, name: str) -> Locator:
        return self._in.locator(f'unmask-page [data-part="{name}"]')

    @property
    def chip(self) -> Locator:
        return self.part("chip")

    @property
    def panel(self) -> Locator:
        return self.part("panel")

    def verdict(self, count: int = 1) -> str:
        """The chip's verdict, once there is one."""
        expect(self.chip).to_have_count(count)
        for number in range(count):
            expect(self.chip.nth(number)).to_have_attribute("data-state", VERDICTS)
        return self.chip.first.get_attribute("data-state") or ""

    @property
    def check(self) -> str:
        """The id of the check that the chip tells of."""
        return self.chip.get_attribute("data-check") or ""

    def report(self) -> dict[str, Any]:
        """The server's report on what the chip tells of."""
        self.verdict()
        check = self.check
        answer = httpx.get(f"{self._server}/v1/checks/{check}")
        assert answer.status_code == 200, check
        report: dict[str, Any] = answer.json()["report"]
        return report

    def closes(self) -> None:
        """Escape closes the panel and what is drawn with it."""
        self.page.keyboard.press("Escape")
        expect(self.panel).to_have_count(0)
        expect(self.part("overlay")).to_have_count(0)

    def lies_over(self, target: Locator, slack: float = 1) -> None:
        """The overlay lies over the picture, or comes to."""

        def same() -> None:
            there, wanted = Rect.of(self.part("overlay")), Rect.of(target)
            assert there.off(wanted) <= slack, f"{there} is not over {wanted}"

        eventually(same, pause=self.page.wait_for_timeout)

    def marks_faces(self, target: Locator, report: dict[str, Any], slack: float = 1) -> None:
        """A box lies on each face, where the picture's pixels are drawn."""
        assert report["faces"], "the picture has no face"
        size = report["image"]["width"], report["image"]["height"]

        def same() -> None:
            area = Rect(**target.evaluate(DRAWN, list(size)))
            across, down = area.width / size[0], area.height / size[1]
            for number, face in enumerate(report["faces"]):
                x, y, width, height = face["box"]
                wanted = Rect(area.x + x * across, area.y + y * down, width * across, height * down)
                there = Rect.of_shape(self.part(f'box"][data-face="{number}'))
                assert there.off(wanted) <= slack, f"face {number} at {there}, not {wanted}"

        expect(self.part("box")).to_have_count(len(report["faces"]))
        eventually(same, pause=self.page.wait_for_timeout)
