"""In which chats the bot speaks of the team, and for whom it acts there."""

from __future__ import annotations

from dataclasses import dataclass

from bot.state.access import Access
from bot.state.links import Links
from bot.team.client import TeamDesk


@dataclass(frozen=True)
class TeamChat:
    """A chat that belongs to the team. ``link`` is the token of the person who asks, None for one
    who is not linked; ``reader`` the token by which the chat may read: None where it may by the
    bot's own key, as those who run the bot named it."""

    desk: TeamDesk
    link: str | None
    reader: str | None


@dataclass(frozen=True)
class TeamChats:
    """Knows the chats of the team: those that the operator names, and the private chats of linked
    people. The chat decides, and not who asks, for all in it read the answer."""

    desk: TeamDesk | None
    access: Access
    links: Links

    async def of(self, chat: int, user: int) -> TeamChat | None:
        """The team's chat that this one is, for a user in it; None if it belongs to no team."""
        if self.desk is None:
            return None
        link = await self.links.find(user)
        if self.access.is_named(chat):
            return TeamChat(self.desk, link, None)
        # A private chat has the number of its user, and nobody else reads it.
        return TeamChat(self.desk, link, link) if link and chat == user else None

    async def serves(self, chat: int, user: int, text: str) -> bool:
        """Whether a private chat is served although the allow-list does not name it: a linked
        person's, and one that links just now."""
        if self.desk is None or chat != user:
            return False
        is_linking = [word.partition("@")[0] for word in text.split()[:1]] == ["/link"]
        return is_linking or await self.links.find(user) is not None
