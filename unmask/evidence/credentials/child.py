"""``python -m unmask.evidence.credentials.child``: reads Content Credentials for another process.

The library that parses them is large and the file a stranger's: a fault in here, too much time or
too much memory ends this process and no other. Nothing is fetched: a file may name any address,
also one inside the network.

Standard input brings requests: the lengths of a MIME type and of a file, then both. Each is
answered on standard output by the length of a JSON object and the object: the library's report,
or ``{"error": code}``.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO

REQUEST, ANSWER = Struct(">IQ"), Struct(">I")
#: Bytes of memory, and seconds of processor time for all requests together.
MEMORY, SECONDS = 2_000_000_000, 600
#: Bytes of a report; an honest one has some ten thousand.
_MAX_REPORT = 2_000_000
#: Uses of a signer's certificate that are accepted: mail and document signing as the first
#: versions of C2PA had it, time stamps, status answers, and C2PA's own.
_KEY_USES = (
    "1.3.6.1.5.5.7.3.4",
    "1.3.6.1.5.5.7.3.36",
    "1.3.6.1.5.5.7.3.8",
    "1.3.6.1.5.5.7.3.9",
    "1.3.6.1.4.1.311.76.59.1.9",
    "1.3.6.1.4.1.62558.2.1",
)


def main(arguments: list[str]) -> int:
    """Serve requests until standard input ends; ``arguments`` may name the file of anchors."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not be taken for an answer
    read = _open(Path(arguments[0]).read_text(encoding="utf-8") if arguments else "")
    _limit()
    requests = sys.stdin.buffer
    while head := requests.read(REQUEST.size):
        kind_length, length = REQUEST.unpack(head)
        kind = requests.read(kind_length).decode()
        answer = json.dumps(read(kind, io.BytesIO(requests.read(length)))).encode()
        answers.write(ANSWER.pack(len(answer)) + answer)
        answers.flush()
    return 0


def _open(anchors: str) -> Callable[[str, BinaryIO], dict[str, Any]]:
    """A function from a MIME type and a file to the answer."""
    import c2pa

    settings: dict[str, Any] = {
        "version": 1,
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
        "trust": {"trust_config": "\n".join(_KEY_USES) + "\n"},
    }
    if anchors:
        settings["trust"]["trust_anchors"] = anchors
    context = c2pa.Context(c2pa.Settings.from_dict(settings))

    def read(kind: str, file: BinaryIO) -> dict[str, Any]:
        try:
            with c2pa.Reader(kind, file, context=context) as reader:
                report = reader.json()
        except c2pa.C2paError as fault:
            return _error(str(fault))
        if len(report) > _MAX_REPORT:
            return {"error": "oversized"}
        return dict(json.loads(report))

    return read


def _error(message: str) -> dict[str, Any]:
    """The answer for an exception of the library, which tells its kind at the beginning."""
    kind, _, rest = message.partition(":")
    if kind == "Remote":
        return {"error": "elsewhere", "url": rest.rpartition(" ")[2][:2_000]}
    return {"error": "none" if kind == "ManifestNotFound" else "unreadable"}


def _limit() -> None:
    """Bound what a file may cost; no file is written."""
    if os.name != "posix":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
