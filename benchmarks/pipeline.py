"""How much of a device's own pace a whole check leaves, and what it gains by looking ahead.

    python -m benchmarks.pipeline [--milliseconds 100] [--photos 160]

There is no GPU here: in place of the judges stands a network that sleeps for a known time a face,
so that the processor is free meanwhile, as with a GPU. All else is real: queue, store, decoding,
face network, drawing, and the worker's own loop. Runs with and without looking ahead take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.service import RESULTS, made, photos
from unmask.cores import own_cores
from unmask.detector.align import Pixels
from unmask.detector.classifier import Classifier, Judgement
from unmask.detector.detector import Detector
from unmask.detector.engines.protocol import Status
from unmask.detector.faces import FaceFinder
from unmask.detector.networks import Networks
from unmask.images import open_picture
from unmask.queue.check_queue import CheckQueue
from unmask.queue.clients import WORKER_RETRIES, open_client
from unmask.queue.keys import SHARED
from unmask.queue.valkey import EmbeddedValkey
from unmask.queue.worker_queue import WorkerQueue
from unmask.report import Door
from unmask.settings import Settings
from unmask.store import Store
from worker.consumer import BatchWorker
from worker.examiner import Examiner
from worker.heartbeat import Heartbeat
from worker.main import batch_size, most_batches

RESULT = RESULTS / "pipeline.json"
DEVICE = Status("simulated", "none", on_device=True)
#: Rounds of runs in turn; the median of each counts.
ROUNDS = 3


class Sleeping(Classifier):
    """The model with a device simulated: it sleeps ``seconds`` for each face."""

    def __init__(self, manifest: Path, seconds: float) -> None:
        super().__init__(manifest)
        self._seconds = seconds

    def judge(self, crops: Sequence[Pixels]) -> list[Judgement]:
        """The same judgement of each face, after the time that the device takes."""
        time.sleep(self._seconds * len(crops))
        return [Judgement(0.99, np.zeros((112, 112), np.float32))] * len(crops)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--milliseconds", type=float, default=100.0, help="a face on the device")
    parser.add_argument("--photos", type=int, default=160)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="unmask-bench-") as folder:
        bench = Bench(Path(folder), options.milliseconds / 1000)
        bench.run(4, 1)
        depths = {
            "one batch after the other": 1,
            "looking ahead": most_batches(bench.settings, DEVICE),
        }
        rates: dict[str, list[float]] = {name: [] for name in depths}
        for _ in range(ROUNDS):
            for name, depth in depths.items():
                rates[name].append(bench.run(options.photos, depth))
        bench.close()
    own = 1000 / options.milliseconds
    result = {
        "device": "simulated: sleeps for each face",
        "milliseconds a face": options.milliseconds,
        "cores": own_cores(),
        "photos": options.photos,
        "pictures a second, of the device's own": {
            name: round(statistics.median(rate) / own, 3) for name, rate in rates.items()
        },
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(RESULT.read_text(encoding="utf-8"))


class Bench:
    """A queue of its own, and a worker whose judges sleep."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.settings = Settings(data=made(folder / "data"))
        self._valkey = EmbeddedValkey(self.settings.data)
        self._url = self._valkey.ensure()
        networks = Networks(FaceFinder(), Sleeping(self.settings.model, seconds), DEVICE)
        detector = Detector(self.settings, networks=networks)
        self._examiner = Examiner(detector, Store.of(self.settings), self.settings)
        self._photos = photos()

    def run(self, number: int, most_batches: int) -> float:
        """Pictures a second of so many new ones that wait, with so many batches in hand."""
        asyncio.run(self._submit(number))
        queue = WorkerQueue(open_client(self._url, WORKER_RETRIES))
        heartbeat = Heartbeat(
            queue, name="bench", model="0", engine=DEVICE.name, pools=[SHARED], limit=600
        )
        worker = BatchWorker(
            connection=open_client(self._url, WORKER_RETRIES, text=False),
            queue=queue,
            examiner=self._examiner,
            heartbeat=heartbeat,
            pools=[SHARED],
            batch_size=batch_size(self.settings, DEVICE),
            batch_pixels=self.settings.batch_pixels,
            most_batches=most_batches,
            stopping=threading.Event(),
        )
        heartbeat.start()
        start = time.perf_counter()
        worker.work(burst=True, logging_level="WARNING")
        rate = number / (time.perf_counter() - start)
        heartbeat.stop()
        return rate

    async def _submit(self, number: int) -> None:
        queue = await CheckQueue.connect(self.settings)
        for data in islice(self._photos, number):
            await queue.submit(open_picture(data, self.settings), door=Door.API)
        await queue.close()

    def close(self) -> None:
        """End the worker's threads and the queue."""
        self._examiner.close()
        self._valkey.stop()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
