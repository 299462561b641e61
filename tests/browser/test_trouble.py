"""The page when something goes wrong: the server is busy or away, refuses, or asks for a key."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OpenPage, Photos, alone, checked, done, new_key
from tests.server.server_process import Service, blank, served_in_thread
from unmask.permissions import Scope

#: Chromium's own notes of what these tests bring about.
NOTED = "status of [45]|net::ERR_FAILED"
BUSY = '{"error": {"code": "busy", "message": "More pictures wait.", "detail": {}}}'
SOON = {"Retry-After": "1"}


class Troubled:
    """Answers a route with trouble the first few times; ``at`` is when it was asked."""

    def __init__(
        self, times: int, status: int | None = None, headers: dict[str, str] | None = None
    ):
        self.times, self.status, self.headers = times, status, headers
        self.at: list[float] = []

    def __call__(self, route: Route) -> None:
        self.at.append(time.monotonic())
        if len(self.at) > self.times:
            route.continue_()
        elif self.status is None:
            route.abort()
        else:
            route.fulfill(status=self.status, headers=self.headers, body=BUSY)


@pytest.mark.parametrize("status", [429, 503, None])
def test_only_404_means_gone(open_page: OpenPage, photos: Photos, status: int | None) -> None:
    page = open_page(noted=NOTED)
    page.route("**/events", Troubled(1, status or 503, SOON))
    card = Troubled(2, status, SOON)
    page.route("**/card", card)
    page.set_input_files("#file", photos("fake"))
    expect(page.get_by_text("Waiting for the server")).to_be_visible()
    assert len(page.evaluate("() => history.state.checks")) == 1
    done(page)
    assert len(card.at) == 3


def test_a_refused_stream_is_asked_for_again(open_page: OpenPage, photos: Photos, url: str) -> None:
    page = open_page(noted=NOTED)
    streams = Troubled(1, 503)
    page.route("**/events", streams)
    waiting = httpx.post(f"{url}/v1/checks?team=lonely", content=blank()).json()["id"]
    still = httpx.get(f"{url}/c/{waiting}/card").text
    asked: list[Route] = []

    def card(route: Route) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.fulfill(content_type="text/html", body=still)
        else:
            route.continue_()

    page.route("**/card", card)
    page.set_input_files("#file", photos("fake"))
    done(page)
    assert (len(streams.at), len(asked)) == (2, 2)


def test_the_server_is_not_asked_before_the_time_it_names(
    open_page: OpenPage, photos: Photos
) -> None:
    page = open_page(noted=NOTED)
    card = Troubled(1, 429, {"Retry-After": "3"})
    page.route("**/card", card)
    page.set_input_files("#file", photos("fake"))
    done(page)
    assert card.at[1] - card.at[0] > 2.9


def test_the_page_of_a_check_waits_for_the_server_too(open_page: OpenPage, url: str) -> None:
    ended = httpx.post(f"{url}/v1/checks?wait=60", content=blank()).json()["id"]
    found = httpx.get(f"{url}/c/{ended}/card").text
    check = httpx.post(f"{url}/v1/checks?team=lonely", content=blank()).json()["id"]
    page = open_page(f"/c/{check}", noted=NOTED)
    expect(page.get_by_text("Waiting for its turn")).to_be_visible()
    asked: list[Route] = []

    def card(route: Route) -> None:
        asked.append(route)
        if len(asked) < 3:
            route.fulfill(status=503, headers=SOON)
        else:
            route.fulfill(content_type="text/html", body=found)

    page.route("**/card", card)
    page.route("**/events", Troubled(9, 503))
    page.reload()
    expect(page.get_by_text("Waiting for the server")).to_be_visible()
    done(page)
    expect(page.get_by_role("status")).to_have_text("No face found")
    httpx.delete(f"{url}/v1/checks/{check}")


def test_sending_waits_for_room(open_page: OpenPage, photos: Photos) -> None:
    page = open_page(noted=NOTED)
    sending = Troubled(2, 503, SOON)
    page.route("**/v1/checks?door=web", sending)
    page.set_input_files("#file", photos("fake"))
    expect(page.get_by_text("Waiting for room")).to_be_visible()
    done(page)
    assert sending.at[1] - sending.at[0] > 0.9


def test_sending_gives_up_at_last(open_page: OpenPage, photos: Photos) -> None:
    page = open_page(noted=NOTED)
    sending = Troubled(9, 429, SOON)
    page.route("**/v1/checks?door=web", sending)
    page.set_input_files("#file", photos("fake"))
    expect(page.locator(".is-failed")).to_contain_text("More pictures wait.")
    assert len(sending.at) == 4


@pytest.mark.parametrize("status", [413, 200])
def test_an_answer_that_is_not_ours_is_told_by_its_number(
    open_page: OpenPage, photos: Photos, status: int
) -> None:
    page = open_page()
    html = "<html><h1>A proxy speaks</h1></html>"
    page.route("**/v1/checks?door=web", lambda route: route.fulfill(status=status, body=html))
    page.set_input_files("#file", photos("fake"))
    expect(page.locator(".is-failed")).to_contain_text(f"The server answered {status}.")


def test_a_server_that_is_away_is_told(open_page: OpenPage, photos: Photos) -> None:
    page = open_page(noted=NOTED)
    page.route("**/v1/checks?door=web", lambda route: route.abort())
    page.set_input_files("#file", photos("fake"))
    expect(page.locator(".is-failed")).to_contain_text("The server cannot be reached.")


def test_a_file_over_the_limit_is_not_sent(open_page: OpenPage, tmp_path: Path) -> None:
    path = tmp_path / "huge.jpg"
    path.write_bytes(bytes(20_000_001))
    page = open_page()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.set_input_files("#file", str(path))
    expect(page.locator(".is-failed")).to_contain_text("larger than 20 MB")
    assert "POST" not in sent


def test_a_large_file_shows_how_far_it_is(open_page: OpenPage, tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(bytes(8_000_000))
    page = open_page()
    page.evaluate("""() => {
      window.seen = [];
      const note = () => window.seen.push(document.querySelector(".state-text")?.textContent);
      const how = { subtree: true, childList: true, characterData: true };
      new MutationObserver(note).observe(document.getElementById("cards"), how);
    }""")
    page.set_input_files("#file", str(path))
    expect(page.locator(".is-failed")).to_contain_text("not a picture")
    seen = page.evaluate("() => window.seen")
    assert any(re.fullmatch(r"Sending, \d+ %", words or "") for words in seen), seen


def test_removing_says_that_the_server_is_away(open_page: OpenPage, photos: Photos) -> None:
    page = checked(open_page, photos, noted=NOTED)
    page.route("**/v1/checks/*", lambda route: route.abort())
    page.get_by_role("button", name="Remove").click()
    for _ in range(2):
        page.get_by_role("button", name="Remove for good?").click()
        expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.get_by_role("button", name="Remove for good?")).to_be_focused()
    page.unroute("**/v1/checks/*")
    page.get_by_role("button", name="Remove for good?").click()
    expect(page.locator("article")).to_have_count(0)


def test_removing_is_asked_for_once(open_page: OpenPage, photos: Photos) -> None:
    page = checked(open_page, photos)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/v1/checks/*", hold)
    page.get_by_role("button", name="Remove").click()
    button = page.get_by_role("button", name="Remove for good?")
    button.click()
    expect(button).to_have_attribute("aria-disabled", "true")
    button.press("Enter")
    page.wait_for_timeout(100)
    assert len(held) == 1
    held[0].continue_()
    expect(page.locator("article")).to_have_count(0)


def test_a_session_that_ended_is_told_without_headers(
    open_page: OpenPage, photos: Photos, service: Service
) -> None:
    with served_in_thread(service, api_keys="required") as locked:
        page = signed_in(open_page, locked, new_key(service))
        page.set_input_files("#file", photos("fake"))
        done(page)
        page.context.clear_cookies()
        page.set_input_files("#file", photos("real"))
        failed = page.locator(".is-failed")
        expect(failed).to_contain_text("You are signed out.")
        page.get_by_role("button", name="Remove").click()
        page.get_by_role("button", name="Remove for good?").click()
        expect(page.get_by_role("alert")).to_contain_text("You are signed out.")
        assert "Bearer" not in page.locator("#cards").inner_text()
        failed.get_by_role("link").click()
        expect(page.get_by_label("API key")).to_be_visible()
        page.context.close()


def test_removing_is_offered_to_those_who_may(
    open_page: OpenPage, photos: Photos, service: Service
) -> None:
    with served_in_thread(service, api_keys="required", team_pools="lonely") as locked:
        page = signed_in(open_page, locked, new_key(service, Scope.CHECK))
        page.set_input_files("#file", photos("fake"))
        link = done(page).locator("[data-share]").get_attribute("href")
        expect(page.get_by_text("Remove", exact=True)).to_have_count(0)
        alone(page)
        page.set_input_files("#file", photos("real"))
        expect(page.locator(".is-pending")).to_contain_text("Waiting for its turn")
        expect(page.get_by_text("Remove", exact=True)).to_have_count(0)
        page.context.close()
        visitor = open_page(link, base=locked)
        expect(done(visitor)).to_be_visible()
        expect(visitor.get_by_text("Remove", exact=True)).to_have_count(0)
        visitor.context.close()
        page = signed_in(open_page, locked, new_key(service, Scope.CHECK, Scope.DELETE))
        page.set_input_files("#file", photos("fake"))
        expect(done(page).get_by_role("button", name="Remove")).to_be_visible()
        page.context.close()


def signed_in(open_page: OpenPage, base: str, key: str) -> Page:
    page = open_page(base=base)
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("Choose photos")).to_be_visible()
    return page
