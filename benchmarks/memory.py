"""What the parts of the service hold in memory: what docs/operation.md says of it.

    python -m benchmarks.memory

Runs ``unmask up`` and reads what Linux and Valkey say: a worker's memory before its first check,
after ordinary checks, and at its highest while it examines a full batch of the largest pictures
that are allowed; and what one finished check takes in Redis. Linux only.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from io import BytesIO
from itertools import islice
from pathlib import Path

import aiohttp
import redis
import skimage.data
from PIL import Image

from benchmarks.processes import descendants, resident, status
from benchmarks.service import RESULTS, made, photos, service
from unmask.detector.manifest import load_manifest
from unmask.queue.valkey import EmbeddedValkey
from unmask.settings import SHIPPED_MODEL, Settings

RESULT = RESULTS / "memory.json"
#: Ordinary checks, sent by so many callers.
CHECKS, CALLERS = 200, 8
MB = 1_000_000


def main() -> None:
    settings = Settings()
    with tempfile.TemporaryDirectory(prefix="unmask-bench-") as folder:
        data = made(Path(folder) / "data")
        with service(data) as url:
            client = redis.Redis.from_url(EmbeddedValkey(data).ensure())
            asyncio.run(send(url, list(islice(photos(), 1))))
            worker = worker_of(os.getpid())
            first, redis_before = resident(worker), redis_bytes(client)
            asyncio.run(send(url, list(islice(photos(), 1, CHECKS + 1))))
            ordinary, redis_after = resident(worker), redis_bytes(client)
            large = large_photos(settings.batch_size, settings.max_pixels)
            asyncio.run(send(url, large, callers=len(large)))
            peak = status(worker, "VmHWM")
            client.close()
    manifest = load_manifest(SHIPPED_MODEL)
    result = {
        "model": {"name": manifest.name, "version": manifest.version},
        "cores": os.cpu_count(),
        "worker_mb": {
            "after the first check": round(first / MB),
            f"after {CHECKS} checks": round(ordinary / MB),
            "highest, largest pictures": round(peak / MB),
        },
        "largest_pictures": {"count": len(large), "pixels": settings.max_pixels},
        "redis_bytes_a_check": round((redis_after - redis_before) / CHECKS),
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(RESULT.read_text(encoding="utf-8"))


async def send(url: str, pictures: Sequence[bytes], callers: int = CALLERS) -> None:
    """Have every picture checked; raises RuntimeError for one that was not."""
    waiting = iter(pictures)

    async def call(session: aiohttp.ClientSession) -> None:
        for data in waiting:
            target = f"{url}/v1/checks?wait=60"
            async with session.post(
                target, data=data, headers={"Content-Type": "image/jpeg"}
            ) as answer:
                check = await answer.json()
            while check.get("state") in ("queued", "running"):
                async with session.get(f"{url}/v1/checks/{check['id']}?wait=60") as answer:
                    check = await answer.json()
            if check.get("state") != "done":
                raise RuntimeError(f"a check did not end: {check}")

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(call(session) for _ in range(callers)))


def large_photos(number: int, pixels: int) -> list[bytes]:
    """So many JPEGs with a face, of nearly the most pixels that are allowed; no two are alike."""
    side = int(pixels**0.5)
    portrait = Image.fromarray(skimage.data.astronaut()).resize((side, side))
    found = []
    for index in range(number):
        portrait.putpixel((0, 0), (index * 16, 0, 0))
        out = BytesIO()
        portrait.save(out, "JPEG", quality=60 + index)
        found.append(out.getvalue())
    return found


def worker_of(root: int) -> int:
    """The process, below ``root``, that holds the networks: the one with most memory."""
    return max(descendants(root), key=resident)


def redis_bytes(client: redis.Redis) -> int:
    """Bytes that Redis holds in its data."""
    return int(client.info("memory")["used_memory_dataset"])


if __name__ == "__main__":
    main()
