"""Teams, their members, and how people and programs are let in."""

from desk.accounts.keys import KeyRecord, TeamKeys
from desk.accounts.links import LinkRecord, Links
from desk.accounts.members import MemberRecord, Members
from desk.accounts.sessions import SessionRecord, Sessions, SignedIn
from desk.accounts.teams import TeamRecord, Teams

__all__ = [
    "KeyRecord",
    "LinkRecord",
    "Links",
    "MemberRecord",
    "Members",
    "SessionRecord",
    "Sessions",
    "SignedIn",
    "TeamKeys",
    "TeamRecord",
    "Teams",
]
