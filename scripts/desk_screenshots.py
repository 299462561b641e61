"""Makes the pictures of the team desk that the docs show, into docs/desk/.

Run it from the root of the repository: ``python -m scripts.desk_screenshots``. It walks through a
team's first morning as docs/desk.md tells it. The only photograph is scikit-image's portrait of
Eileen Collins (NASA, public domain), as it is, mirrored, cropped, and with the face exchanged by a
blend. Server, worker and model are the real ones.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import skimage.data
from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks.service import made, process
from scripts.extension_screenshots import cut, few_colours, jpeg
from tests.browser.conftest import CHROMIUM, done
from tests.browser.extension.conftest import blended

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "desk"
TEAM = "fact-desk"
#: Milliseconds that a page may take on a slow machine.
PATIENCE = 120_000


def main() -> None:
    """Take them all, and say how large they are."""
    OUT.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url, token = stack.enter_context(_service(made(folder / "service")))
        playwright = stack.enter_context(sync_playwright())
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        stack.callback(chromium.close)
        Morning(chromium, url, folder).walk(token)
    for path in sorted(OUT.glob("*.png")):
        sys.stdout.write(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes\n")


@contextmanager
def _service(data: Path) -> Iterator[tuple[str, str]]:
    """``unmask up`` with a team, and with the name of a provider, which nobody asks: its URL, and
    the token of the link for the team's first admin."""
    unmask = [sys.executable, "-m", "unmask"]
    with socket.socket() as free:  # a passkey belongs to an address that is known beforehand
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    settings = {
        "UNMASK_PORT": port,
        "UNMASK_OIDC_ISSUER": "https://login.example.org",
        "UNMASK_OIDC_CLIENT_ID": "unmask",
        "UNMASK_OIDC_NAME": "Example News",
    }
    with process(*unmask, "up", data=data, out=subprocess.PIPE, **settings) as running:
        url = running.stdout.readline().decode().split()[1]
        create = [*unmask, "desk", "team", "create", TEAM, "--name", "The fact desk"]
        environment = os.environ | {"UNMASK_DATA": str(data)}
        told = subprocess.run(  # noqa: S603
            create, env=environment, check=True, capture_output=True, text=True
        )
        yield url, told.stdout.partition("/join/")[2].strip()


class Morning:
    """Two people and their first cases."""

    def __init__(self, chromium: Browser, url: str, folder: Path) -> None:
        self.chromium, self.url, self.folder = chromium, url, folder
        self.team = f"{url}/t/{TEAM}"

    def walk(self, token: str) -> None:
        """From the link of the first admin to the report."""
        ada = self._join(token, "Ada Okafor", "ada", picture="join")
        self._sign_in()
        ada.goto(f"{self.team}/settings")
        ada.get_by_label("Invite a person as").select_option("checker")
        ada.get_by_role("button", name="Make a link").click()
        invitation = ada.locator(".done code.secret").inner_text().partition("/join/")[2]
        ada.get_by_label("A second opinion is due").select_option("always")
        ada.locator("form", has_text="A second opinion is due").get_by_role("button").click()
        ben = self._join(invitation, "Ben Mehta", "ben")
        self._send(ada)
        ben.goto(f"{self.team}/2")
        ada.goto(self.team)
        save(ada, "queue")
        ada.goto(f"{self.team}/1")
        ada.get_by_role("button", name="Claim").click()
        ada.get_by_label("Manipulated").check()
        ada.locator("#task textarea").first.fill(
            "The face is lit from the left, the collar from the right."
        )
        save(ada, "case")
        ada.get_by_role("button", name="Decide").click()
        ben.goto(f"{self.team}/1")
        save(ben, "second", scroll="#task")
        ben.get_by_label("Manipulated").check()
        ben.locator("#task textarea").first.fill(
            "The archive of 1992 has the same photograph with another face."
        )
        ben.get_by_role("button", name="Give the second opinion").click()
        self._publish(ada)

    def _join(self, token: str, name: str, login: str, picture: str = "") -> Page:
        """A browser of this person's own, signed in by the link."""
        page = self.chromium.new_context(viewport={"width": 1000, "height": 720}).new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{self.url}/join/{token}")
        page.get_by_label("Your name").fill(name)
        page.get_by_label("Login").fill(login)
        if picture:
            save(page, picture)
        page.get_by_label("Password").fill("for the pictures alone")
        page.get_by_role("button", name="Join the team").click()
        page.wait_for_url(f"{self.team}")
        return page

    def _sign_in(self) -> None:
        """The ways in, at the address at which all of them work."""
        page = self.chromium.new_context(viewport={"width": 1000, "height": 720}).new_page()
        page.goto(f"{self.url.replace('127.0.0.1', 'localhost')}/sign-in")
        page.get_by_role("button", name="passkey").wait_for()
        save(page, "sign-in")

    def _send(self, page: Page) -> None:
        """Check photos on the start page, and send each to the team."""
        portrait = skimage.data.astronaut()
        pictures: list[tuple[str, Any]] = [
            ("The commander before the flight", blended(portrait)),
            ("A portrait that went round", portrait[:, ::-1]),
            ("", cut(portrait)),
        ]
        for title, pixels in pictures:
            path = self.folder / "photo.jpg"
            path.write_bytes(jpeg(pixels))
            page.goto(self.url)
            page.set_input_files("#file", path)
            done(page)
            page.get_by_role("button", name="Send to The fact desk").click()
            page.wait_for_url(f"{self.team}/*")
            if title:
                page.get_by_label("Title", exact=True).fill(title)
                page.get_by_role("button", name="Save").click()

    def _publish(self, page: Page) -> None:
        page.goto(f"{self.team}/1")
        page.get_by_role("button", name="Publish").click()
        page.get_by_role("link", name="Public report").click()
        expect(page.locator(".report-verdict")).to_be_visible()
        save(page, "report")


def save(page: Page, name: str, scroll: str = "") -> None:
    """A picture of what the window shows, of few colours."""
    page.mouse.move(0, 0)
    page.wait_for_load_state("load")
    if scroll:
        page.locator(scroll).scroll_into_view_if_needed()
    page.wait_for_timeout(400)  # for what fades in
    few_colours(page.screenshot()).save(OUT / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
