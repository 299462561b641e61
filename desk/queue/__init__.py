"""The queue of a team's cases: filtered, searched, sorted, counted, and worked through."""

from desk.queue.bulk import Bulk, BulkAction, BulkOutcome
from desk.queue.filters import CaseFilter, Sort
from desk.queue.next import Next, NextCase
from desk.queue.pages import CasePage, Queue
from desk.queue.presence import Presence
from desk.queue.saved import FilterRecord, SavedFilters

__all__ = [
    "Bulk",
    "BulkAction",
    "BulkOutcome",
    "CaseFilter",
    "CasePage",
    "FilterRecord",
    "Next",
    "NextCase",
    "Presence",
    "Queue",
    "SavedFilters",
    "Sort",
]
