"""Signing in without a password: passkeys of a virtual authenticator, and accounts at a provider.

The server is reached as ``localhost``, since a passkey belongs to a name.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import Future
from itertools import count
from threading import Thread

import pytest
from aiohttp.test_utils import TestServer
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import OpenPage
from tests.browser.team import PASSWORD, Team, in_thread
from tests.desk.accounts.provider import Provider
from tests.server.server_process import Service, served_in_thread

_numbers = count(1)
#: Milliseconds that a browser may take with its authenticator on a machine that is busy.
PATIENCE = 60_000


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, Provider]] = Future()

    async def serve() -> None:
        provider, stop = Provider(), asyncio.Event()
        async with TestServer(provider.app()) as server:
            provider.url = f"http://127.0.0.1:{server.port}"
            started.set_result((asyncio.get_running_loop(), stop, provider))
            await stop.wait()

    thread = Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    loop, stop, provider = started.result(30)
    yield provider
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)


@pytest.fixture(scope="module")
def desk_url(service: Service, provider: Provider) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "port": port,
        "oidc_issuer": provider.url,
        "oidc_name": "Fact House",
        "oidc_client_id": "unmask",
        "oidc_client_secret": "hush",
    }
    with served_in_thread(service, with_desk=True, requests_per_minute=0, **settings):
        yield f"http://localhost:{port}"


@pytest.fixture
def team(service: Service, desk_url: str) -> Team:
    made = Team(service, desk_url, f"ways-{next(_numbers)}")
    in_thread(made.make())
    return made


def signed_in(open_page: OpenPage, team: Team, name: str = "ada") -> Page:
    """The account of a member, who signed in with the password."""
    page = open_page("/sign-in?next=/account", base=team.url)
    page.get_by_label("Login").fill(f"{name}-{team.slug}")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{team.url}/account")
    return page


def with_authenticator(page: Page) -> None:
    """Give the page's browser an authenticator that says yes."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_out(page: Page, team: Team) -> None:
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    page.wait_for_url(f"{team.url}/")


def test_a_passkey_is_added_named_used_and_removed(open_page: OpenPage, team: Team) -> None:
    page = signed_in(open_page, team)
    with_authenticator(page)
    adding = page.locator("form[data-passkey]")
    adding.get_by_label("Name of the new passkey").fill("Ada's phone")
    adding.get_by_label("Your password").fill("not this one")
    adding.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_have_text("The password is not right.", timeout=PATIENCE)
    adding.get_by_label("Your password").fill(PASSWORD)
    adding.get_by_role("button", name="Add a passkey").click()
    own = page.locator("#identities li")
    expect(own).to_contain_text("Ada's phone", timeout=PATIENCE)
    adding.get_by_label("Your password").fill(PASSWORD)
    adding.get_by_role("button", name="Add a passkey").click()
    known = "This device has a passkey of your account already."
    expect(page.get_by_role("alert")).to_have_text(known, timeout=PATIENCE)
    own.locator("summary", has_text="Rename").click()
    own.get_by_label("Name").fill("The blue phone")
    own.get_by_role("button", name="Save").click()
    expect(own).to_contain_text("The blue phone")
    assert Axe().run(page).violations_count == 0
    sign_out(page, team)
    page.goto(f"{team.url}/t/{team.slug}/settings")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{team.url}/t/{team.slug}/settings", timeout=PATIENCE)
    page.goto(f"{team.url}/account")
    own.locator("summary", has_text="Remove").click()
    own.get_by_label("Your password").fill(PASSWORD)
    own.get_by_role("button", name="Remove The blue phone").click()
    expect(own).to_have_count(0)
    sign_out(page, team)
    page.goto(f"{team.url}/sign-in?lang=de")
    page.get_by_role("button", name="Mit einem Passkey anmelden").click()
    unknown = "Dieser Passkey ist hier nicht bekannt."
    expect(page.get_by_role("alert")).to_have_text(unknown, timeout=PATIENCE)
    assert Axe().run(page).violations_count == 0


def test_a_person_without_a_passkey_is_told(open_page: OpenPage, team: Team) -> None:
    page = open_page("/sign-in", base=team.url)
    with_authenticator(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("No passkey was used.", timeout=PATIENCE)


def test_no_passkey_is_offered_where_none_would_work(open_page: OpenPage, team: Team) -> None:
    other = team.url.replace("localhost", "127.0.0.1")
    page = open_page("/sign-in", base=other)
    expect(page.get_by_role("button", name="passkey")).to_have_count(0)
    page.get_by_role("link", name=team.url.removeprefix("http://")).click()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_account_is_added_and_signs_in(
    open_page: OpenPage, team: Team, provider: Provider, scripts: bool
) -> None:
    """Also without scripts; no page of ours asks the provider for anything by itself."""
    provider.answer = {"code": "good"}
    provider.claims = {"sub": f"ada of {team.slug}"}
    page = open_page("/sign-in?next=/account", base=team.url, java_script_enabled=scripts)
    hosts: list[str] = []

    def note(request: Request) -> None:
        if not request.is_navigation_request():
            hosts.append(request.url)

    page.on("request", note)
    # of nobody yet
    page.get_by_role("button", name="Sign in with Fact House").click()
    expect(page.get_by_role("alert")).to_contain_text("This account belongs to nobody here.")
    page.get_by_label("Login").fill(f"ada-{team.slug}")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto(f"{team.url}/account")
    tying = page.locator("form", has=page.get_by_role("button", name="Add your account at"))
    tying.get_by_label("Your password").fill(PASSWORD)
    tying.get_by_role("button").click()
    own = page.locator("#identities li")
    expect(own).to_contain_text("bob@example.org")
    tying.get_by_label("Your password").fill(PASSWORD)
    tying.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("somebody's way to sign in already")
    sign_out(page, team)
    page.goto(f"{team.url}/t/{team.slug}")
    page.get_by_role("button", name="Sign in with Fact House").click()
    page.wait_for_url(f"{team.url}/t/{team.slug}")
    assert all(url.startswith(f"{team.url}/") for url in hosts)
    # the person says no
    sign_out(page, team)
    provider.answer = {"error": "access_denied"}
    page.goto(f"{team.url}/sign-in")
    page.get_by_role("button", name="Sign in with Fact House").click()
    expect(page.get_by_role("alert")).to_have_text("The provider did not confirm who you are.")


def test_an_invitation_is_used_with_an_account(
    open_page: OpenPage, team: Team, provider: Provider
) -> None:
    provider.answer = {"code": "good"}
    provider.claims = {"sub": f"dora of {team.slug}", "name": "Dora", "email": f"ada-{team.slug}"}
    page = open_page(team.link, base=team.url)
    page.get_by_role("button", name="Join with Fact House").click()
    # the provider's name for the person is another's login here: nothing is lost
    expect(page.get_by_role("alert")).to_contain_text("This login is taken.")
    page.get_by_label("Login").fill(f"dora-{team.slug}")
    page.get_by_role("button", name="Join with Fact House").click()
    page.wait_for_url(f"{team.url}/t/{team.slug}")
    page.goto(f"{team.url}/account")
    expect(page.get_by_role("heading", name="Dora", exact=True)).to_be_visible()
    expect(page.get_by_text("You have no password.")).to_be_visible()
    page.locator("#identities summary", has_text="Remove").click()
    page.get_by_role("button", name="Remove ").click()
    expect(page.get_by_role("alert")).to_contain_text("your only way in")


def test_a_code_that_another_browser_brings_is_refused(
    open_page: OpenPage, team: Team, provider: Provider
) -> None:
    """Nobody is signed in to an account that somebody else chose."""
    page = open_page("/login/oidc?state=guessed&code=good", base=team.url)
    expect(page.get_by_role("alert")).to_contain_text("This browser did not begin to sign in here.")


def test_a_session_elsewhere_is_ended(open_page: OpenPage, team: Team) -> None:
    here, there = signed_in(open_page, team), signed_in(open_page, team)
    here.reload()
    others = here.locator("li", has=here.get_by_role("button", name="Sign out"))
    # one more was begun for the tests' own browser
    expect(others).to_have_count(2)
    here.get_by_role("button", name="Sign out everywhere else").click()
    expect(others).to_have_count(0)
    there.reload()
    expect(there.get_by_role("heading", name="Sign in to the desk")).to_be_visible()
    expect(here.get_by_text("this browser")).to_be_visible()
