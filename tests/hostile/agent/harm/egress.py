"""With an allow-list of one address: getting anywhere else."""

import os
import socket

from harm.common import MARK, TOLD, harm, honest, note

ALLOWED = TOLD["allowed"]


def proxy(*pieces, seconds=20):
    """Send to the proxy; everything it sends back."""
    answer = b""
    with socket.create_connection(("127.0.0.1", 5002), timeout=seconds) as client:
        for piece in pieces:
            client.sendall(piece)
            if piece.startswith(b"CONNECT"):
                try:
                    answer += client.recv(65536)
                except OSError:
                    return answer
        try:
            while data := client.recv(65536):
                answer += data
        except OSError:
            pass
    return answer


def _get(url, host="x", extra=""):
    return proxy(f"GET {url} HTTP/1.1\r\nHost: {host}\r\n{extra}\r\n".encode())


def _passed(answers):
    here = b"you asked for "  # what the allowed host says, however it was come to
    return [one[:200] for one in answers if (b" 200 " in one[:40] and here not in one) or MARK in one]


def the_allowed_host_works():
    note("allowed", _get(f"http://{ALLOWED}/through").endswith(b"you asked for /through"))
    note("proxies", [os.environ.get(name) for name in ("HTTP_PROXY", "https_proxy")])


def other_hosts():
    hosts = [
        *("example.org", "1.1.1.1", "localhost", "host.docker.internal", "metadata.google.internal", TOLD["host_name"]),
        *("169.254.169.254", "100.100.100.200", "172.17.0.1", "10.0.0.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"),
        *("0x7f000001", "2130706433", "127.1", "127.0.0.2", "[fd00:ec2::254]", "localtest.me"),
    ]
    answers = []
    for host in hosts:
        for port in (80, 443, 2375, *TOLD["host_ports"]):
            answers.append(_get(f"http://{host}:{port}/"))
            answers.append(proxy(f"CONNECT {host}:{port} HTTP/1.1\r\n\r\n".encode()))
    return _passed(answers)


def other_ports_of_the_allowed_host():
    host = ALLOWED.partition(":")[0]
    return _passed([_get(f"http://{host}:{port}/") for port in (22, 80, 443, 2375, 5000, *TOLD["host_ports"])])


def tricks_with_urls():
    other = TOLD["host_ports"][0]
    answers = [
        _get(url)
        for url in (
            f"http://{ALLOWED}@169.254.169.254/",
            f"http://{ALLOWED}@127.0.0.1:{other}/",
            f"http://127.0.0.1:{other}#@{ALLOWED}/",
            f"http://127.0.0.1:{other}\\@{ALLOWED}/",
            f"http://{ALLOWED}:{other}/",
            f"https://{ALLOWED}/",
            "ftp://example.org/",
            "file:///etc/passwd",
            "/etc/passwd",
            "http://",
            f"http://127.0.0.1:0{other}0/",
        )
    ]
    return _passed(answers)


def two_requests_in_one():
    other = f"127.0.0.1:{TOLD['host_ports'][0]}"
    answers = [
        proxy(
            f"GET http://{ALLOWED}/one HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET http://{other}/evil HTTP/1.1\r\n\r\n".encode()
        ),
        proxy(
            f"POST http://{ALLOWED}/two HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n".encode()
        ),
        proxy(f"GET http://{ALLOWED}/three HTTP/1.1\nX: y\r\n\r\n".encode()),
        _get(f"http://{ALLOWED}/four", extra="X: y\r\nGET /evil HTTP/1.1\n"),
    ]
    return [one for one in answers if b"/evil" in one or MARK in one]


def the_hosts_header():
    """The allowed address asked for another site."""
    return [one for one in (_get(f"http://{ALLOWED}/five", host="evil.test"),) if MARK in one]


def around_the_proxy():
    found = []
    host, port = ALLOWED.split(":")
    for address in ((host, int(port)), ("172.17.0.1", int(port)), ("1.1.1.1", 443)):
        with socket.socket() as client:
            client.settimeout(1)
            try:
                client.connect(address)
                found.append(address)
            except OSError:
                pass
    return found


def floods():
    held = []
    for _ in range(300):
        try:
            held.append(socket.create_connection(("127.0.0.1", 5002), timeout=2))
            held[-1].sendall(b"GET http://")
        except OSError:
            break
    for client in held:
        client.close()
    for number in range(500):
        _get(f"http://{'n' * 4000}{number}.evil.test/")
    _get("http://" + "\x00\x1b[31m" * 100)


def still_there():
    note("allowed_afterwards", _get(f"http://{ALLOWED}/after").endswith(b"you asked for /after"))


def main():
    honest()
    for one in (
        *(the_allowed_host_works, other_hosts, other_ports_of_the_allowed_host, tricks_with_urls, two_requests_in_one),
        *(the_hosts_header, around_the_proxy, floods, still_there),
    ):
        harm(one)
