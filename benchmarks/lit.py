"""A LitServe server around our detector: ``python -m benchmarks.lit PORT BATCH_SIZE``."""

from __future__ import annotations

import base64
import sys

import litserve  # type: ignore[import-untyped]

from benchmarks.peers import Kit, kit, put_picture


class Faces(litserve.LitAPI):  # type: ignore[misc]
    """One worker with batches as large as ours; a picture comes as base64 in JSON."""

    kit: Kit

    def setup(self, device: str) -> None:
        self.kit = kit()

    def decode_request(self, request: dict[str, str]) -> str:
        return put_picture(self.kit.store, base64.b64decode(request["picture"]))

    def predict(self, batch: list[str]) -> list[str]:
        return self.kit.examine(batch)

    def encode_response(self, output: str) -> dict[str, str]:
        return {"report": output}


def main() -> None:
    port, batch_size = int(sys.argv[1]), int(sys.argv[2])
    # It waits for a batch to fill: for as short a time as makes it batch at all.
    api = Faces(max_batch_size=batch_size, batch_timeout=0.005)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, timeout=600)
    server.run(host="127.0.0.1", port=port, generate_client_file=False, log_level="warning")


if __name__ == "__main__":
    main()
