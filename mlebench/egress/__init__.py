"""The way out for agents with `--network allow=HOST,...`: a logged HTTP proxy on the host, one for each attempt.

The container stays without a network interface; its HTTP clients find the proxy at localhost:5002 through the forwarder.
"""

from __future__ import annotations

from mlebench.sandbox.layout import EGRESS_PORT

_DIRECT = "localhost,127.0.0.1"


def proxy_environment(port: int = EGRESS_PORT) -> dict[str, str]:
    """The variables by which HTTP clients find the proxy, in both spellings; the host's own endpoints go past it."""
    url = f"http://localhost:{port}"
    upper = {"HTTP_PROXY": url, "HTTPS_PROXY": url, "NO_PROXY": _DIRECT}
    return upper | {name.lower(): value for name, value in upper.items()}
