"""What the service costs over the detector alone, beside its peers, all in one run.

    python -m benchmarks.service [--quick] [--minutes 9] [--ray PYTHON]

Throughput of the whole path (HTTP in, report out, evidence, annotated picture stored) with 1, 8 and
64 callers, of our service and of a LitServe server around the same examiner, which take turns in
short blocks: a machine's speed changes within minutes, and the ratio of two blocks side by side
hardly knows of it. LitServe's processes, which look for work again and again, are stopped while
they have no turn. Beside each pair runs the detector in a loop in one process; once a round the
same loop draws and stores, and once in all RQ's stock worker is asked. Read the ratios, each with
its range, not the absolute numbers. Rounds go on while another one fits into the minutes; fewer
than six are too few. The extra ``bench`` brings LitServe; Ray Serve takes its turn where ``--ray``
names a Python that has it (:mod:`benchmarks.ray_peer`), and wants more minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from io import BytesIO
from itertools import count, islice
from pathlib import Path
from typing import Any, TypeGuard

import aiohttp
import numpy as np
import redis
import skimage.data
from PIL import Image
from rq import Queue

from benchmarks.machine import about, installed_versions
from benchmarks.peers import Kit, put_picture
from benchmarks.processes import at_rest, started
from benchmarks.turns import (
    DRAWN,
    LEAST_PAIRS,
    LITSERVE,
    SERVICE,
    Sample,
    against,
    compared,
    sample,
    show,
    summary,
)
from unmask.images import open_picture
from unmask.queue.valkey import EmbeddedValkey
from unmask.settings import SHIPPED_MODEL, Settings
from unmask.store import Store

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
#: Callers at once, and the pictures of a block.
BLOCKS = {1: 12, 8: 24, 64: 96}
#: Pictures of the loops between blocks, and of RQ's worker, which loads the networks for each.
LOOP, RQ = 6, 8
RAY_HELP = "measure Ray Serve too, with a Python that has ray[serve] and our packages"
#: Seconds that a caller waits for RQ's worker.
LONGEST = 300
#: What `unmask up` gives its workers, for the peers' processes.
OWN = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}

Send = Callable[[aiohttp.ClientSession, bytes], Awaitable[dict[str, float]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--minutes", type=float, default=9.0, help="end within about so many")
    parser.add_argument("--out", type=Path, default=RESULTS / "service.json")
    parser.add_argument("--ray", metavar="PYTHON", help=RAY_HELP)
    options = parser.parse_args()
    rounds, share = (1, 0.5) if options.quick else (LEAST_PAIRS, 1.0)
    with tempfile.TemporaryDirectory(prefix="unmask-bench-") as folder, ExitStack() as stack:
        begin = time.monotonic()
        tell("starting the service, LitServe and RQ's worker")
        bench = Bench(Path(folder), stack, share, options.ray)
        samples = bench.rounds(rounds, begin + options.minutes * 60)
    versions = installed_versions(options.ray)
    result = {
        "about": about(bench.model, len(samples), sum(BLOCKS.values())) | {"versions": versions},
        "summary": summary(samples),
        "against": {peer: against(samples, peer) for peer in [*bench.sends][1:]},
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result | {"rounds": samples}, indent=2) + "\n")
    show(result)


class Bench:
    """Everything that is measured, started and warm; ``share`` makes the blocks smaller."""

    def __init__(self, folder: Path, stack: ExitStack, share: float, ray: str | None) -> None:
        self.share = share
        self.model = shipped_or_stand_in(folder)
        os.environ["UNMASK_MODEL"] = str(self.model)
        self.settings = Settings()
        self.photos = photos()
        self.kit = Kit(made(folder / "loop"))
        url = stack.enter_context(service(made(folder / "service")))
        self.rq = stack.enter_context(stock_worker(made(folder / "rq")))
        server = litserve(made(folder / "lit"), self.settings.batch_size)
        lit, self.of_litserve = started(stack, server)
        self.sends = {SERVICE: partial(send, url), LITSERVE: partial(send_lit, lit)}
        if has_ray(ray):
            # here, since it imports this module
            from benchmarks.ray_peer import ray_serve, send_ray

            batch_size = self.settings.batch_size
            url = stack.enter_context(ray_serve(ray, made(folder / "ray"), batch_size))
            self.sends["ray serve"] = partial(send_ray, url)
        self.detect()
        self.draw()
        for one in self.sends.values():
            asyncio.run(called(4, self.take(8), one))

    def take(self, number: int) -> list[bytes]:
        """So many photos that nobody has seen."""
        return list(islice(self.photos, number))

    def rounds(self, most: int, deadline: float) -> list[Sample]:
        """At least one round, and others while each can end by the deadline."""
        samples: list[Sample] = []
        longest = 0.0
        while not samples or (len(samples) < most and time.monotonic() + longest < deadline):
            start = time.monotonic()
            samples.append(self.round(len(samples)))
            longest = max(longest, time.monotonic() - start)
        return samples

    def round(self, number: int) -> Sample:
        """A block of each server for each number of callers, between runs of the loop."""
        found: Sample = {}
        before = self.detect()
        for names in (*turns([*self.sends], number), *others(number)):
            found |= {name: self.in_turn(name) for name in names}
            after = self.detect()
            for name in names:
                found[name] |= compared(found[name], before, after)
                rate, seconds = found[name]["per_second"], found[name]["seconds"]
                tell(f"round {number + 1}: {name}: {rate:.2f} pictures/s, {seconds:.0f} s")
            before = after
        return found

    def in_turn(self, name: str) -> Sample:
        """One block, without what LitServe takes while it waits for its turn."""
        with at_rest([] if name.startswith(LITSERVE) else self.of_litserve):
            return self.measure(name)

    def measure(self, name: str) -> Sample:
        """One block: of a server for so many callers, of RQ's worker, or of the drawing loop."""
        if name == DRAWN:
            return self.draw()
        server, _, callers = name.rpartition(" ")
        if server == "rq":
            return self.rq(int(callers), self.take(RQ))
        pictures = self.take(max(round(BLOCKS[int(callers)] * self.share), int(callers)))
        return asyncio.run(called(int(callers), pictures, self.sends[server]))

    def detect(self) -> Sample:
        """The detector in a loop: bytes to report, nothing drawn."""
        detector = self.kit.examiner._detector
        with at_rest(self.of_litserve):
            return timed(
                self.take(LOOP),
                lambda data: detector.examine([open_picture(data, self.settings)]),
            )

    def draw(self) -> Sample:
        """The same, drawn and stored as a worker does, one by one."""
        store = self.kit.store
        return timed(self.take(LOOP), lambda data: self.kit.examine([put_picture(store, data)]))


def turns(servers: list[str], number: int) -> list[list[str]]:
    """The blocks of a round that stand side by side; each second round begins with the last, so
    that a machine which only grows slower favours none."""
    if number % 2:
        servers = servers[::-1]
    return [[f"{server} {callers}" for server in servers] for callers in BLOCKS]


def others(number: int) -> list[list[str]]:
    """The blocks of a round that stand alone."""
    return [[DRAWN]] if number else [[DRAWN], ["rq 8"]]


async def send(url: str, session: aiohttp.ClientSession, data: bytes) -> dict[str, float]:
    """One check of the service; the stages that its report tells."""
    headers = {"Content-Type": "image/jpeg"}
    async with session.post(f"{url}/v1/checks?wait=60", data=data, headers=headers) as answer:
        check = await answer.json()
    while check["state"] in ("queued", "running"):
        async with session.get(f"{url}/v1/checks/{check['id']}?wait=60") as answer:
            check = await answer.json()
    if check["state"] != "done":
        raise RuntimeError(f"a check did not end: {check}")
    stages: dict[str, float] = check["report"]["timings_ms"]
    return stages


async def send_lit(url: str, session: aiohttp.ClientSession, data: bytes) -> dict[str, float]:
    """One request to LitServe; the stages that its report tells."""
    body = {"picture": base64.b64encode(data).decode()}
    async with session.post(f"{url}/predict", json=body) as answer:
        answer.raise_for_status()
        stages: dict[str, float] = json.loads((await answer.json())["report"])["timings_ms"]
    return stages


def has_ray(python: str | None) -> TypeGuard[str]:
    """Whether Ray Serve takes part; a line says so where it does not."""
    if python is None:
        tell("without Ray Serve: --ray PYTHON names no Python that has it")
    return python is not None


def tell(progress: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {progress}", file=sys.stderr, flush=True)


def photos() -> Iterator[bytes]:
    """One face each, 512 by 512, as JPEG; no two are the same file."""
    portrait = skimage.data.astronaut()
    for number in count():
        pixels = np.array(portrait)
        pixels[:8, :8] = np.frombuffer(number.to_bytes(4, "big")[1:], np.uint8)
        pixels[8:16, :8] = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        out = BytesIO()
        Image.fromarray(pixels).save(out, "JPEG", quality=92)
        yield out.getvalue()


def timed(pictures: list[bytes], work: Callable[[bytes], object]) -> Sample:
    """Do the work on each picture, one after the other."""
    start, last, times = time.perf_counter(), time.perf_counter(), []
    for data in pictures:
        work(data)
        now = time.perf_counter()
        times.append((now - last) * 1000)
        last = now
    return sample(times, time.perf_counter() - start)


async def called(
    callers: int,
    pictures: list[bytes],
    send: Send,
) -> Sample:
    """So many callers at once, each sending its next picture when the last one is answered."""
    waiting, times, stages = iter(pictures), list[float](), list[dict[str, float]]()

    async def call(session: aiohttp.ClientSession) -> None:
        for data in waiting:
            start = time.perf_counter()
            stages.append(await send(session, data))
            times.append((time.perf_counter() - start) * 1000)

    connector = aiohttp.TCPConnector(limit=callers)
    async with aiohttp.ClientSession(connector=connector) as session:
        start = time.perf_counter()
        await asyncio.gather(*(call(session) for _ in range(callers)))
        seconds = time.perf_counter() - start
    names = stages[0]
    medians = {name: statistics.median(one[name] for one in stages) for name in names}
    own = [one["decode"] + one["faces"] + one["model"] for one in stages]
    over = [took - detector for took, detector in zip(times, own, strict=True)]
    return sample(times, seconds) | {"stages_ms": medians, "over_ms": statistics.median(over)}


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def shipped_or_stand_in(folder: Path) -> Path:
    if SHIPPED_MODEL.exists():
        return SHIPPED_MODEL
    from tests.models import write_colour_model

    return write_colour_model(made(folder / "model"))


@contextmanager
def process(*command: str, data: Path, out: int | None = None, **settings: str) -> Iterator[Any]:
    """A process on a data folder that is told to end at the end of the block; ``data / "log"`` has
    what it said."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "UNMASK_DATA": str(data)} | settings
    with (
        (data / "log").open("wb") as log,
        subprocess.Popen(  # noqa: S603
            command, env=environment, stdout=out or log, stderr=log, start_new_session=True
        ) as running,
    ):
        try:
            yield running
        except BaseException:
            sys.stderr.write("".join((data / "log").read_text().splitlines(keepends=True)[-20:]))
            raise
        finally:
            running.terminate()
            with suppress(subprocess.TimeoutExpired):
                running.wait(30)
            with suppress(ProcessLookupError):  # what it started and left behind
                os.killpg(running.pid, signal.SIGKILL)


@contextmanager
def service(data: Path) -> Iterator[str]:
    """``unmask up``; its URL."""
    command = [sys.executable, "-m", "unmask", "up"]
    with process(*command, data=data, out=subprocess.PIPE, UNMASK_PORT="0") as running:
        yield running.stdout.readline().decode().split()[1]


@contextmanager
def litserve(data: Path, batch_size: int) -> Iterator[str]:
    """The LitServe server; its URL."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.lit", str(port), str(batch_size)]
    with process(*command, data=data, **OWN) as running:
        while running.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise RuntimeError("LitServe did not start: is the extra bench installed?")
        yield f"http://127.0.0.1:{port}"


def free_port() -> int:
    """A port of this machine that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextmanager
def stock_worker(data: Path) -> Iterator[Callable[[int, list[bytes]], Sample]]:
    """RQ's own worker; a function that sends it pictures from so many callers."""
    valkey = EmbeddedValkey(data)
    url, store = valkey.ensure(), Store.of(Settings(data=data))
    program = str(Path(sys.executable).parent / "rq")
    command = [program, "worker", "--quiet", "--url", url, "bench"]
    client = redis.Redis.from_url(url, socket_timeout=2 * LONGEST)
    queue = Queue("bench", connection=client)

    def ask(picture: bytes) -> float:
        start = time.perf_counter()
        job = queue.enqueue("benchmarks.peers.examine", put_picture(store, picture))
        result = job.latest_result(timeout=LONGEST)
        if result is None or result.type is not result.Type.SUCCESSFUL:
            raise RuntimeError("a job of RQ's worker failed")
        return (time.perf_counter() - start) * 1000

    def send(callers: int, pictures: list[bytes]) -> Sample:
        start = time.perf_counter()
        with ThreadPoolExecutor(callers) as pool:
            times = list(pool.map(ask, pictures))
        return sample(times, time.perf_counter() - start)

    try:
        with process(*command, data=data, **OWN):
            yield send
    finally:
        client.close()
        valkey.stop()


if __name__ == "__main__":
    main()
