"""No URL, redirect, name or address leads anywhere but to the public internet."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import pytest

from tests.unmask.fetch.hostile import PICTURE, code_of, failure, fetched
from unmask.errors import UnmaskError
from unmask.fetch import checked_url, is_public, next_url

#: URLs refused before any name is looked up.
BAD_URLS = [
    "",
    "x",
    "example.org/a.jpg",
    "//example.org/a.jpg",
    "http://",
    "http://?a",
    "https://#a",
    "file:///etc/passwd",
    "ftp://example.org/a.jpg",
    "gopher://example.org/_x",
    "dict://example.org:11211/stats",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "jar:http://example.org!/a",
    "unix:///var/run/docker.sock",
    "ws://example.org/",
    "http://user@example.org/",
    "http://user:secret@example.org/",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1:80@example.org/",
    "http://127.0.0.1.1/",
    "http://127.0.0.256/",
    "http://example.0x/",
    "http://١٢٧.0.0.1/",
    "http://example..org/",
    "http://-example.org/",
    "http://example-.org/",
    "http://exam!ple.org/",
    "http://" + "a" * 64 + ".org/",
    "http://" + "a." * 130 + "org/",
    "http://[::1/",
    "http://[::g]/",
    "http://[fe80::1%25lo]/",
    "http://[v1.x]/",
    "http://::1/",
    "http://example.org:99999/",
    "http://example.org:-1/",
    "http://example.org:x/",
    "http://example.org/" + "a" * 20_000,
    "http://example.org/\ud800",
    "http://example\x00.org/",
    "http://ex ample.org/",
]

#: URLs refused for the port or the name they carry.
REFUSED_URLS = [
    "http://example.org:22/",
    "http://example.org:25/",
    "http://example.org:6379/",
    "http://example.org:2375/",
    "http://example.org:9200/",
    "https://example.org:1/",
    "http://example.org:65535/",
    "http://example.org:0/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://me.localhost/",
    "http://redis/",
    "http://printer.local/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://wiki.intranet/",
    "http://router.lan/",
    "http://nas.home.arpa/",
    "http://abcdefghijklmnop.onion/",
]

#: URLs whose host is an address, refused when it would be dialled.
REFUSED_ADDRESSES = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "0177.0.0.01",
    "127.1",
    "127.0.1",
    "0",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "①②⑦.⓪.⓪.①",
    "\uff11\uff12\uff17.0.0.1",
    "127。0。0。1",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:8.8.8.8]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::1]",
    "[100::1]",
    "[2001::1]",
    "[2001:0:7f00:1::]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[2001:db8::1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[3fff::1]",
    "[4000::1]",
    "[5f00::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
]

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "192.0.1.1"]
PUBLIC += ["2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "2400:cb00::1"]


def test_there_are_enough_hostile_urls() -> None:
    hostile = {*BAD_URLS, *REFUSED_URLS, *REFUSED_ADDRESSES}
    assert len(hostile) == len(BAD_URLS) + len(REFUSED_URLS) + len(REFUSED_ADDRESSES) >= 60


@pytest.mark.parametrize("url", BAD_URLS)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(UnmaskError) as error:
        checked_url(url)
    assert code_of(error) == "bad_url"


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_odd_ports_and_private_names_are_refused(url: str) -> None:
    with pytest.raises(UnmaskError) as error:
        checked_url(url)
    assert code_of(error) == "url_refused"


@pytest.mark.parametrize("host", REFUSED_ADDRESSES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_addresses_inside_are_never_dialled(host: str, scheme: str) -> None:
    assert failure(f"{scheme}://{host}/a.jpg") == "url_refused"


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_open(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://example.org", "http://example.org/"),
        ("https://example.org:443/a.jpg?b=c#d", "https://example.org/a.jpg?b=c"),
        ("http://EXAMPLE.org.:8080/%41", "http://example.org.:8080/%41"),
        ("https://bücher.example.org/ü.jpg", "https://xn--bcher-kva.example.org/%C3%BC.jpg"),
        ("https://a_b.example.org/", "https://a_b.example.org/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
    ],
)
def test_plain_urls_pass(url: str, shown: str) -> None:
    assert str(checked_url(url)) == shown


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://example.org/", "url_refused"),
        ("http://127.0.0.1@example.org/", "bad_url"),
        ("file:///etc/passwd", "bad_url"),
        ("gopher://example.org/", "bad_url"),
        ("//localhost/", "url_refused"),
        ("https://example.org:25/", "url_refused"),
        ("https://u:p@example.org/", "bad_url"),
        ("https://1.2.3.4.5/", "bad_url"),
        ("https://[::1", "bad_url"),
    ],
)
def test_redirects_come_back_to_the_gate(location: str, code: str) -> None:
    with pytest.raises(UnmaskError) as error:
        next_url(checked_url("https://example.org/a/b"), location)
    assert code_of(error) == code


def test_redirects_may_be_relative() -> None:
    assert str(next_url(checked_url("http://example.org/a/b"), "../c")) == "http://example.org/c"


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["10.0.0.1", "8.8.8.8"],
        ["2606:4700::1111", "::1"],
        ["8.8.8.8", "::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%lo"],
        ["not an address"],
    ],
)
def test_answers_of_the_name_service_are_checked(answers: list[str]) -> None:
    assert failure("http://example.org/", lookup=lambda _: answers) == "url_refused"


@pytest.mark.parametrize(
    ("told", "inside", "code"),
    [
        ("2a00:1098:2b::c000:aa", "2a00:1098:2b::a00:1", "url_refused"),
        # of 48 bits, around the reserved octet
        ("2a00:1098:2b:c000:0:aa00::", "2a00:1098:2b:a00:0:100::", "url_refused"),
        ("2a00:1450::1", "2a00:1098:2b::a00:1", "url_unreachable"),
    ],
)
def test_a_network_s_own_way_to_ipv4_is_closed(told: str, inside: str, code: str) -> None:
    """Behind its NAT64 prefix lie this network's own machines too."""
    lookup = {"ipv4only.arpa": [told], "example.org": [inside]}.__getitem__
    assert failure("http://example.org:8080/", lookup=lookup) == code


def test_a_name_without_an_address_is_unreachable() -> None:
    def nothing(_: str) -> Iterable[str]:
        raise OSError("no such name")

    assert failure("http://example.org/", lookup=nothing) == "url_unreachable"


def test_the_address_dialled_is_checked_even_if_the_resolver_were_fooled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = iter([True, False])
    monkeypatch.setattr("unmask.fetch.gate.is_public", lambda _: next(said))
    assert failure("http://example.org/", lookup=lambda _: ["127.0.0.1"]) == "url_refused"
    assert next(said, "both asked") == "both asked"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetched("/ok") == PICTURE
