"""Many cases in one go: those of a list, or all of a filter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from desk.actors import DeskActor
from desk.cases import Claims, Closing, Editing
from desk.cases.editing import CaseChanges
from desk.queue.filters import CaseFilter
from desk.queue.pages import Queue
from desk.vocabulary import DismissReason
from unmask.errors import UnmaskError
from unmask.permissions import Permission, require

MAX_CASES = 500


class BulkAction(BaseModel):
    """What to do with each case; what is not set is not done."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    add_tags: tuple[str, ...] = Field((), max_length=10)
    remove_tags: tuple[str, ...] = Field((), max_length=10)
    priority: int | None = Field(None, ge=0, le=3)
    due_at: datetime | None = None
    claim: bool = False
    release: bool = False
    dismiss: DismissReason | None = None
    watch: bool | None = None


class BulkOutcome(BaseModel):
    """The numbers of the cases that were changed, and the code of the error for each other one."""

    model_config = ConfigDict(frozen=True)

    done: tuple[int, ...]
    refused: dict[int, str]


class Bulk:
    """Changes many cases, each in a transaction and with an entry of its own."""

    def __init__(self, queue: Queue, claims: Claims, closing: Closing, editing: Editing) -> None:
        self._queue = queue
        self._claims = claims
        self._closing = closing
        self._editing = editing

    async def run(
        self,
        actor: DeskActor,
        action: BulkAction,
        *,
        numbers: tuple[int, ...] = (),
        wanted: CaseFilter | None = None,
        expected: int | None = None,
    ) -> BulkOutcome:
        """Do ``action`` with the cases of ``numbers``, or of a filter.

        With a filter ``expected`` is how many cases the person was shown; if it has others now,
        nothing is done. Raises ``conflict`` (``count``) for that, ``bad_request`` for more than 500
        cases, and ``not_allowed``.
        """
        require(actor, Permission.CHANGE_MANY)
        if wanted is not None:
            numbers = await self._numbers(actor, wanted, expected)
        if not 0 < len(numbers) <= MAX_CASES:
            message = f"Name 1 to {MAX_CASES} cases."
            raise UnmaskError("bad_request", message, limit=MAX_CASES)
        done: list[int] = []
        refused: dict[int, str] = {}
        for number in dict.fromkeys(numbers):
            try:
                for step in self._steps(actor, action, number):
                    await step()
            except UnmaskError as error:
                refused[number] = error.code
            else:
                done.append(number)
        return BulkOutcome(done=tuple(done), refused=refused)

    async def _numbers(
        self, actor: DeskActor, wanted: CaseFilter, expected: int | None
    ) -> tuple[int, ...]:
        numbers = await self._queue.numbers(actor, wanted, MAX_CASES + 1)
        if expected != len(numbers):
            message = f"The filter has {len(numbers)} cases now. Look at them again."
            raise UnmaskError("conflict", message, count=len(numbers))
        return tuple(numbers)

    def _steps(
        self, actor: DeskActor, action: BulkAction, number: int
    ) -> list[Callable[[], Awaitable[Any]]]:
        """What is to be done with one case, the claim first and what closes it last."""
        edits = CaseChanges(
            **{
                name: getattr(action, name)
                for name in ("priority", "due_at")
                if getattr(action, name) is not None
            }
        )
        tags = {"add": action.add_tags, "remove": action.remove_tags}
        watched = bool(action.watch)
        wanted: list[tuple[bool, Callable[[], Awaitable[Any]]]] = [
            (action.claim, lambda: self._claims.claim(actor, number)),
            (
                action.watch is not None,
                lambda: self._editing.watch(actor, number, on=watched),
            ),
            (bool(edits.model_fields_set), lambda: self._editing.edit(actor, number, edits)),
            (any(tags.values()), lambda: self._editing.tag(actor, number, **tags)),
            (action.release, lambda: self._claims.release(actor, number)),
            (
                action.dismiss is not None,
                lambda: self._closing.dismiss(actor, number, action.dismiss or DismissReason.SPAM),
            ),
        ]
        return [step for is_wanted, step in wanted if is_wanted]
