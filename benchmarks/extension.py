"""What the browser extension costs the page it is used on, and the time until it answers.

    python -m benchmarks.extension [--quick]

Chromium loads the extension as it ships, but for two words: it may read every site, since nobody is
there to be asked, and its shadow roots are open to be looked into. It opens a page of 500 pictures
again and again, each time a new one. How long the page's main thread works is what Chromium counts
(``Performance.getMetrics``), less what an empty script costs when it is injected the same way;
beside it stands what the page's own load takes, for machines differ. The way from the click in the
menu to the chip and to the verdict is measured by the page's clock, on a real server with the
shipped model, and told over the server's own time.

Build the extension first: ``make extension``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from io import BytesIO
from itertools import count
from pathlib import Path
from subprocess import PIPE
from typing import Any

import numpy as np
import skimage.data
from PIL import Image
from playwright.sync_api import CDPSession, Page, expect, sync_playwright

from benchmarks.service import made, process
from tests.browser.extension.chromium import Extension, running_chromium
from tests.browser.extension.loop import running_loop
from tests.browser.extension.overlay_asserts import VERDICTS, Overlay
from tests.browser.extension.web import Web

RESULT = Path(__file__).parent / "results" / "extension.json"
BUILD = Path(__file__).parents[1] / "extension" / "build" / "release"
PICTURES = 500
#: What the project promises, in milliseconds of the page's main thread.
MOST_MS = 5.0
#: Milliseconds that a page is left alone, so that work put off is counted too.
REST = 300

#: Seconds of the main thread that Chromium has counted so far.
COUNTED = ("TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration")

#: Notes, by the page's clock, when the chip and when a verdict first stand on the page.
WATCH = """() => {
  const seen = (globalThis.seen = {});
  const note = (name) => { seen[name] ??= performance.timeOrigin + performance.now(); };
  const look = () => {
    const chip = document.querySelector("unmask-page")?.shadowRoot
      ?.querySelector("[data-part=chip]");
    if (!chip) return;
    note("chip");
    if (/^(fake|unsure|real|no_face)$/.test(chip.dataset.state)) note("verdict");
    else if (!seen.watching) {
      seen.watching = true;
      new MutationObserver(look).observe(chip, { attributes: true });
    }
  };
  new MutationObserver(() => {
    look();
    const root = document.querySelector("unmask-page")?.shadowRoot;
    if (root) new MutationObserver(look).observe(root, { childList: true });
  }).observe(document.documentElement, { childList: true });
}"""
LONG_TASKS = """globalThis.longTasks = [];
new PerformanceObserver((found) => globalThis.longTasks.push(...found.getEntries()))
  .observe({ type: "longtask" });"""
INJECT = """async ([url, file]) => {
  const tab = (await chrome.tabs.query({})).find((one) => one.url === url);
  const what = file === null ? { func: () => null } : { files: [file] };
  await chrome.scripting.executeScript({ target: { tabId: tab.id }, ...what });
}"""

Sample = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="three pages, nothing written")
    options = parser.parse_args()
    if not BUILD.exists():
        sys.exit("There is no build of the extension: run `make extension` first.")
    runs = 3 if options.quick else 15
    with ExitStack() as stack:
        bench = Bench(stack)
        injecting = [bench.injected() for _ in range(runs)]
        checks = [bench.checked() for _ in range(runs)]
    result = {"about": about(runs), "injecting": medians(injecting), "check": medians(checks)}
    show(result)
    if not options.quick:
        samples = {"samples": {"injecting": injecting, "check": checks}}
        RESULT.write_text(json.dumps(result | samples, indent=2) + "\n", encoding="utf-8")


class Bench:
    """A browser with the extension, a service, and pages for them."""

    def __init__(self, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="unmask-bench-")))
        loop = stack.enter_context(running_loop())
        self.web = Web()
        loop.run(self.web.start())
        stack.callback(lambda: loop.run(self.web.stop()))
        playwright = stack.enter_context(sync_playwright())
        rules = f"--host-resolver-rules={self.web.resolver_rules}"
        build = as_shipped(folder / "build")
        chromium = running_chromium(playwright, build, made(folder / "profile"), rules)
        self.extension: Extension = stack.enter_context(chromium)
        served = service(made(folder / "service"), self.extension.base)
        self.server = stack.enter_context(served)
        self.extension.reset(serverUrl=self.server)
        self.photos = photos()
        small = self.web.put(jpeg(skimage.data.astronaut()[::4, ::4]), Cache_Control="max-age=600")
        self.images = f'<img src="{small}" width="128" height="128" alt="">' * PICTURES
        for _ in range(2):  # what is loaded once is loaded
            self.injected()
            self.checked()

    def injected(self) -> Sample:
        """Milliseconds of the main thread for the page's own load, and for the injection."""
        page, session = self.page()
        load = counted(session)
        own = sum(load[name] for name in COUNTED[1:])
        empty = self.inject(page, session, None)
        ours = self.inject(page, session, "page.js")
        added = ours["TaskDuration"] - empty["TaskDuration"]
        found = {
            "added_ms": added,
            "script_ms": ours["ScriptDuration"],
            "layout_ms": ours["LayoutDuration"] + ours["RecalcStyleDuration"],
            "empty_script_ms": empty["TaskDuration"],
            "page_ms": own,
            "share_of_page": added / own,
            "long_tasks": long_tasks(page),
        }
        page.close()
        return found

    def inject(self, page: Page, session: CDPSession, file: str | None) -> Sample:
        """What Chromium counted while a script was injected; None for one that does nothing."""
        before = counted(session)
        self.extension.worker.evaluate(INJECT, [page.url, file])
        page.wait_for_timeout(REST)
        after = counted(session)
        return {name: after[name] - before[name] for name in COUNTED}

    def checked(self) -> Sample:
        """Milliseconds from the click in the menu to the chip and to the verdict."""
        page, session = self.page()
        page.evaluate(WATCH)
        before = counted(session)
        clicked = self.extension.check(page, page.locator("#target"), told=True)
        overlay = Overlay(page, self.server)
        expect(overlay.chip).to_have_attribute("data-state", VERDICTS)
        times = page.evaluate("() => globalThis.seen")
        page.wait_for_timeout(REST)
        after = counted(session)
        server = overlay.report()["timings_ms"]["total"]
        found = {
            "chip_ms": times["chip"] - clicked,
            "verdict_ms": times["verdict"] - clicked,
            "server_ms": server,
            "over_server_ms": times["verdict"] - clicked - server,
            "main_thread_ms": after["TaskDuration"] - before["TaskDuration"],
            "long_tasks": long_tasks(page),
        }
        page.close()
        return found

    def page(self) -> tuple[Page, CDPSession]:
        """A page of 500 pictures, loaded and at rest."""
        target = f'<img id="target" src="{self.web.put(next(self.photos))}" width="400" alt="">'
        page = self.extension.context.new_page()
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.add_init_script(LONG_TASKS)
        page.goto(self.web.page(target + self.images))
        page.bring_to_front()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(REST)
        page.evaluate("() => { globalThis.longTasks.length = 0 }")
        return page, session


def as_shipped(folder: Path) -> Path:
    """A copy of the build that ships, which reads every site and shows its shadow roots."""
    shutil.copytree(BUILD, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["host_permissions"] = ["<all_urls>"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    script = folder / "page.js"
    shown, places = re.subn(r"""mode:\s*["'`]closed["'`]""", 'mode:"open"', script.read_text())
    if places == 0:
        raise RuntimeError("page.js opens no shadow root that was looked for")
    script.write_text(shown)
    return folder


def counted(session: CDPSession) -> Sample:
    """Milliseconds of the page's main thread so far, by kind."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    found = {one["name"]: one["value"] * 1000 for one in metrics}
    return {name: found[name] for name in COUNTED}


def long_tasks(page: Page) -> float:
    """How many tasks of more than 50 ms there were since the page came to rest."""
    return float(page.evaluate("() => globalThis.longTasks.length"))


def photos() -> Iterator[bytes]:
    """Photographs of a person, no two alike."""
    portrait = skimage.data.astronaut()
    for number in count(time.time_ns() % 2**31):
        pixels = portrait.copy()
        for bit in range(40):
            pixels[:8, bit * 8 : bit * 8 + 8] = 255 if number >> bit & 1 else 0
        yield jpeg(pixels)


def jpeg(pixels: Any) -> bytes:
    out = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, "JPEG", quality=90)
    return out.getvalue()


@contextmanager
def service(data: Path, origin: str) -> Iterator[str]:
    """``unmask up``, open to the extension; its URL."""
    command = [sys.executable, "-m", "unmask", "up"]
    settings = {"UNMASK_PORT": "0", "UNMASK_EXTENSION_ORIGINS": origin}
    with process(*command, data=data, out=PIPE, **settings) as running:
        yield running.stdout.readline().decode().split()[1]


def medians(samples: list[Sample]) -> Sample:
    return {name: round(statistics.median(one[name] for one in samples), 3) for name in samples[0]}


def show(result: dict[str, Any]) -> None:
    cost, check = result["injecting"], result["check"]
    print(f"injecting into a page of {PICTURES} pictures, main thread, median")
    print(f"  {cost['added_ms']:7.2f} ms more than an empty script")
    print(f"  {cost['script_ms']:7.2f} ms of it scripts, {cost['layout_ms']:.2f} ms layout")
    print(f"  {cost['page_ms']:7.2f} ms for the page's own scripts, styles and layout")
    print(f"  {cost['share_of_page']:7.1%} of that")
    print(f"at most {MOST_MS:g} ms: {'met' if cost['added_ms'] <= MOST_MS else 'MISSED'}")
    print("from the click in the menu, median")
    print(f"  {check['chip_ms']:7.1f} ms to the chip")
    print(f"  {check['verdict_ms']:7.1f} ms to the verdict")
    over, server = check["over_server_ms"], check["server_ms"]
    print(f"  {over:7.1f} ms of it beside the server's own {server:.1f}")
    print(f"  {check['main_thread_ms']:7.1f} ms of the main thread, all that is drawn included")
    print(f"tasks of more than 50 ms: {cost['long_tasks']:g} and {check['long_tasks']:g} a page")


def about(runs: int) -> dict[str, Any]:
    manifest = json.loads((BUILD / "manifest.json").read_text())
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "machine": platform.platform(),
        "extension": manifest["version"],
        "page_js_bytes": (BUILD / "page.js").stat().st_size,
        "pictures": PICTURES,
        "pages": runs,
        "target_ms": MOST_MS,
    }


if __name__ == "__main__":
    main()
