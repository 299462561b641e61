"""One change of a team: rows, history, counters and events, in one transaction."""

from desk.changes import chain
from desk.changes.change import AlreadyDoneError, Change, Changes, Clock, utc_now
from desk.changes.history import History, HistoryRecord, Verification
from desk.changes.tasks import Repeated

__all__ = [
    "AlreadyDoneError",
    "Change",
    "Changes",
    "Clock",
    "History",
    "HistoryRecord",
    "Repeated",
    "Verification",
    "chain",
    "utc_now",
]
