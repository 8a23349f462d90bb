"""The allow-list, and which addresses a name may lead to."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.egress import proxy_environment
from mlebench.egress.rules import AllowList, host_name, is_public
from mlebench.sandbox.base import Network

_LIST = AllowList(Network.parse("allow=Example.org,*.files.example.net,api.test:8443,192.168.7.9:81,10.0.0.5").hosts)


@pytest.mark.parametrize(
    ("host", "port", "allowed"),
    [
        ("example.org", 443, True),
        ("example.org", 80, True),
        ("example.org", 22, False),
        ("www.example.org", 443, False),
        ("notexample.org", 443, False),
        ("example.org.evil.test", 443, False),
        ("a.files.example.net", 443, True),
        ("a.b.files.example.net", 80, True),
        ("files.example.net", 443, False),
        ("evilfiles.example.net", 443, False),
        ("api.test", 8443, True),
        ("api.test", 443, False),
        ("192.168.7.9", 81, True),
        ("192.168.7.9", 80, False),
    ],
)
def test_names_and_ports(host: str, port: int, allowed: bool) -> None:
    assert _LIST.allows(host, port) is allowed


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("EXAMPLE.org.", "example.org"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("exa\u212aple.org", None),  # the Kelvin sign, which is a k for some
        ("a b", None),
        ("a..b", None),
        ("", None),
        ("a\x00.example.org", None),
        ("fe80::1", None),
    ],
)
def test_names_are_compared_in_one_form(text: str, name: str | None) -> None:
    assert host_name(text) == name


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "172.17.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "100.100.100.200", "0.0.0.0", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1"),
        *("198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "fec0::1"),
        *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "2002:a9fe:a9fe::1", "64:ff9b::7f00:1"),
        *("64:ff9b::a9fe:a9fe", "2001:0:0:0:0:0:80ff:fffe"),
    ],
)
def test_addresses_of_the_inside(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "151.101.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_addresses_of_the_internet(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_wrapped_addresses_are_what_they_wrap(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    for wrapped in (f"::ffff:{inner}", str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80)))):
        assert not is_public(ipaddress.ip_address(wrapped))


def test_an_inner_address_must_be_named_itself() -> None:
    inner = ipaddress.ip_address("10.0.0.5")
    assert _LIST.allows_address(inner, 443) and not _LIST.allows_address(inner, 22)
    assert not _LIST.allows_address(ipaddress.ip_address("10.0.0.6"), 443)


def test_the_variables_of_clients() -> None:
    variables = proxy_environment()
    assert variables["HTTPS_PROXY"] == variables["http_proxy"] == "http://localhost:5002"
    assert variables["NO_PROXY"] == variables["no_proxy"] == "localhost,127.0.0.1"
