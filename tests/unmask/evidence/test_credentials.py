"""Content Credentials: what each state says, and that nothing leaves and no limit breaks."""

from __future__ import annotations

import os
import signal
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.pictures import png_chunk
from tests.unmask.evidence.files import plain, png_with, reopened
from tests.unmask.evidence.signing import MIME_TYPES, authority, signed, signer
from unmask.errors import SettingsError
from unmask.evidence.collect import Collector
from unmask.evidence.credentials import reader as reader_module
from unmask.evidence.credentials.reader import CredentialsReader
from unmask.evidence.credentials.report import credentials_finding
from unmask.findings import Evidence, Kind, Says, Weight, evidence_says
from unmask.images import open_picture
from unmask.settings import Settings

Find = Callable[[bytes], Evidence | None]
ROOT, OTHER = authority(), authority("Another Root")
#: The formats that credentials are written into by most makers.
COMMON = ("JPEG", "PNG", "WEBP")


def finder(trust_list: Path | None) -> Iterator[Find]:
    collector = Collector(CredentialsReader(trust_list))

    def find(data: bytes) -> Evidence | None:
        found = collector.collect(open_picture(data, Settings())).evidence
        return next((item for item in found if item.kind is Kind.CREDENTIALS), None)

    yield find
    collector.close()


@pytest.fixture(scope="module")
def find() -> Iterator[Find]:
    """The finding on a file's credentials, with an empty trust list."""
    yield from finder(None)


@pytest.fixture(scope="module")
def find_listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Find]:
    """The same with a trust list that holds the test's root."""
    path = tmp_path_factory.mktemp("trust") / "list.pem"
    path.write_bytes(ROOT.pem)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    yield from finder(path)


def openai(kind: str, **options: object) -> bytes:
    return signed(plain(kind), kind, signer("OpenAI", ROOT), **options)  # type: ignore[arg-type]


def flipped(data: bytes, kind: str) -> bytes:
    """The file with one bit of its picture changed."""
    at = (
        len(data) - 20 if kind == "JPEG" else data.index(b"IDAT" if kind == "PNG" else b"VP8 ") + 40
    )
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


@pytest.mark.parametrize("kind", MIME_TYPES)
def test_a_picture_without_credentials_tells_nothing(kind: str, find: Find) -> None:
    assert find(plain(kind)) is None


@pytest.mark.parametrize("kind", MIME_TYPES)
def test_valid_is_not_trusted(kind: str, find: Find, find_listed: Find) -> None:
    data = openai(kind)
    untrusted, trusted = find(data), find_listed(data)
    assert untrusted and trusted
    assert (untrusted.code, untrusted.weight) == ("credentials_untrusted", Weight.HINT)
    assert (trusted.code, trusted.weight) == ("credentials_trusted", Weight.STATEMENT)
    assert untrusted.says is trusted.says is Says.GENERATED
    assert trusted.parameters == {
        "agent": "Test Generator",
        "signer": "OpenAI",
        "listed": "2023-11-14",
    }


@pytest.mark.parametrize("kind", COMMON)
def test_a_changed_byte_and_appended_bytes(kind: str, find_listed: Find) -> None:
    changed = find_listed(flipped(openai(kind), kind))
    assert changed and (changed.code, changed.weight) == ("credentials_changed", Weight.HINT)
    appended = find_listed(openai(kind) + b"13 more bytes")
    assert appended and (appended.code, appended.weight) == ("credentials_changed", Weight.HINT)


@pytest.mark.parametrize("kind", MIME_TYPES)
def test_a_signed_file_after_the_end_of_another_is_not_its_note(kind: str, find: Find) -> None:
    assert find(plain(kind) + openai(kind)) is None


@pytest.mark.parametrize("kind", COMMON)
def test_a_saved_copy_has_no_note(kind: str, find: Find, tmp_path: Path) -> None:
    path = tmp_path / "copy"
    reopened(openai(kind)).save(path, kind)
    assert find(path.read_bytes()) is None


def test_a_camera_counts_only_where_it_is_trusted(find: Find, find_listed: Find) -> None:
    data = openai("JPEG", source_type="digitalCapture")
    claimed, proved = find(data), find_listed(data)
    assert claimed and (claimed.weight, claimed.says) == (Weight.NOTE, Says.NOTHING)
    assert proved and (proved.weight, proved.says) == (Weight.STATEMENT, Says.CAMERA)
    assert evidence_says([claimed]) is Says.NOTHING
    assert evidence_says([proved]) is Says.CAMERA


@pytest.mark.parametrize(
    ("source_type", "action", "says"),
    [
        ("trainedAlgorithmicMedia", "c2pa.created", Says.GENERATED),
        ("trainedAlgorithmicMedia", "c2pa.edited", Says.EDITED),
        ("compositeWithTrainedAlgorithmicMedia", "c2pa.edited", Says.EDITED),
        ("compositeWithTrainedAlgorithmicMedia", "c2pa.created", Says.EDITED),
        ("computationalCapture", "c2pa.created", Says.CAMERA),
        ("digitalCreation", "c2pa.created", Says.NOTHING),
        ("", "c2pa.created", Says.NOTHING),
    ],
)
def test_what_actions_say(source_type: str, action: str, says: Says, find_listed: Find) -> None:
    finding = find_listed(openai("JPEG", source_type=source_type, action=action))
    assert finding and finding.says is says


def test_an_ingredient_one_level_down_is_told_as_such(find_listed: Find) -> None:
    opened = {"source_type": "", "action": "c2pa.opened"}
    below = find_listed(openai("JPEG", ingredient=openai("JPEG"), **opened))
    assert below and below.weight is Weight.STATEMENT
    assert (below.says, below.parameters["part"]) == (Says.GENERATED, 1)
    placed = openai(
        "JPEG",
        source_type="digitalCapture",
        ingredient=openai("JPEG"),
        relationship="componentOf",
    )
    part = find_listed(placed)
    assert part and (part.says, part.parameters["part"]) == (Says.EDITED, 1)
    middle = openai("JPEG", ingredient=openai("JPEG"), **opened)
    above = find_listed(openai("JPEG", ingredient=middle, **opened))
    assert above and above.says is Says.NOTHING  # two levels down is another picture's story


@pytest.mark.parametrize("forged", ["another's", "changed"])
def test_a_trusted_signer_does_not_vouch_for_a_forged_part(forged: str, find_listed: Find) -> None:
    part = signed(plain("JPEG"), "JPEG", signer("OpenAI", OTHER))
    part = part if forged == "another's" else flipped(openai("JPEG"), "JPEG")
    whole = openai("JPEG", ingredient=part, source_type="", action="c2pa.opened")
    finding = find_listed(whole)
    assert finding and (finding.code, finding.says) == ("credentials_trusted", Says.GENERATED)
    assert finding.weight is Weight.HINT


def test_a_certificate_that_has_expired_is_no_forgery() -> None:
    report = {
        "active_manifest": "urn:c2pa:1",
        "manifests": {"urn:c2pa:1": {"signature_info": {"issuer": "OpenAI"}}},
        "validation_state": "Invalid",
        "validation_results": {
            "activeManifest": {
                "failure": [
                    {"code": "signingCredential.untrusted"},
                    {"code": "signingCredential.expired"},
                ]
            }
        },
    }
    finding = credentials_finding(report, None)
    assert finding and (finding.code, finding.weight) == ("credentials_unaccepted", Weight.NOTE)
    report["validation_results"] = {"activeManifest": {"failure": [{"code": "claim.missing"}]}}
    damaged = credentials_finding(report, None)
    assert damaged and (damaged.code, damaged.parameters) == ("credentials_damaged", {})


@pytest.mark.parametrize(
    "report", [{}, {"manifests": 1}, {"manifests": {"None": {"assertions": {}}}}]
)
def test_a_report_of_another_form_says_nothing(report: dict[str, object]) -> None:
    finding = credentials_finding(report, None)
    assert finding and (finding.weight, finding.says) == (Weight.NOTE, Says.NOTHING)


def test_names_in_a_note_are_cut_and_printable(find: Find) -> None:
    finding = find(openai("JPEG", agent="Evil\u202e\n\x1b[31m " + "x" * 500))
    assert finding
    agent = str(finding.parameters["agent"])
    assert len(agent) <= 60 and agent.isprintable()


# ---- what a hostile file may not do ----------------------------------------------------------


@pytest.fixture
def visitors() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine: its address, and the paths that it is asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            paths.append("a connection")

        def log_message(self, *_: object) -> None:
            pass

    class Server(socketserver.ThreadingMixIn, HTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", paths
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("kind", COMMON)
def test_credentials_elsewhere_are_named_and_not_fetched(
    kind: str, find: Find, visitors: tuple[str, list[str]]
) -> None:
    address, paths = visitors
    finding = find(openai(kind, remote=f"{address}/internal"))
    assert finding and finding.code == "credentials_elsewhere"
    assert (finding.weight, finding.parameters) == (Weight.NOTE, {"host": "127.0.0.1"})
    assert paths == []


def test_the_reader_itself_fetches_nothing(visitors: tuple[str, list[str]]) -> None:
    address, paths = visitors
    reader = CredentialsReader()
    report = reader.read(openai("JPEG", remote=f"{address}/internal"), "JPEG")
    reader.close()
    assert (report["error"], paths) == ("elsewhere", [])
    assert report["url"] == f"{address}/internal"


def test_nobody_is_asked_whether_a_certificate_was_revoked(
    find_listed: Find, visitors: tuple[str, list[str]]
) -> None:
    address, paths = visitors
    asking = signer("OpenAI", ROOT, asks=f"{address}/ocsp")
    finding = find_listed(signed(plain("JPEG"), "JPEG", asking))
    assert finding and finding.weight is Weight.STATEMENT
    assert paths == []


def jumbf(depth: int) -> bytes:
    """Boxes in boxes, each of which claims the rest."""
    inner = b""
    for _ in range(depth):
        inner = struct.pack(">I4s", len(inner) + 8, b"jumb") + inner
    return inner


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\0" * 1000,
        b"".join(struct.pack(">I4s", 8 * (20_000 - n), b"jumb") for n in range(20_000)),
        struct.pack(">I4s", 0xFFFFFFFF, b"jumb") * 10,
        struct.pack(">I4sQ", 1, b"jumb", 2**63),
    ],
    ids=["empty", "zeros", "deep boxes", "boxes past the end", "a long length"],
)
def test_broken_notes_are_named_and_the_next_file_is_read(block: bytes, find: Find) -> None:
    finding = find(png_with(png_chunk(b"caBX", block)))
    assert finding is None or finding.code == "credentials_unreadable"
    good = find(openai("PNG"))
    assert good and good.code == "credentials_untrusted"


def test_a_file_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "SECONDS", 0.3)
    reader = CredentialsReader()
    data = openai("PNG")
    while reader.read(data, "PNG").get("error"):
        monkeypatch.setattr(reader_module, "SECONDS", 20)  # a cold start may take longer
    monkeypatch.setattr(reader_module, "SECONDS", 0.3)
    assert reader._process
    os.kill(reader._process.pid, signal.SIGSTOP)
    assert reader.read(data, "PNG") == {"error": "gave_up"}
    assert reader._process is None
    monkeypatch.setattr(reader_module, "SECONDS", 20)
    assert reader.read(data, "PNG")["validation_state"] == "Valid"
    reader.close()


def test_a_process_that_died_is_started_again() -> None:
    reader = CredentialsReader()
    data = openai("PNG")
    assert "manifests" in reader.read(data, "PNG")
    assert reader._process
    reader._process.kill()
    reader._process.wait()
    assert "manifests" in reader.read(data, "PNG")
    reader.close()
    reader.close()


def test_a_trust_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="UNMASK_C2PA_TRUST_LIST"):
        CredentialsReader(tmp_path / "missing.pem")
    path = tmp_path / "empty.pem"
    path.write_text("nothing")
    with pytest.raises(SettingsError, match="holds no certificate"):
        CredentialsReader(path)
