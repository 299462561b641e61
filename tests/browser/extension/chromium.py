"""Chromium with the extension loaded: what people do with it, and what they then see."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import BrowserContext, Frame, Locator, Page, Playwright, Worker

PROGRAM = "/usr/bin/chromium"
#: Time for what should happen to happen, on a machine that is busy with other things.
SECONDS = 60
Result = TypeVar("Result")

DISPATCH = """async ([url, frameUrl, info]) => {
  const tab = (await chrome.tabs.query({})).find((one) => one.url === url);
  if (frameUrl !== null) {
    const target = { tabId: tab.id, allFrames: true };
    const frames = await chrome.scripting.executeScript({ target, func: () => location.href });
    info.frameId = frames.find((one) => one.result === frameUrl).frameId;
  }
  const now = performance.timeOrigin + performance.now();
  chrome.contextMenus.onClicked.dispatch({ editable: false, pageUrl: url, ...info }, tab);
  return now;
}"""
#: Where a drawing is, without its stroke.
SHAPE = """(shape) => {
  const { x, y, width, height } = shape.getBBox(), to = shape.getScreenCTM();
  const corners = [[0, 0], [width, 0], [0, height], [width, height]];
  const points = corners.map(([dx, dy]) => new DOMPoint(x + dx, y + dy).matrixTransform(to));
  const [xs, ys] = [points.map((point) => point.x), points.map((point) => point.y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { x: left, y: top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}"""


@dataclass(frozen=True)
class Rect:
    """A rectangle of the tab's viewport, in CSS pixels."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def of(cls, place: Locator) -> Rect:
        """Of an element in the tab's viewport, wherever its frame is; strokes count."""
        box = place.bounding_box()
        assert box is not None, "it is not shown"
        return cls(**box)

    @classmethod
    def of_shape(cls, place: Locator) -> Rect:
        """Of a drawing in its frame's viewport; strokes do not count."""
        return cls(**place.evaluate(SHAPE))

    def off(self, other: Rect) -> float:
        """How far the sides lie apart at most."""
        return max(
            abs(self.x - other.x),
            abs(self.y - other.y),
            abs(self.x + self.width - other.x - other.width),
            abs(self.y + self.height - other.y - other.height),
        )

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


class Extension:
    """The extension in a running Chromium."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        found = context.service_workers
        self.worker: Worker = found[0] if found else context.wait_for_event("serviceworker")
        self.base = self.worker.url.rsplit("/", 1)[0]
        #: A page of the extension without a script of its own: it stays open, for what the worker
        #: cannot do because it is stopped.
        self.home = context.pages[0]
        self.home.goto(f"{self.base}/manifest.json")

    def reset(self, **settings: Any) -> None:
        """As freshly installed, but for these settings."""
        self.stop_worker()
        self.home.evaluate(
            """async (settings) => {
              // The settings' going wakes a worker, which must find no checks of before.
              await chrome.storage.session.clear();
              await chrome.storage.local.clear();
              await chrome.storage.local.set({ settings });
              await chrome.runtime.sendMessage("wake up").catch(() => null);
            }""",
            settings,
        )

    def kept(self, area: str, name: str) -> Any:
        return self.worker.evaluate(
            "async ([area, name]) => (await chrome.storage[area].get(name))[name]", [area, name]
        )

    def choose(self, page: Page, item: str, frame: Frame | None = None, **info: Any) -> float:
        """A click on an item of the context menu; when it was, in milliseconds since 1970."""
        where = [page.url, frame.url if frame else None]
        when: float = self.worker.evaluate(DISPATCH, [*where, info | {"menuItemId": item}])
        return when

    def check(
        self, page: Page, target: Locator, told: bool = False, frame: Frame | None = None
    ) -> float:
        """Right-click ``target`` and choose "Check image"; ``told``: the browser knows the
        picture's address and tells it. When it was chosen, in milliseconds since 1970."""
        target.scroll_into_view_if_needed()
        x, y = Rect.of(target).centre
        page.mouse.move(x, y)
        page.mouse.click(x, y, button="right")
        info: dict[str, Any] = {}
        if told:
            info["mediaType"] = "image"
            info["srcUrl"] = target.evaluate("image => image.currentSrc || image.src")
        link = target.evaluate("node => node.closest('a[href]')?.href ?? null")
        if link:
            info["linkUrl"] = link
        return self.choose(page, "check-image", frame, **info)

    def page(self, name: str) -> Page:
        """One of the extension's own pages, in a tab."""
        page = self.context.new_page()
        page.goto(f"{self.base}/{name}")
        return page

    def stop_worker(self) -> None:
        """End the service worker as Chromium does when it has been idle."""
        session = self.context.new_cdp_session(self.home)
        session.send("ServiceWorker.enable")
        session.send("ServiceWorker.stopAllWorkers")
        session.detach()

    def popup(self) -> Popup:
        """The toolbar's popup, as the toolbar opens it: over the tab in front."""
        self.worker.evaluate("() => chrome.action.openPopup()")
        return Popup(self.context, f"{self.base}/popup.html")


class Popup:
    """The open popup, which Playwright does not count among the pages."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self._page = context.pages[0]
        self._session = context.new_cdp_session(self._page)
        self._session.on("Target.receivedMessageFromTarget", self._received)
        self._answers: dict[int, Any] = {}
        self._id = ""
        target = eventually(lambda: self._target(url))
        how = {"targetId": target, "flatten": False}
        self._id = self._session.send("Target.attachToTarget", how)["sessionId"]

    def evaluate(self, expression: str) -> Any:
        """What an expression in the popup yields; raises where it throws."""
        number = len(self._answers) + 1
        self._answers[number] = None
        how = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        message = {"id": number, "method": "Runtime.evaluate", "params": how}
        self._session.send(
            "Target.sendMessageToTarget", {"sessionId": self._id, "message": json.dumps(message)}
        )
        told = eventually(lambda: self._answer(number), pause=self._page.wait_for_timeout)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def _answer(self, number: int) -> Any:
        assert self._answers[number] is not None, "the popup did not answer"
        return self._answers[number]

    def _received(self, event: dict[str, Any]) -> None:
        message = json.loads(event["message"])
        if event["sessionId"] == self._id and "id" in message:
            self._answers[message["id"]] = message["result"]

    def _target(self, url: str) -> str:
        found = self._session.send("Target.getTargets")["targetInfos"]
        ours = [one["targetId"] for one in found if one["url"] == url and not one["attached"]]
        assert len(ours) == 1, found
        return str(ours[0])


def eventually(
    look: Callable[[], Result],
    seconds: float = SECONDS,
    pause: Callable[[float], None] = lambda milliseconds: time.sleep(milliseconds / 1000),
) -> Result:
    """What ``look`` returns once its assertions hold; the last one's failure if they never do."""
    end = time.monotonic() + seconds
    while True:
        try:
            return look()
        except AssertionError:
            if time.monotonic() > end:
                raise
        pause(50)


@contextmanager
def running_chromium(
    playwright: Playwright, build: Path, profile: Path, *arguments: str, **options: Any
) -> Iterator[Extension]:
    """Chromium with the extension in ``build``, until the end of the block."""
    assert Path(PROGRAM).exists(), "Chromium is missing: run tests/browser/install.sh"
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=PROGRAM,
        headless=True,
        args=[
            "--no-sandbox",
            f"--disable-extensions-except={build}",
            f"--load-extension={build}",
            *arguments,
        ],
        **({"viewport": {"width": 1000, "height": 800}} | options),
    )
    context.set_default_timeout(SECONDS * 1000)
    try:
        yield Extension(context)
    finally:
        context.close()
