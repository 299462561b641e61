"""Teams, their members, and how people and programs are let in."""

from desk.accounts.identities import Identities, IdentityKind, IdentityRecord
from desk.accounts.keys import KeyRecord, TeamKeys
from desk.accounts.linked import Linked, LinkedPerson, LinkedRecord
from desk.accounts.links import LinkRecord, Links
from desk.accounts.members import MemberRecord, Members
from desk.accounts.oidc import Oidc, OidcAccount, OidcPurpose
from desk.accounts.passkeys import Asked, Passkeys
from desk.accounts.sessions import SessionRecord, Sessions, SignedIn
from desk.accounts.teams import TeamRecord, Teams

__all__ = [
    "Asked",
    "Identities",
    "IdentityKind",
    "IdentityRecord",
    "KeyRecord",
    "LinkRecord",
    "Linked",
    "LinkedPerson",
    "LinkedRecord",
    "Links",
    "MemberRecord",
    "Members",
    "Oidc",
    "OidcAccount",
    "OidcPurpose",
    "Passkeys",
    "SessionRecord",
    "Sessions",
    "SignedIn",
    "TeamKeys",
    "TeamRecord",
    "Teams",
]
