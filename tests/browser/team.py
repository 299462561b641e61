"""A team for the browser's tests of the desk: its people, and what they send."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Coroutine
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from desk.actors import machine_of
from desk.service import Desk, open_desk
from server.security.sessions import PERSON_COOKIE
from tests.browser.conftest import OpenPage, done
from tests.server.server_process import Service
from unmask.permissions import Role, Scope

PASSWORD = "of the tests only"
NAMES = {"ada": Role.ADMIN, "bob": Role.CHECKER, "cleo": Role.CHECKER}


def in_thread(work: Coroutine[Any, Any, None]) -> None:
    """Runs it to its end in a thread of its own: Playwright's loop runs in this one."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:
            failures.append(error)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


@dataclass
class Team:
    """A team of the desk at ``url``: an admin Ada, checkers Bob and Cleo, a key, a link to join."""

    service: Service
    url: str
    slug: str
    sessions: dict[str, str] = field(default_factory=dict)
    link: str = ""
    key: str = ""

    async def make(self) -> None:
        async with open_desk(self.service.settings()) as desk:
            team = await desk.teams.create(self.slug, "The fact desk")
            machine = machine_of(team.id, team.slug)
            people = [await self._join(desk, machine, name, role) for name, role in NAMES.items()]
            admin = await desk.members.actor_of(people[0], self.slug)
            self.key, _ = await desk.keys.create(admin, "tests", [Scope.CHECK, Scope.DESK_SEND])
            self.link = f"/join/{await desk.links.invite(machine, Role.CHECKER)}"

    async def _join(self, desk: Desk, machine: Any, name: str, role: Role) -> int:
        token = await desk.links.invite(machine, role)
        login = f"{name}-{self.slug}"
        person = await desk.links.join(token, name=name.title(), login=login, password=PASSWORD)
        self.sessions[name] = await desk.sessions.begin(person)
        return person

    def opened(self, open_page: OpenPage, name: str, path: str = "", **options: Any) -> Page:
        """A page of the desk in a browser of its own, with this person signed in."""
        cookie = {
            "name": PERSON_COOKIE,
            "value": self.sessions[name],
            "domain": "127.0.0.1",
            "path": "/",
            "expires": -1,
            "httpOnly": True,
            "secure": False,
            "sameSite": "Lax",
        }
        state = {"cookies": [cookie], "origins": []}
        return open_page(self.path(path), base=self.url, storage_state=state, **options)

    def path(self, rest: str) -> str:
        """The path of a page of the desk: of the team, unless it begins with a slash."""
        if rest.startswith("/"):
            return rest
        parted = "/" if rest and rest[0] != "?" else ""
        return f"/t/{self.slug}{parted}{rest}"

    def sent(self, picture: bytes, **source: str) -> dict[str, Any]:
        """What the desk says of a picture that a program with the team's key sends."""
        headers = {"Authorization": f"Bearer {self.key}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=120) as client:
            check = client.post("/v1/checks?wait=30", content=picture).json()["id"]
            body = {"check": check, "source": {"door": "extension", **source}, "wait": 20}
            answer = client.post(f"/v1/teams/{self.slug}/cases", json=body)
        assert answer.status_code == 200, answer.text
        record: dict[str, Any] = answer.json()
        return record

    def send_by_page(self, page: Page, path: str) -> None:
        """Check a photo on the page and send it to the team; ``page`` then shows its case."""
        page.goto(f"{self.url}/")
        page.set_input_files("#file", path)
        done(page)
        page.get_by_role("button", name="Send to The fact desk").click()
        page.wait_for_url(f"**/t/{self.slug}/*")

    def lapse(self, number: int) -> None:
        """Let the claim of a case have ended a minute ago."""
        with sqlite3.connect(self.service.data / "desk.db", timeout=60) as database:
            changed = database.execute(
                "UPDATE cases SET claimed_until = datetime('now', '-1 minute') || '.000000'"
                " WHERE number = ? AND claimed_by IS NOT NULL"
                " AND team_id = (SELECT id FROM teams WHERE slug = ?)",
                (number, self.slug),
            )
            assert changed.rowcount == 1


def decide(page: Page, verdict: str, reasoning: str, button: str = "Decide") -> None:
    """Give an opinion on the case that the page shows."""
    task = page.locator("#task")
    task.get_by_label(verdict).check()
    task.get_by_label("Why").fill(reasoning)
    task.get_by_role("button", name=button).click()
    expect(page.locator("#opinions")).to_contain_text(reasoning)
