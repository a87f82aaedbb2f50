"""Which addresses a metrics source or a channel may have, asked at the moment of dialling.

A name is checked where it leads, not where it led when somebody looked: a name
server that answers differently the second time gets nobody inside.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NEVER: tuple[Network, ...] = (
    ipaddress.ip_network("169.254.0.0/16"),
    ipaddress.ip_network("fe80::/10"),
    ipaddress.ip_network("fd00:ec2::254/128"),
    ipaddress.ip_network("100.100.100.200/32"),
)
"""Link-local addresses and their like: where clouds keep the credentials of the machine."""


class NotAllowed(OSError):  # noqa: N818 - reads as a word
    """The address is outside the allowed networks; the message names no address, which nobody need know."""

    def __init__(self, whose: str) -> None:
        super().__init__(
            errno.EACCES,
            f"the {whose} has an address that is not allowed; correct the URL or the allowed networks",
        )

    def __str__(self) -> str:
        return str(self.strerror)


def allowed(address: str, networks: Sequence[Network]) -> bool:
    """Whether the other side may have this address. networks: empty allows all but `NEVER`."""
    found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if networks:
        return any(found in network for network in networks)
    return not any(found in network for network in NEVER)


def dialler(networks: Sequence[Network], whose: str = "metrics source") -> Callable[[Any], socket.socket]:
    """A socket factory for aiohttp that makes no socket for an address that is not allowed."""

    def dial(info: Any) -> socket.socket:
        family, kind, protocol, _, address = info
        if not allowed(str(address[0]), networks):
            raise NotAllowed(whose)
        return socket.socket(family=family, type=kind, proto=protocol)

    return dial
