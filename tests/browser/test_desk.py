"""The team desk as two people use it, each in a browser of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import OpenPage, Photos
from tests.browser.team import PASSWORD, Team, decide, in_thread
from tests.server.server_process import Service, blank, photo, served_in_thread

_numbers = count(1)


@pytest.fixture(scope="module")
def desk_url(service: Service) -> Iterator[str]:
    with served_in_thread(service, with_desk=True, requests_per_minute=0) as served:
        yield served


@pytest.fixture
def team(service: Service, desk_url: str) -> Team:
    made = Team(service, desk_url, f"desk-{next(_numbers)}")
    in_thread(made.make())
    return made


def test_a_person_joins_by_a_link_that_works_once(open_page: OpenPage, team: Team) -> None:
    page = open_page(team.link, base=team.url)
    expect(page.get_by_role("heading", name="Join The fact desk")).to_be_visible()
    page.get_by_label("Your name").fill("Dora")
    page.get_by_label("Login").fill(f"dora-{team.slug}")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{team.url}/t/{team.slug}")
    expect(page.get_by_text("No case fits.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{team.url}/t/{team.slug}")
    expect(page.get_by_role("heading", name="Sign in to the desk")).to_be_visible()
    page.get_by_label("Login").fill(f"dora-{team.slug}")
    page.get_by_label("Password").fill("not this one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{team.url}/t/{team.slug}")
    again = open_page(team.link, base=team.url)
    expect(again.get_by_text("This link was used already or has expired.")).to_be_visible()


def test_two_people_meet_at_one_case(open_page: OpenPage, photos: Photos, team: Team) -> None:
    """A claim is seen live, a conflict is said in words, and what was written is kept."""
    ada = team.opened(open_page, "ada")
    team.send_by_page(ada, photos("fake")[0])
    bob = team.opened(open_page, "bob", "1")
    slow = team.opened(open_page, "cleo", "1")
    ada.keyboard.press("c")
    expect(ada.get_by_role("button", name="Give back")).to_be_visible()
    bob.get_by_role("button", name="This case was changed. Show it again").click()
    expect(bob.get_by_text("Ada works on it until")).to_be_visible()
    expect(bob.locator("#task")).to_have_count(0)
    # by keys alone
    ada.keyboard.press("2")
    ada.locator("#task").get_by_label("Why").fill("The eyes mirror two different rooms.")
    ada.keyboard.press("Tab")
    ada.keyboard.press("Tab")
    ada.keyboard.press("Enter")
    expect(ada.locator("h1 + .row-marks")).to_contain_text("Manipulated")
    # who did not see it finds out on sending, and loses nothing
    task = slow.locator("#task")
    task.get_by_label("Authentic").check()
    task.get_by_label("Why").fill("It looks fine to me.")
    task.get_by_role("button", name="Decide").click()
    expect(slow.get_by_role("alert")).to_contain_text("changed")
    expect(slow.locator("h1 + .row-marks")).to_contain_text("Manipulated")
    expect(slow.get_by_text("It looks fine to me.")).to_be_visible()


def test_a_claim_lapses_and_the_next_person_goes_on(open_page: OpenPage, team: Team) -> None:
    team.sent(blank())
    ada = team.opened(open_page, "ada", "1")
    ada.get_by_role("button", name="Claim").click()
    ada.locator("#task").get_by_label("Why").fill("I was about to say")
    bob = team.opened(open_page, "bob", "1")
    expect(bob.get_by_role("button", name="Claim")).to_have_count(0)
    team.lapse(1)
    bob.reload()
    bob.get_by_role("button", name="Claim").click()
    expect(bob.get_by_role("button", name="Give back")).to_be_visible()
    ada.get_by_label("Cannot tell").check()
    ada.get_by_role("button", name="Decide").click()
    expect(ada.get_by_role("alert")).to_contain_text("Bob holds it.")
    expect(ada.get_by_text("I was about to say")).to_be_visible()


def test_from_a_blind_second_opinion_to_a_report(
    open_page: OpenPage, team: Team, portrait: Any
) -> None:
    picture = photo(portrait)
    page_url = "https://news.example.org/story"
    team.sent(picture, page_url=page_url)
    ada = team.opened(open_page, "ada", "settings")
    ada.get_by_label("A second opinion is due").select_option("always")
    ada.locator("form", has_text="A second opinion is due").get_by_role("button").click()
    ada.goto(f"{team.url}/t/{team.slug}")
    ada.keyboard.press("j")
    ada.keyboard.press("Enter")
    ada.wait_for_url("**/1")
    decide(ada, "Manipulated", "The shadow falls the wrong way.")
    expect(ada.locator("h1 + .row-marks")).to_contain_text("Second opinion due")
    bob = team.opened(open_page, "bob", "?second_for_me=true")
    bob.get_by_role("link", name="Case 1").click()
    expect(bob.get_by_text("Hidden until the second opinion is in.")).to_be_visible()
    assert "shadow" not in bob.content()
    assert "Manipulated" not in bob.locator("#opinions").inner_text()
    decide(bob, "Authentic", "It is in the archive of 1992.", "Give the second opinion")
    expect(bob.locator("#opinions")).to_contain_text("The shadow falls the wrong way.")
    expect(bob.get_by_role("heading", name="Two opinions differ")).to_be_visible()
    cleo = team.opened(open_page, "cleo", "1")
    decide(cleo, "Manipulated", "The archive shows another face.", "Settle")
    ada.reload()
    expect(ada.locator("h1 + .row-marks")).to_contain_text("Manipulated")
    published(ada)
    answered(team, picture, page_url)
    report = ada.get_by_role("link", name="Public report").get_attribute("href")
    assert report is not None
    read_by_anybody(open_page, team.url, report.removeprefix(".."))


def test_who_takes_the_others_verdict_says_why(open_page: OpenPage, team: Team) -> None:
    team.sent(blank())
    ada = team.opened(open_page, "ada", "1")
    decide(ada, "Generated", "The hand has six fingers.")
    ada.get_by_role("button", name="Ask for a second opinion").click()
    bob = team.opened(open_page, "bob", "1")
    decide(bob, "Authentic", "Hands may look so.", "Give the second opinion")
    expect(bob.locator("#task").get_by_label("Why")).to_have_value("")
    decide(bob, "Generated", "Counted again: six.", "Settle")
    expect(bob.locator("h1 + .row-marks")).to_contain_text("two opinions agree")


def test_what_is_written_stays_until_it_is_sent(open_page: OpenPage, team: Team) -> None:
    team.sent(blank())
    page = team.opened(open_page, "ada", "1")
    task, comment = page.locator("#task"), page.get_by_label("A comment")
    links = "https://archive.example.org/1992\nhttps://news.example.org/"
    page.get_by_label("Generated").check()
    task.get_by_label("high confidence").check()
    task.get_by_label("Why").fill("Six fingers.")
    task.get_by_label("Links to evidence").fill(links)
    comment.fill("Who knows the hall?")
    page.reload()
    expect(page.get_by_label("Generated")).to_be_checked()
    expect(task.get_by_label("high confidence")).to_be_checked()
    expect(task.get_by_label("Why")).to_have_value("Six fingers.")
    expect(task.get_by_label("Links to evidence")).to_have_value(links)
    expect(comment).to_have_value("Who knows the hall?")
    expect(page.get_by_text("What you wrote here is not sent yet.")).to_have_count(2)
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".comment")).to_contain_text("Who knows the hall?")
    expect(comment).to_have_value("")
    task.get_by_role("button", name="Discard it").click()
    expect(task.get_by_label("Links to evidence")).to_have_value("")
    page.reload()
    expect(task.get_by_label("Why")).to_have_value("")


def published(page: Page) -> None:
    """Publish the case; the page then leads to its report."""
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("alert")).to_contain_text("title")
    page.get_by_label("Title", exact=True).fill("No, the captain did not wear this face")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("button", name="Withdraw the report")).to_be_visible()


def answered(team: Team, picture: bytes, page_url: str) -> None:
    """The same file that comes again is answered by the team's verdict."""
    again = team.sent(picture, page_url=page_url)
    assert again["case"] == 1 and again["match"] == "same_file"
    assert again["answer"]["verdict"] == "manipulated"


def read_by_anybody(open_page: OpenPage, url: str, path: str) -> None:
    """The report, for people without scripts and for programs."""
    page = open_page(path[path.index("r/") - 1 :], base=url, java_script_enabled=False)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "No, the captain did not wear this face"
    )
    expect(page.get_by_text("The archive shows another face.")).to_be_visible()
    linked = json.loads(page.locator("script[type='application/ld+json']").inner_text())
    assert [entry["@type"] for entry in linked] == ["ClaimReview", "MediaReview"]
    assert linked[1]["mediaAuthenticityCategory"] == "TransformedContent"
    shown = page.locator("figure img").get_attribute("src")
    assert httpx.get(httpx.URL(page.url).join(str(shown))).headers["Content-Type"] == "image/jpeg"


PAGES = ("", "1", "2", "settings", "statistics", "notices", "/account", "/sign-in", "/desk")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_every_page_is_accessible_fits_and_asks_no_other_host(
    open_page: OpenPage, team: Team, portrait: Any, scheme: str, width: int
) -> None:
    team.sent(photo(portrait), page_url=f"https://news.example.org/{'long-' * 40}", note="n" * 200)
    team.sent(blank())
    hosts: set[str] = set()

    def note_host(request: Request) -> None:
        if not request.url.startswith("data:"):
            hosts.add(request.url.split("/")[2])

    viewport = {"width": width, "height": 800}
    options = {"color_scheme": scheme, "viewport": viewport, "reduced_motion": "reduce"}
    page = team.opened(open_page, "ada", "1", **options)
    page.context.on("request", note_host)
    decide(page, "Manipulated", "The shadow falls the wrong way.")
    page.get_by_label("Title", exact=True).fill("A captain's face")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Publish").click()
    report = page.get_by_role("link", name="Public report").get_attribute("href") or ""
    join = team.link
    for path in (*PAGES, report[report.index("/r/") :], join):
        page.goto(
            team.url + (path if path.startswith("/") else f"/t/{team.slug}/{path}".rstrip("/"))
        )
        page.locator("details").evaluate_all("all => all.forEach(one => (one.open = true))")
        found = Axe().run(page)
        assert found.violations_count == 0, path + found.generate_report()
        for size in {width, 320}:
            page.set_viewport_size({"width": size, "height": 800})
            wide = page.evaluate("() => document.documentElement.scrollWidth")
            assert wide <= size, (path, wide)
        page.set_viewport_size(viewport)
    assert hosts == {team.url.removeprefix("http://")}


def test_the_desk_is_read_and_worked_without_scripts(open_page: OpenPage, team: Team) -> None:
    team.sent(blank(), note="from a reader")
    page = team.opened(open_page, "bob", java_script_enabled=False)
    page.get_by_role("link", name="Case 1").click()
    expect(page.get_by_text("from a reader")).to_be_visible()
    page.get_by_role("button", name="Claim").click()
    decide(page, "Cannot tell", "There is no face in it.")
    page.get_by_role("link", name="Queue").first.click()
    page.get_by_role("button", name="Take the next case").click()
    expect(page.get_by_role("status").filter(has_text="Nothing is open here.")).to_be_visible()
    for language, words in (("Deutsch", "Kein Fall passt."), ("English", "No case fits.")):
        page.get_by_role("link", name=language).click()
        expect(page.get_by_text(words)).to_be_visible()


def test_the_map_of_keys_is_shown_and_can_be_switched_off(
    open_page: OpenPage, team: Team, tmp_path: Path
) -> None:
    team.sent(blank())
    page = team.opened(open_page, "bob", "1")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    page.keyboard.press("c")
    dialog.get_by_label("Use these keys").uncheck()
    dialog.get_by_role("button", name="Close").click()
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Claim")).to_be_visible()
    page.reload()
    page.locator("[data-help]").click()
    dialog.get_by_label("Use these keys").check()
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Give back")).to_be_visible()
