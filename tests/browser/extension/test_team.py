"""From the panel to the team's desk and back: a real server with a desk, its database beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from desk.service import open_desk
from desk.vocabulary import HumanVerdict
from tests.browser.extension.chromium import Extension
from tests.browser.extension.conftest import ORIGINS
from tests.browser.extension.fault_proxy import FaultProxy
from tests.browser.extension.loop import Loop
from tests.browser.extension.overlay_asserts import Overlay
from tests.browser.extension.web import Web
from tests.desk.play import Play, judgement
from tests.server.server_process import Service, served_in_thread
from unmask.permissions import Scope

SLUG = "fact-desk"
IMG = '<main><h1>News</h1><img id="target" src="{face}" width="400" alt="A"></main>'


class Team:
    """The team, and the server of its desk behind a proxy."""

    def __init__(self, loop: Loop, proxy: FaultProxy, play: Play) -> None:
        self.proxy, self._loop, self._play = proxy, loop, play

    def key(self, *scopes: Scope) -> str:
        keys = self._play.desk.keys
        return self._loop.run(keys.create(self._play.ada, "the extension", scopes))[0]

    def decide(self, number: int, verdict: HumanVerdict) -> None:
        opinions = self._play.desk.opinions
        self._loop.run(opinions.decide(self._play.bob, number, judgement(verdict)))


@pytest.fixture(scope="module")
def desk_proxy(
    real_service: Service, loop: Loop, chrome_id: str
) -> Iterator[tuple[FaultProxy, Play]]:
    """A server with a desk, and the desk as its people reach it."""
    origins = ORIGINS.format(id=chrome_id)
    with served_in_thread(real_service, with_desk=True, extension_origins=origins) as url:
        stack = AsyncExitStack()
        desk = loop.run(stack.enter_async_context(open_desk(real_service.settings())))
        play = loop.run(Play.begin(desk, SLUG))
        proxy = FaultProxy(loop, url)
        yield proxy, play
        proxy.close()
        loop.run(stack.aclose())


@pytest.fixture
def team(desk_proxy: tuple[FaultProxy, Play], extension: Extension, loop: Loop) -> Iterator[Team]:
    """The team; the extension has a key that may check pictures and send them to it."""
    proxy, play = desk_proxy
    proxy.clear()
    found = Team(loop, proxy, play)
    extension.reset(serverUrl=proxy.url, apiKey=found.key(Scope.CHECK, Scope.DESK_SEND))
    yield found
    proxy.clear()


@pytest.fixture
def checked(
    team: Team, extension: Extension, open_page: Callable[..., Page], web: Web
) -> Callable[[bytes], Overlay]:
    """Checks a picture on a page of its own; its panel is open."""

    def check(picture: bytes) -> Overlay:
        page = open_page(IMG.replace("{face}", web.put(picture)))
        extension.check(page, page.locator("#target"), told=True)
        overlay = Overlay(page, team.proxy.url)
        expect(overlay.panel).to_be_visible()
        return overlay

    return check


def test_a_check_becomes_a_case_and_its_verdict_answers(
    team: Team, checked: Callable[[bytes], Overlay], face: Callable[..., bytes], tmp_path: Path
) -> None:
    picture = face(altered=True)
    overlay = checked(picture)
    overlay.part("team-send").click()
    confirm = overlay.part("team-confirm")
    expect(confirm).to_contain_text(overlay.page.url)
    expect(confirm).to_contain_text("(Page)")
    overlay.page.screenshot(path=tmp_path / "confirm.png")
    assert not [one for one in team.proxy.received if one.path.endswith("/cases")]
    found = Axe().run(overlay.page)
    assert found.violations_count == 0, found.generate_report()
    overlay.part("team-confirm-send").click()
    link = overlay.part("case-link")
    expect(link).to_have_text("Case 1")
    expect(link).to_have_attribute("href", f"{team.proxy.url}/t/{SLUG}/1")
    overlay.page.screenshot(path=tmp_path / "case.png")

    team.decide(1, HumanVerdict.AUTHENTIC)
    again = checked(picture)
    expect(again.panel.locator("h2")).to_have_text("Team: Authentic")
    expect(again.part("team-about")).to_contain_text("same file · high confidence")
    expect(again.part("sentence")).to_be_visible()
    again.page.screenshot(path=tmp_path / "verdict.png")
    found = Axe().run(again.page)
    assert found.violations_count == 0, found.generate_report()


def test_what_cannot_be_sent_is_kept_and_sent_again(
    team: Team,
    checked: Callable[[bytes], Overlay],
    face: Callable[..., bytes],
    extension: Extension,
    tmp_path: Path,
) -> None:
    overlay = checked(face())
    overlay.part("team-send").click()
    overlay.part("without-page").check()
    team.proxy.go_offline()
    overlay.part("team-confirm-send").click()
    expect(overlay.part("team-note")).to_contain_text("Not yet sent")
    overlay.page.screenshot(path=tmp_path / "unsent.png")
    team.proxy.come_back()
    popup = extension.page("popup.html")
    expect(popup.locator("[data-part=team-note]")).to_be_visible()
    popup.screenshot(path=tmp_path / "popup-unsent.png")
    popup.locator("[data-part=team-again]").click()
    expect(popup.locator("[data-part=case-link]")).to_contain_text("Case")
    popup.screenshot(path=tmp_path / "popup-case.png")
    overlay.page.bring_to_front()
    expect(overlay.part("case-link")).to_contain_text("Case")
    sent = [one.body for one in team.proxy.received if one.path.endswith("/cases")]
    assert sent
    assert all(b"page_url" not in body and b"note" not in body for body in sent)


def test_a_key_that_may_not_send_offers_nothing(
    team: Team,
    checked: Callable[[bytes], Overlay],
    face: Callable[..., bytes],
    extension: Extension,
) -> None:
    extension.reset(serverUrl=team.proxy.url, apiKey=team.key(Scope.CHECK))
    overlay = checked(face())
    expect(overlay.part("report-link")).to_be_visible()
    overlay.page.wait_for_timeout(500)
    expect(overlay.part("team-send")).to_have_count(0)


def test_suspicious_pictures_of_a_page_are_sent_at_once(
    team: Team,
    extension: Extension,
    open_page: Callable[..., Page],
    web: Web,
    face: Callable[..., bytes],
) -> None:
    pictures = [face(altered=number < 2, size=256) for number in range(3)]
    shown = (f'<img src="{web.put(one)}" width="130" height="130" alt="">' for one in pictures)
    page = open_page("".join(shown))
    extension.choose(page, "check-page")
    overlay = Overlay(page, team.proxy.url)
    send = overlay.part("team-send-all")
    expect(send).to_have_text("Send all suspicious to the team (2)")
    send.click()
    expect(overlay.part("team-confirm")).to_be_focused()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    overlay.part("team-confirm-send").click()
    links = overlay.part("page-item").locator("[data-part=case-link]")
    expect(links).to_have_count(2)
    expect(send).to_be_hidden()
    expect(overlay.part("page-item").locator("[data-part=team-send]")).to_have_count(1)
