"""The way of an order: complete, examined, answered. A crash at any point is taken up again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from telegram import Bot, ReactionTypeEmoji
from telegram.constants import ChatAction, ReactionEmoji
from telegram.error import ChatMigrated, InvalidToken, NetworkError, RetryAfter, TelegramError

from bot.files import Files
from bot.replies.sender import Answers
from bot.state.counters import Counters
from bot.state.history import Past
from bot.state.reply_queue import Item, Kind, Note, Order, OrderBook, Stage
from bot.state.users import People
from bot.transport.retry import deliver, patiently
from unmask.errors import UnmaskError
from unmask.images import Picture, open_picture
from unmask.queue import CheckQueue
from unmask.report import Door, State
from unmask.settings import Settings

_log = logging.getLogger(__name__)
#: Seconds without a further picture after which an album counts as complete.
ALBUM_SECONDS = 1.0
#: Pictures that are fetched and looked at together, for each lies in memory: so many of Telegram
#: and as many of sites, that a slow site holds up nobody's photo.
TOGETHER = 16
#: Seconds between two looks whether an album's picture is written down by now.
_LOOK = 0.05
#: Telegram shows "sending a photo" for five seconds.
_ACTION_SECONDS = 4.5
#: Starts in which a picture was taken up and never got as far as the queue.
MOST_STARTS = 3
#: Seconds that answers which are just leaving have when the bot stops.
GRACE = 15.0


class Pipeline:
    """Runs orders, each in a task of its own."""

    def __init__(
        self,
        *,
        bot: Bot,
        book: OrderBook,
        checks: CheckQueue,
        files: Files,
        past: Past,
        people: People,
        answers: Answers,
        counters: Counters,
        settings: Settings,
    ) -> None:
        self._bot = bot
        self._book = book
        self._checks = checks
        self._files = files
        self._past = past
        self._people = people
        self._answers = answers
        self._counters = counters
        self._settings = settings
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._collecting: dict[str, Order] = {}
        self._joining: set[str] = set()
        self._sending: set[str] = set()
        self._turns = {from_site: asyncio.Semaphore(TOGETHER) for from_site in (False, True)}

    async def take(self, order: Order, update_id: int) -> None:
        """Write an order down and begin with it."""
        if order.id not in self._tasks:
            await self._book.enter(order, update_id)
            self._start(order)

    async def take_part(self, order: Order, update_id: int) -> None:
        """The same for one picture of an album: it joins the others, or begins the album."""
        whole = self._collecting.get(order.id)
        if whole is not None:
            await self._join(whole, order, update_id)
            return
        if order.id in self._tasks:  # too late: an answer of its own
            order.id += f".{order.reply_to}"
        order.due = time.time() + ALBUM_SECONDS
        await self._book.enter(order, update_id)
        self._collecting[order.id] = order
        self._start(order)

    def is_collecting(self, order_id: str) -> bool:
        """Whether an album was asked for and further pictures of it belong to it."""
        return order_id in self._collecting

    async def resume(self) -> None:
        """Take up what an earlier process left."""
        for order in await self._book.open():
            order.starts += 1
            if order.due and order.stage is Stage.WAITING:
                order.due = time.time() + ALBUM_SECONDS
                self._collecting[order.id] = order
            await self._book.save(order)
            self._start(order)

    async def forget(self, user: int) -> int:
        """Give up all orders of a user; how many there were."""
        theirs = [order for order in await self._book.open() if order.asker == user]
        for order in theirs:
            await self._book.close(order.id)
        tasks = [self._tasks[order.id] for order in theirs if order.id in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(theirs)

    async def close(self) -> None:
        """Stop; what is just leaving may arrive, the rest is left to the next start."""
        waiting = [task for name, task in self._tasks.items() if name not in self._sending]
        for task in waiting:
            task.cancel()
        leaving = [task for name, task in self._tasks.items() if name in self._sending]
        if leaving:
            await asyncio.wait(leaving, timeout=GRACE)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*waiting, *leaving, return_exceptions=True)

    async def _join(self, whole: Order, part: Order, update_id: int) -> None:
        """Add a picture to an album: in memory only once it is written down. If that fails, it is
        brought again, and must not be answered for twice."""
        here = {item.message for item in whole.items}
        new = [item for item in part.items if item.message not in here]
        changes = {
            "items": [*whole.items, *new],
            "reply_to": min(whole.reply_to, part.reply_to),
            "origin": whole.origin or part.origin,
            "due": time.time() + ALBUM_SECONDS,
        }
        self._joining.add(whole.id)  # nor is the album complete before
        try:
            await self._book.enter(whole.model_copy(update=changes), update_id)
        finally:
            self._joining.discard(whole.id)
        for name, value in changes.items():
            setattr(whole, name, value)

    def _start(self, order: Order) -> None:
        task = asyncio.create_task(self._run(order), name=f"order-{order.id}")
        self._tasks[order.id] = task

        def ended(_: asyncio.Task[None]) -> None:
            self._tasks.pop(order.id, None)
            self._collecting.pop(order.id, None)
            self._sending.discard(order.id)

        task.add_done_callback(ended)

    async def _run(self, order: Order) -> None:
        try:
            async with self._signs_of_life(order):
                await self._completed(order)
                await asyncio.gather(*(self._examine(order, item) for item in order.items))
                self._sending.add(order.id)
                await patiently(lambda: self._send(order), self._until(order))
            await patiently(lambda: self._book.close(order.id), self._until(order))
        except (UnmaskError, InvalidToken) as error:  # the latter: with another token
            _log.error("an order is left for the next start", extra={"why": str(error)})
        except Exception as error:
            await self._give_up(order, error)
        else:
            await self._conclude(order)

    async def _send(self, order: Order) -> None:
        try:
            await self._answers.send(order)
        except ChatMigrated as moved:  # a group that grew has a new number
            order.chat, order.stage = moved.new_chat_id, Stage.WAITING
            await self._answers.send(order)

    async def _completed(self, order: Order) -> None:
        """Wait until an album has come in whole."""
        while order.id in self._collecting and (
            order.id in self._joining or time.time() < order.due
        ):
            await asyncio.sleep(max(order.due - time.time(), _LOOK))
        if self._collecting.pop(order.id, None) is not None:
            order.items.sort(key=lambda item: (item.message, item.number))

    async def _examine(self, order: Order, item: Item) -> None:
        """Bring one picture to its check's end, or to its error."""
        if item.error is not None or order.stage is not Stage.WAITING:
            return
        if not item.check and order.starts > MOST_STARTS:
            _log.error("a picture was given up", extra={"order": order.id})
            item.error = UnmaskError("poison_picture", "It ended the bot.").as_json()["error"]
            return
        try:
            if not item.check:
                await patiently(lambda: self._submit(order, item), self._until(order))
            await patiently(lambda: self._ended(order, item), self._until(order))
        except UnmaskError as error:
            item.error = error.as_json()["error"]
        except InvalidToken:
            raise
        except Exception:
            incident = secrets.token_hex(4)
            _log.exception("a picture failed", extra={"incident": incident, "order": order.id})
            item.error = {"code": "internal", "detail": {"incident": incident}}

    async def _submit(self, order: Order, item: Item) -> None:
        """Take a picture up; while Telegram is away, again, but in no one's way meanwhile."""
        try:
            until = order.created + self._settings.max_wait
            await deliver(lambda: self._take_up(order, item), until)
        except (NetworkError, RetryAfter) as error:
            raise UnmaskError("not_served", "Telegram was away for too long.") from error

    async def _take_up(self, order: Order, item: Item) -> None:
        """Fetch a picture, and find what is known of it or ask for a check."""
        async with self._turns[item.kind is Kind.URL]:
            data = await self._files.read(item)
            picture = await asyncio.to_thread(open_picture, data, self._settings)
            known = None
            if not order.anew:
                known, item.bits = await self._past.find(order.chat, picture)
            if known is not None:
                item.earlier = known.entry.when
            if known is not None and not known.exact:
                item.alike, item.check, item.owner = True, known.entry.check, known.entry.owner
                item.warnings = picture.warnings
                await self._book.save(order)
            else:
                await _in_one_go(self._enter_check(order, item, picture))

    async def _enter_check(self, order: Order, item: Item, picture: Picture) -> None:
        """Ask for the check, and write down whose it is, that it can be deleted."""
        check = await self._asked(picture, order.key(item))
        await self._people.own(order.asker, f"check:{order.chat}:{check}")
        if not (item.kind is Kind.CLIP and Note.THUMBNAIL in item.notes) and item.unique:
            await self._past.remember_file(item.unique, check)
            await self._people.own(order.asker, f"file:{item.unique}")
        item.check, item.owner = check, order.asker
        await self._book.save(order)

    async def _asked(self, picture: Picture, key: str) -> str:
        """The id of the check; the same one if it was asked for before a crash."""
        try:
            check = await self._checks.submit(picture, door=Door.TELEGRAM, idempotency_key=key)
        except UnmaskError as error:
            if error.code != "idempotency_mismatch":
                raise
            # A URL shows another picture than before the crash.
            check = await self._checks.submit(picture, door=Door.TELEGRAM)
        return check.id

    async def _ended(self, order: Order, item: Item) -> None:
        """Wait for the check's end; raises its error."""
        left = max(self._until(order) - time.time(), 1.0)
        check = await self._checks.wait(item.check, left)
        if check is None:
            raise UnmaskError("not_found", "The check was deleted.")
        if not check.ended:
            raise UnmaskError("not_served", "The check did not end in time.")
        if check.state is State.FAILED:
            item.error = check.error or {"code": "internal"}
        elif item.earlier is None:
            await self._past.remember(order.chat, check, item.owner, item.bits)

    def _until(self, order: Order) -> float:
        """When an order is at its end, if the queue or the workers are away."""
        return order.created + 2 * self._settings.max_wait

    async def _conclude(self, order: Order) -> None:
        """Count what was done; losing that loses no answer."""
        names = ["answers"]
        try:
            for item in order.items:
                names += ["pictures", f"kind:{item.kind}"]
                if item.error is not None:
                    names.append(f"error:{item.error['code']}")
                elif item.alike:
                    names.append("alike")
            await self._counters.add(*names)
        except UnmaskError as error:
            _log.warning("not remembered", extra={"code": error.code})

    async def _give_up(self, order: Order, error: Exception) -> None:
        """End an order that cannot be answered."""
        if isinstance(error, TelegramError):
            # Blocked, removed from the group, or away for hours: nobody is there to answer.
            _log.warning("an answer could not be given", extra={"why": str(error)})
        else:
            incident = secrets.token_hex(4)
            _log.error(
                "an order failed", exc_info=error, extra={"incident": incident, "order": order.id}
            )
            with contextlib.suppress(TelegramError, UnmaskError):
                await self._answers.apologise(order, incident)
        with contextlib.suppress(UnmaskError):
            await patiently(lambda: self._book.close(order.id), self._until(order))

    @contextlib.asynccontextmanager
    async def _signs_of_life(self, order: Order) -> AsyncIterator[None]:
        """Show at once, and as long as it lasts, that the bot is at work."""
        task = asyncio.create_task(self._show(order))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _show(self, order: Order) -> None:
        if order.stage is not Stage.WAITING:
            return
        eyes = ReactionTypeEmoji(ReactionEmoji.EYES)
        seen = [order.reply_to] if not order.due else [item.message for item in order.items[:1]]
        try:
            await self._bot.set_message_reaction(order.chat, seen[0], eyes)
        except TelegramError:  # a chat may allow no reactions
            await self._act(order)
        pause = _ACTION_SECONDS
        while True:  # ever more rarely: of many that wait long, each costs a call
            await asyncio.sleep(pause)
            await self._act(order)
            pause = min(1.5 * pause, 60.0)

    async def _act(self, order: Order) -> None:
        with contextlib.suppress(TelegramError):
            await self._bot.send_chat_action(
                order.chat, ChatAction.UPLOAD_PHOTO, message_thread_id=order.thread
            )


async def _in_one_go(step: Coroutine[Any, Any, None]) -> None:
    """Do a step to its end, also when the order is cancelled meanwhile."""
    task = asyncio.ensure_future(step)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
