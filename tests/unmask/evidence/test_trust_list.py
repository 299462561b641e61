"""The trust list: installed by a command, dated, and put in the place of none by a setting."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from tests.unmask.evidence.files import plain
from tests.unmask.evidence.signing import authority, signed, signer
from unmask.cli.command import main
from unmask.errors import SettingsError
from unmask.evidence.collect import Collector
from unmask.evidence.credentials.reader import CredentialsReader
from unmask.evidence.credentials.trust_list import (
    INSTALLED,
    PUBLISHED,
    holders,
    joined_list,
    list_date,
    trust_list_path,
)
from unmask.fetch import Fetcher
from unmask.findings import Evidence, Kind, Weight
from unmask.images import open_picture
from unmask.settings import Settings

LISTED, OWN, FORGED = authority("Listed Root"), authority("Own Root"), authority("OpenAI")
DAY = date(2026, 8, 14)


def finding(data: bytes, path: Path | None) -> Evidence:
    with closing(Collector(CredentialsReader(path))) as collector:
        collected = collector.collect(open_picture(data, Settings()))
    return next(item for item in collected.evidence if item.kind is Kind.CREDENTIALS)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this machine's files."""
    monkeypatch.setenv("UNMASK_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def written(path: Path, *contents: bytes) -> Path:
    path.write_bytes(b"".join(contents))
    return path


def test_an_installed_list_makes_a_statement_and_is_named_by_its_date(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = written(tmp_path / "signers.pem", b"Subject\tCN=Listed Root\n", LISTED.pem)
    second = written(tmp_path / "stamps.pem", authority("Stamps").pem, LISTED.pem)
    assert main(["trust-list", "--from", str(first), str(second)]) == 0
    assert "2 certificates" in capsys.readouterr().out
    path = trust_list_path(Settings())
    assert path == data / INSTALLED
    listed = signed(plain("JPEG"), "JPEG", signer("OpenAI", LISTED))
    forged = signed(plain("JPEG"), "JPEG", signer("OpenAI", FORGED))
    os.utime(path, (0, 0))  # as a copy into an image or a volume leaves it
    trusted, untrusted = finding(listed, path), finding(forged, path)
    assert (trusted.code, trusted.weight) == ("credentials_trusted", Weight.STATEMENT)
    assert trusted.parameters["listed"] == list_date(path).isoformat() > "2026"
    assert (untrusted.code, untrusted.weight) == ("credentials_untrusted", Weight.HINT)


def test_the_setting_replaces_the_installed_list(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    written(data / INSTALLED, LISTED.pem)
    own = written(tmp_path / "own.pem", OWN.pem)
    path = trust_list_path(Settings(c2pa_trust_list=own))
    assert path == own
    picture = signed(plain("PNG"), "PNG", signer("A newspaper", OWN))
    assert finding(picture, path).code == "credentials_trusted"
    assert finding(picture, trust_list_path(Settings())).code == "credentials_untrusted"


def test_without_a_list_no_signer_is_trusted(data: Path) -> None:
    assert trust_list_path(Settings()) is None


def test_what_is_published_is_joined_without_its_comments() -> None:
    text = joined_list({"a": LISTED.pem + b"\xff comment\n", "b": OWN.pem + LISTED.pem}, DAY)
    assert (text.count("BEGIN CERTIFICATE"), "comment\n" in text) == (2, False)
    assert text.isascii()
    assert "CC BY 4.0" in text
    assert "# a, b\n" in text


def test_the_holders_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "list.pem", joined_list({"a": LISTED.pem}, DAY).encode())
    assert list_date(path) == DAY
    assert holders(path.read_text()) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>not found</html>", "holds no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be parsed"),
    ],
)
def test_what_is_no_list_replaces_nothing(
    content: bytes,
    reason: str,
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data.mkdir(mode=0o700)
    written(data / INSTALLED, LISTED.pem)
    bad = written(tmp_path / "bad.pem", content)
    assert main(["trust-list", "--from", str(bad)]) == 2
    assert reason in capsys.readouterr().err
    assert (data / INSTALLED).read_bytes() == LISTED.pem
    assert [path.name for path in data.iterdir()] == [INSTALLED]


def test_the_published_lists_are_downloaded(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def fetch(_: Fetcher, url: str) -> bytes:
        asked.append(url)
        return OWN.pem if "TSA" in url else LISTED.pem

    monkeypatch.setattr(Fetcher, "fetch", fetch)
    assert main(["trust-list"]) == 0
    assert asked == list(PUBLISHED)
    assert (data / INSTALLED).read_text().count("BEGIN CERTIFICATE") == 2


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="UNMASK_C2PA_TRUST_LIST"):
        list_date(tmp_path / "missing.pem")
