"""Ray Serve around our detector: ``PYTHON -m benchmarks.ray_peer PORT BATCH_SIZE``.

Ray is in none of our extras: ``PYTHON`` is that of an environment that has ``ray[serve]`` beside
our packages (benchmarks/README.md). :func:`ray_serve` starts it so.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.peers import Kit, kit, put_picture
from benchmarks.service import OWN, free_port, process

#: Seconds that a batch waits to fill, and requests that a replica holds.
WAIT, REQUESTS = 0.005, 256
#: Bytes of Ray's shared memory for objects, the least that it takes: requests do not go through it.
OBJECTS = 80_000_000


@contextmanager
def ray_serve(python: str, data: Path, batch_size: int) -> Iterator[str]:
    """The Ray Serve application, run by another Python; its URL."""
    port = str(free_port())
    command = [python, "-m", "benchmarks.ray_peer", port, str(batch_size)]
    # nothing is sent anywhere, and no more is written than goes wrong
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_SERVE_LOG_TO_STDERR": "0"}
    with process(*command, data=data, out=subprocess.PIPE, **OWN, **quiet) as running:
        for line in running.stdout:
            if line.startswith(b"listening"):
                yield line.decode().split()[1]
                return
        raise RuntimeError(f"Ray Serve did not start: does {python} have ray[serve]?")


async def send_ray(url: str, session: aiohttp.ClientSession, data: bytes) -> dict[str, float]:
    """One request to Ray Serve, of the picture's bytes; the stages that its report tells."""
    async with session.post(url, data=data) as answer:
        answer.raise_for_status()
        stages: dict[str, float] = (await answer.json())["timings_ms"]
    return stages


def application(serve: Any, batch_size: int) -> Any:
    """One replica with batches as large as ours."""

    class Faces:
        kit: Kit

        def __init__(self) -> None:
            self.kit = kit()

        @serve.batch(max_batch_size=batch_size, batch_wait_timeout_s=WAIT)
        async def examine(self, sha256s: list[str]) -> list[str]:
            return await asyncio.to_thread(self.kit.examine, sha256s)

        async def __call__(self, request: Any) -> Any:
            data = await request.body()
            sha256 = await asyncio.to_thread(put_picture, self.kit.store, data)
            return json.loads(await self.examine(sha256))

    deployment = serve.deployment(Faces, num_replicas=1, max_ongoing_requests=REQUESTS)
    return deployment.bind()


def main() -> None:
    import ray  # type: ignore[import-not-found]  # in none of our extras
    from ray import serve

    port, batch_size = int(sys.argv[1]), int(sys.argv[2])
    ray.init(
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        log_to_driver=False,
        object_store_memory=OBJECTS,
        _temp_dir=str(Path(os.environ["UNMASK_DATA"]) / "ray"),
    )
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(application(serve, batch_size))
    print(f"listening http://127.0.0.1:{port}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    ray.shutdown()


if __name__ == "__main__":
    main()
