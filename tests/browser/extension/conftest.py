"""The extension in a real browser, before a real server, a real worker and the shipped model."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, Playwright, expect, sync_playwright

from tests.browser.extension.chromium import SECONDS, Extension, running_chromium
from tests.browser.extension.fault_proxy import FaultProxy
from tests.browser.extension.loop import Loop, running_loop
from tests.browser.extension.web import Web
from tests.server.server_process import Service, photo, running_service, served_in_thread
from tests.unmask.fetch.hostile import LOOPBACK, loopback
from unmask.fetch import Fetcher
from unmask.settings import SHIPPED_MODEL

ROOT = Path(__file__).parents[3] / "extension"
#: The Chrome id that the manifest's key fixes, and any Firefox.
ORIGINS = "chrome-extension://{id} moz-extension://*"


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the builds for release and for tests, made from the source as it stands."""
    for program in ("node", "npm"):
        assert shutil.which(program), f"{program} is missing: the extension cannot be built"
    if not (ROOT / "node_modules").exists():
        run("npm", "ci", "--no-audit", "--no-fund")
    run("npm", "run", "--silent", "build")
    folder = tmp_path_factory.mktemp("build")
    for kind in ("release", "test"):
        shutil.copytree(ROOT / "build" / kind, folder / kind)
    return folder


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    with running_loop() as running:
        yield running


@pytest.fixture(scope="session")
def web(loop: Loop) -> Iterator[Web]:
    found = Web()
    loop.run(found.start())
    yield found
    loop.run(found.stop())


@pytest.fixture(scope="session")
def real_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("extension"), SHIPPED_MODEL) as running:
        yield running


@pytest.fixture(scope="session")
def server(real_service: Service, web: Web, chrome_id: str) -> Iterator[str]:
    """The real server; its own fetches reach the hosts of :mod:`web`."""

    def fetcher() -> Fetcher:
        return Fetcher(10**7, 5, opened=LOOPBACK, ports={web.port}, lookup=loopback)

    with served_in_thread(
        real_service, fetcher, extension_origins=ORIGINS.format(id=chrome_id)
    ) as url:
        yield url


@pytest.fixture(scope="session")
def chrome_id(build: Path) -> str:
    """The id that Chrome derives from the manifest's key."""
    key = json.loads((build / "test" / "manifest.json").read_text())["key"]
    digest = hashlib.sha256(base64.b64decode(key)).hexdigest()[:32]
    return "".join(chr(ord("a") + int(letter, 16)) for letter in digest)


@pytest.fixture(scope="session")
def shared_proxy(loop: Loop, server: str) -> Iterator[FaultProxy]:
    found = FaultProxy(loop, server)
    yield found
    found.close()


# By package, not session: its event loop must be gone from this thread before other tests run.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=SECONDS * 1000)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def chromium(
    playwright: Playwright, build: Path, web: Web, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Extension]:
    rules = f"--host-resolver-rules={web.resolver_rules}"
    profile = tmp_path_factory.mktemp("profile")
    with running_chromium(playwright, build / "test", profile, rules) as running:
        yield running


@pytest.fixture
def proxy(shared_proxy: FaultProxy) -> Iterator[FaultProxy]:
    shared_proxy.clear()
    yield shared_proxy
    shared_proxy.clear()


@pytest.fixture
def extension(chromium: Extension, proxy: FaultProxy, web: Web) -> Iterator[Extension]:
    """The extension as freshly installed, with the real server set; its tabs are closed after."""
    web.strays.clear()
    chromium.reset(serverUrl=proxy.url)
    yield chromium
    for page in chromium.context.pages:
        if page is not chromium.home:
            page.close()
    assert web.strays == [], "somebody asked a host that no page names"


@pytest.fixture
def open_page(extension: Extension, web: Web) -> Callable[..., Page]:
    """Opens a page with this HTML in a new tab."""

    def open_one(html: str, **options: Any) -> Page:
        page = extension.context.new_page()
        page.goto(web.page(html, **options))
        page.bring_to_front()
        return page

    return open_one


@pytest.fixture
def face(portrait: Any) -> Callable[..., bytes]:
    """Files of a portrait that no other test has sent; ``altered``: with a face that was tampered
    with as face swaps do, which the shipped model does not call real."""

    def make(altered: bool = False, kind: str = "JPEG", size: int | None = None) -> bytes:
        pixels = blended(portrait) if altered else portrait
        if size is not None:
            pixels = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)
        return photo(pixels, kind, **({"quality": 90} if kind == "JPEG" else {}))

    return make


def blended(portrait: Any) -> Any:
    """The portrait with its face turned, softened, tinted and put back within a soft edge."""
    centre, turn = (224, 140), cv2.getRotationMatrix2D((224, 140), 6, 1.08)
    edge = np.zeros(portrait.shape[:2], np.uint8)
    cv2.ellipse(edge, centre, (42, 56), 0, 0, 360, 255, -1)
    share = cv2.GaussianBlur(edge, (11, 11), 0)[..., None] / 255.0
    other = cv2.GaussianBlur(cv2.warpAffine(portrait, turn, (512, 512)), (5, 5), 0)
    tinted = np.clip(other * [1.12, 0.95, 0.9], 0, 255)
    return (portrait * (1 - share) + tinted * share).astype(np.uint8)
