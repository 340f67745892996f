"""Which addresses on the network a page may be fetched from: public ones, looked up once."""

from __future__ import annotations

import ipaddress
import socket

from knowledge.errors import InvalidDocument

# Tests have their servers on this machine. Nothing else sets it; private networks stay refused.
loopback_allowed = False

_PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")


def checked_addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, all of them public; whoever connects has to use these and not look the name up again.

    Raises InvalidDocument, one sentence, for an unknown host and for one with an address that is not public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError) as error:
        raise InvalidDocument(f"the host {host} is not known; check the address.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses or not all(is_allowed(a) for a in addresses):
        raise InvalidDocument(
            f"the host {host} is in a private network; only public pages can be brought in, save this one in a file."
        )
    return addresses


def is_allowed(address: str) -> bool:
    """Whether an address is public: not of this machine, a private or local network, a group of machines or reserved."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        # An IPv4 address inside an IPv6 one leads to the same machine.
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_allowed(str(inner))
        if ip not in _PUBLIC_IPV6:
            return loopback_allowed and ip.is_loopback
    if ip.is_loopback:
        return loopback_allowed
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_private or ip.is_unspecified)
