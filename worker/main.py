"""Runs a worker: loads the model first, then serves the queue."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType
from uuid import uuid4

from redis.exceptions import RedisError
from rq.exceptions import StopRequested

from unmask.cores import own_cores
from unmask.detector.engines.protocol import MAX_BATCH_ON_DEVICE, Status
from unmask.evidence.credentials.trust_list import trust_list_path
from unmask.queue.clients import WORKER_RETRIES, open_client, redis_url
from unmask.queue.janitor import Janitor
from unmask.queue.keys import pool_names
from unmask.queue.records import model_tag
from unmask.queue.worker_queue import WorkerQueue
from unmask.settings import Settings
from unmask.store import Store
from worker.consumer import BatchWorker
from worker.examiner import MOST_BATCHES, MOST_BATCHES_ON_DEVICE, Examiner, Examines
from worker.heartbeat import Heartbeat

_log = logging.getLogger(__name__)

#: Seconds between two tries of a worker that lost its Redis.
_RETRY_SECONDS = 1.0
#: Seconds that the end of a worker waits for its janitor, should Redis be away.
_JOIN_SECONDS = 5.0


def run(settings: Settings, detector: Examines | None = None) -> None:
    """Serve the queue until SIGTERM or SIGINT; the batches in hand are finished first.

    Call it from the main thread. ``detector`` replaces the real one, for tests. Raises
    :class:`UnmaskError` ``model_missing`` or ``model_mismatch`` before anything is taken from the
    queue, ``queue_unavailable``, or ``bad_request`` for an invalid name of a pool.
    """
    pools = pool_names(settings.pools)
    model = model_tag(settings.model)
    if trust_list_path(settings) is None:
        _log.info("no trust list: signers are not trusted until unmask trust-list is run")
    detector = load_detector(settings) if detector is None else detector
    url = redis_url(settings)
    queue = WorkerQueue(open_client(url, WORKER_RETRIES))
    store = Store.of(settings)
    name = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
    heartbeat = Heartbeat(
        queue,
        name=name,
        model=model.version,
        engine=detector.engine.name,
        pools=pools,
        limit=settings.job_timeout,
    )
    stopping = _stopping_on_signals()
    with (
        contextlib.closing(Examiner(detector, store, settings)) as examiner,
        _in_background(heartbeat, Janitor(queue, store, settings)),
    ):

        def serve() -> None:
            # A new worker for each try: RQ believes that one which lost its Redis still lives.
            BatchWorker(
                connection=open_client(url, WORKER_RETRIES, text=False),
                queue=queue,
                examiner=examiner,
                heartbeat=heartbeat,
                pools=pools,
                batch_size=batch_size(settings, detector.engine),
                batch_pixels=settings.batch_pixels,
                most_batches=most_batches(settings, detector.engine),
                stopping=stopping,
            ).work(logging_level="WARNING")

        while not stopping.is_set():
            try:
                serve()
            except StopRequested:
                break
            except (RedisError, OSError) as error:
                _log.warning("worker %s: %s", name, type(error).__name__)
            stopping.wait(_RETRY_SECONDS)


def load_detector(settings: Settings) -> Examines:
    """The real detector; its model's sha256 and its engine's answers are verified."""
    from unmask.detector.detector import Detector

    return Detector(settings)


def most_batches(settings: Settings, engine: Status) -> int:
    """How many batches a worker has in hand at one time: the next is examined while the last one's
    pictures are drawn. With a single processor nothing idles meanwhile, for drawing one picture and
    judging another want the same; there a batch has it alone, and its callers wait less."""
    if engine.on_device:
        return MOST_BATCHES_ON_DEVICE
    return MOST_BATCHES if (settings.threads or own_cores()) > 1 else 1


def batch_size(settings: Settings, engine: Status) -> int:
    """Most pictures of a batch: what is set, else more where a device judges, which gains by it."""
    is_set = "batch_size" in settings.model_fields_set
    return MAX_BATCH_ON_DEVICE if engine.on_device and not is_set else settings.batch_size


def _stopping_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set, until RQ's own handlers take over, and after."""
    stopping = threading.Event()

    def stop(signum: int, frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return stopping


@contextlib.contextmanager
def _in_background(heartbeat: Heartbeat, janitor: Janitor) -> Iterator[None]:
    """Runs the heartbeat and the janitor, each in a thread beside the worker's own."""
    done = threading.Event()
    thread = threading.Thread(target=janitor.run, args=(done,), name="unmask-janitor", daemon=True)
    heartbeat.start()
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(_JOIN_SECONDS)
        heartbeat.stop()
