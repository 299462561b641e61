"""Which addresses are of the public internet."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable

from unmask.fetch.addresses import Address, address_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: IPv4 that is not the public internet: IANA's special-purpose registry, multicast, and Azure's
#: 168.63.129.16, which looks public and answers only on the machine itself.
CLOSED_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        [
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16/32",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ],
    )
)
#: IPv6 is closed except for the unicast block in use, whose special-purpose parts are closed too.
#: Mapped, translated and tunnelled IPv4 (::ffff:0:0/96, 64:ff9b::/96, 2001::/32, 2002::/16) is
#: closed as a whole: an IPv4 host has an IPv4 address.
OPEN_V6 = ipaddress.IPv6Network("2000::/3")
CLOSED_V6 = tuple(
    map(
        ipaddress.IPv6Network,
        ["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"],
    )
)
#: The name whose IPv6 addresses, where there are any, tell a network's own prefix of NAT64 (RFC
#: 7050), and the IPv4 addresses that they carry.
NAT64_NAME = "ipv4only.arpa"
NAT64_CARRIED = frozenset(map(ipaddress.IPv4Address, ("192.0.0.170", "192.0.0.171")))


class AddressRefusedError(OSError):
    """An address that is not of the public internet was about to be dialled."""


class Gate:
    """Lets addresses of the public internet pass, and those of ``opened``, which tests set."""

    def __init__(self, opened: Collection[Network] = ()) -> None:
        self._opened = tuple(opened)
        self._closed: tuple[Network, ...] = ()

    def close_nat64(self, addresses: Iterable[str]) -> None:
        """Close the prefix behind which this network reaches IPv4, its own machines included;
        ``addresses`` are those of :data:`NAT64_NAME`."""
        self._closed = tuple(
            prefix for text in addresses if (prefix := _nat64_prefix(text)) is not None
        )

    def check(self, text: str) -> None:
        """Raise :class:`AddressRefusedError` for an address that is closed."""
        address = address_of(text)
        if address is None:
            raise AddressRefusedError("not an address")
        if any(address in network for network in self._opened):
            return
        if not is_public(address) or any(address in network for network in self._closed):
            raise AddressRefusedError("not an address of the public internet")


def is_public(address: Address) -> bool:
    """Whether ``address`` belongs to the public internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in CLOSED_V4)
    if address.scope_id is not None or address not in OPEN_V6:
        return False
    return not any(address in network for network in CLOSED_V6)


def _nat64_prefix(text: str) -> Network | None:
    """The prefix of an IPv6 address that carries a known IPv4 address, by RFC 6052's forms."""
    address = address_of(text.partition("%")[0])
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    octets = address.packed
    for length in (96, 64, 56, 48, 40, 32):
        # Octet 8 is reserved: the IPv4 address goes on behind it.
        rest = octets[12:] if length == 96 else octets[length // 8 : 8] + octets[9:]
        if ipaddress.IPv4Address(rest[:4]) in NAT64_CARRIED:
            return ipaddress.IPv6Network((int(address), length), strict=False)
    return None
