"""What is removed, and when: erasing a case, and what a night's sweep does by itself."""

from desk.retention.erasing import Erasing
from desk.retention.sweeping import Sweeper

__all__ = ["Erasing", "Sweeper"]
