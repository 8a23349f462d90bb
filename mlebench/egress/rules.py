"""What may be reached: the allow-list of names, and which addresses a name may lead to."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

WEB_PORTS = (443, 80)
"""Ports of a host that is named without one; what speaks there must be TLS or plain HTTP requests."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?")


@dataclass(frozen=True)
class _Rule:
    name: str
    below: bool
    """`*.name`: names below it, and not itself."""
    ports: tuple[int, ...]

    def covers(self, host: str, port: int) -> bool:
        if port not in self.ports:
            return False
        return host.endswith("." + self.name) if self.below else host == self.name


class AllowList:
    """`example.org`, `*.example.org`, `example.org:8443`, `192.0.2.7:80`; without a port 443 and 80."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self.hosts = tuple(hosts)
        self._rules = [_rule(host) for host in self.hosts]

    def allows(self, host: str, port: int) -> bool:
        """Whether the name (or address) `host`, as `host_name` returns it, may be reached at this port."""
        return any(rule.covers(host, port) for rule in self._rules)

    def allows_name(self, host: str) -> bool:
        """Whether it may be reached at any port; for the name that a TLS client asks for."""
        return any(rule.covers(host, port) for rule in self._rules for port in rule.ports)

    def allows_address(self, address: Address, port: int) -> bool:
        """Whether a name may lead to this address: a public one, or one that is itself on the list."""
        return is_public(address) or self.allows(str(address), port)

    def __str__(self) -> str:
        return ", ".join(self.hosts)


def _rule(text: str) -> _Rule:
    host, _, port = text.lower().partition(":")
    below = host.startswith("*.")
    return _Rule(host.removeprefix("*."), below, (int(port),) if port else WEB_PORTS)


def host_name(text: str) -> str | None:
    """The name as it is compared: lower case, no dot at the end; None for what is no name."""
    name = text.lower().removesuffix(".")
    return name if text.isascii() and _NAME.fullmatch(name) and ".." not in name else None


def is_public(address: Address) -> bool:
    """Whether it belongs to the internet at large.

    Not: private, loopback, link-local (cloud metadata among them), shared, reserved, multicast; nor an IPv6 address
    that only wraps such an IPv4 address.
    """
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if wrapped is None and address in _NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(wrapped)
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)
