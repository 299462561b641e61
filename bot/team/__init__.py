"""The team's desk as the bot knows it: what it asks of the server, and in which chats."""

from bot.team.chats import TeamChat, TeamChats
from bot.team.client import (
    Counts,
    DeskError,
    Digest,
    DigestCase,
    NextCase,
    SentCase,
    Standing,
    TeamAnswer,
    TeamCase,
    TeamDesk,
    TeamFacts,
    Trouble,
)

__all__ = [
    "Counts",
    "DeskError",
    "Digest",
    "DigestCase",
    "NextCase",
    "SentCase",
    "Standing",
    "TeamAnswer",
    "TeamCase",
    "TeamChat",
    "TeamChats",
    "TeamDesk",
    "TeamFacts",
    "Trouble",
]
