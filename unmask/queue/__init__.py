"""The queue: submit a check, learn how it ends. Importing it needs no detector."""

from unmask.queue.check_queue import CheckQueue
from unmask.queue.lists import Order, Page
from unmask.queue.stats import Stats

__all__ = ["CheckQueue", "Order", "Page", "Stats"]
