"""Firefox with the extension, driven by WebDriver BiDi; its menus by its own window."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.extension.bidi import Bidi
from tests.browser.extension.chromium import eventually
from tests.browser.extension.loop import Loop

PROGRAM = "firefox-esr"
#: The address under which this profile knows the extension.
UUID = "b1f0c6f4-6a3c-4d5e-9a51-0d8f6f2b7a11"


class Firefox:
    """One running Firefox with the extension."""

    def __init__(self, bidi: Bidi, gecko_id: str) -> None:
        self.bidi, self.id = bidi, gecko_id
        self.base = f"moz-extension://{UUID}"

    def in_window(self, expression: str) -> Any:
        """The value of an expression in the browser's own window, where its menus are."""
        tree = self.bidi.send("browsingContext.getTree", **{"moz:scope": "chrome"})["contexts"]
        window = next(one["context"] for one in tree if one["url"].endswith("browser.xhtml"))
        return self.bidi.evaluate(window, expression)

    def choose(self, context: str, x: float, y: float, item: str) -> None:
        """Right-click a place of a page and choose an item of the extension's."""
        self.bidi.send("browsingContext.activate", context=context)
        self.bidi.press(context, x, y, button=2)
        name = re.sub(r"[^a-z0-9_-]", "_", self.id.lower())
        self.in_window(CHOOSE % json.dumps([name, item]))


CHOOSE = """(async ([extension, id]) => {
  const menu = document.getElementById("contentAreaContextMenu");
  if (menu.state !== "open")
    await new Promise((shown) => menu.addEventListener("popupshown", shown, { once: true }));
  const end = `${extension}-menuitem-_${id}`;
  const item = [...menu.querySelectorAll("menuitem")].find((one) => one.id.endsWith(end));
  const hidden = new Promise((gone) => menu.addEventListener("popuphidden", gone, { once: true }));
  for (let above = item.parentNode; above !== menu; above = above.parentNode)
    if (above.openPopup) {
      const open = new Promise((shown) =>
        above.addEventListener("popupshown", shown, { once: true }));
      above.openPopup();
      await open;
    }
  item.closest("menupopup").activateItem(item);
  await hidden;
})(%s)"""


#: Nothing but loopback is reached, and what is asked of the person is granted.
QUIET = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.no_proxies_on": "localhost,127.0.0.1",
    "extensions.webextOptionalPermissionPrompts": False,
}


@contextmanager
def running_firefox(loop: Loop, build: Path, profile: Path, **prefs: Any) -> Iterator[Firefox]:
    """Firefox with the extension in ``build``, until the end of the block."""
    program = shutil.which(PROGRAM)
    assert program, "Firefox ESR is missing: run tests/browser/install.sh"
    gecko = json.loads((build / "manifest.json").read_text())["browser_specific_settings"]["gecko"]
    wanted = {"extensions.webextensions.uuids": json.dumps({gecko["id"]: UUID})} | QUIET | prefs
    lines = (
        f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in wanted.items()
    )
    (profile / "user.js").write_text("\n".join(lines))
    command = [program, "--headless", "--no-remote", "--profile", str(profile)]
    command += ["--remote-debugging-port", "0", "--remote-allow-system-access"]
    log = profile / "log"
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as running:
        try:
            bidi = Bidi(loop, eventually(lambda: address_in(log, running)))
            data = {"type": "path", "path": str(build)}
            bidi.send("webExtension.install", extensionData=data)
            yield Firefox(bidi, gecko["id"])
            bidi.close()
        finally:
            running.terminate()
            running.wait(60)


def address_in(log: Path, running: subprocess.Popen[bytes]) -> str:
    """The address that Firefox prints when it listens."""
    if running.poll() is not None:
        raise RuntimeError(f"Firefox did not start:\n{log.read_text()}")
    found = re.search(r"WebDriver BiDi listening on (ws://\S+)", log.read_text())
    assert found, log.read_text()
    return found[1]
