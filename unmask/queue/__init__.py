"""The queue: submit a check, learn how it ends. Importing it needs no detector."""

from unmask.queue.checks import Checks, Order, Page
from unmask.queue.stats import Stats

__all__ = ["Checks", "Order", "Page", "Stats"]
