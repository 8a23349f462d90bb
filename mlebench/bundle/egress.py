"""What egress.jsonl says an agent reached through the allow-list (its events: mlebench/egress/record.py)."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass, field

from mlebench.bundle.case import Case
from mlebench.bundle.logs import documents
from mlebench.egress.rules import AllowList
from mlebench.filenames import EGRESS_FILE


@dataclass
class Reached:
    """Connections of an attempt."""

    lines: int = 0
    hosts: Counter[str] = field(default_factory=Counter)
    """host:port -> requests that were let through."""
    addresses: set[tuple[str, int]] = field(default_factory=set)
    """Addresses and ports that they led to."""
    refused: int = 0
    allowed: set[str] = field(default_factory=set)
    """The allow-lists that the proxy was started with."""


def reached(case: Case) -> Reached | None:
    """The sums; None where there is no log, or it cannot be read."""
    path = case.bundle.path(EGRESS_FILE)
    if path is None or case.logs[EGRESS_FILE].problem is not None:
        return None
    found, under_way = Reached(), {}
    try:
        for line in documents(path):
            found.lines += 1
            where = f"{line.get('host')}:{line.get('port')}"
            match line.get("event"):
                case "egress_started":
                    found.allowed |= set(map(str, line["hosts"]))
                case "opened":
                    under_way[str(line["id"])] = where
                    found.addresses.add((str(line["address"]), int(line["port"])))
                case "refused_more":
                    found.refused += int(line["count"])
                case "request":
                    under_way.pop(str(line.get("id")), None)
                    if line["allowed"] is True:
                        found.hosts[where] += 1
                    else:
                        found.refused += 1
    except (ValueError, TypeError, KeyError):
        return None
    found.hosts.update(under_way.values())  # the proxy was killed while these were open
    return found


def strangers_of(noted: Reached, hosts: tuple[str, ...]) -> list[str]:
    """What was let through though these hosts do not cover it: HOST:PORT, or an address that is not the internet's."""
    allowed = AllowList(hosts)
    found = []
    for where in noted.hosts:
        name, _, port = where.rpartition(":")
        if not port.isdigit() or not allowed.allows(name, int(port)):
            found.append(where)
    for address, port_number in noted.addresses:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            found.append(address)
            continue
        if not allowed.allows_address(known, port_number):
            found.append(f"the address {address}")
    return sorted(found)
