"""A real Chromium on a real service. Without Chromium these tests fail: see install.sh."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from redis.asyncio import Redis

from server.security.keys import ApiKeys
from tests.server.server_process import Service, photo, running_service, served_in_thread
from tests.unmask.fetch.hostile import LOOPBACK, loopback
from unmask.fetch import Fetcher
from unmask.permissions import Scope

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, colour_model: Path) -> Iterator[Service]:
    with running_service(tmp_path_factory.mktemp("browser"), colour_model) as running:
        yield running


@pytest.fixture(scope="session")
def picture_site(portrait: Any) -> Iterator[tuple[int, str]]:
    """The port of a site with a picture, and the picture's URL."""
    data = photo(portrait)

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        yield port, f"http://pictures.example.org:{port}/face.jpg"
        server.shutdown()


@pytest.fixture(scope="session")
def url(service: Service, picture_site: tuple[int, str]) -> Iterator[str]:
    def fetcher() -> Fetcher:
        return Fetcher(10**7, 5, opened=LOOPBACK, ports={picture_site[0]}, lookup=loopback)

    with served_in_thread(service, fetcher, team_pools="lonely") as served:
        yield served


# By module, not session: its event loop must be gone from this thread before other tests run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), "Chromium is missing: run tests/browser/install.sh"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


OpenPage = Callable[..., Page]
Photos = Callable[..., list[str]]


def done(page: Page, count: int = 1) -> Locator:
    """The finished cards of a page, once there are so many."""
    cards = page.locator("article[data-state=done]")
    expect(cards).to_have_count(count, timeout=30_000)
    return cards


def checked(open_page: OpenPage, photos: Photos, kind: str = "fake", **options: Any) -> Page:
    """A page with one photo, checked."""
    page = open_page(**options)
    page.set_input_files("#file", photos(kind))
    done(page)
    return page


def alone(page: Page) -> None:
    """The page's photos go to a team that no worker serves."""
    page.route(
        "**/v1/checks?door=web",
        lambda route: route.continue_(url=f"{route.request.url}&team=lonely"),
    )


def new_key(service: Service, *scopes: Scope) -> str:
    """An API key with these scopes, or with all."""
    keys: list[str] = []

    async def make() -> None:
        async with Redis.from_url(service.redis_url) as redis:
            keys.append((await ApiKeys(redis).create("page", scopes or list(Scope)))[0])

    # Playwright's own loop runs in this thread.
    thread = Thread(target=lambda: asyncio.run(make()))
    thread.start()
    thread.join()
    return keys[0]


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[OpenPage]:
    """Opens pages with the context's options; fails if one wrote to the console.

    Chromium itself notes each answer of 4xx, and ``noted`` if a test brings that about; what else
    is said is ours, or a broken policy.
    """
    messages: list[str] = []
    contexts = []

    def open_one(
        path: str = "/", base: str = url, noted: str = "status of 4", **options: Any
    ) -> Page:
        def hear(text: str) -> None:
            if not re.search(noted, text):
                messages.append(text)

        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: hear(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(base + path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert messages == []


@pytest.fixture
def photos(tmp_path: Path, portrait: Any) -> Photos:
    """Files of portraits that no other test has sent, fake by their colours or not."""

    def make(*kinds: str) -> list[str]:
        paths = []
        for number, kind in enumerate(kinds):
            pixels = portrait[:, :, ::-1] if kind == "real" else portrait
            if kind == "wide":
                pixels = pixels.repeat(2, axis=1)
            path = tmp_path / f"{kind}-{number}.jpg"
            path.write_bytes(photo(pixels))
            paths.append(str(path))
        return paths

    return make
