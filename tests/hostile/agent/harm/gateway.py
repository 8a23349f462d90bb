"""The model gateway: other people's keys, its log, its memory, its patience; and more than the budget."""

import http.client
import json
import os
import socket
import threading
import time

from harm.common import MARK, harm, honest, note

KEY = os.environ["OPENAI_API_KEY"]
MODEL = os.environ["MODEL"]
PATH = "/v1/chat/completions"


def call(body=None, key=KEY, path=PATH, headers=None, method="POST", connection=None):
    """Status and text of one call; (0, ...) when the connection broke."""
    if body is None:
        body = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    own = connection or http.client.HTTPConnection("127.0.0.1", 5001, timeout=60)
    try:
        fields = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        own.request(method, path, data, fields | (headers or {}))
        answer = own.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException, ValueError) as problem:
        return 0, repr(problem)
    finally:
        if connection is None:
            own.close()


def _allowed(answers):
    """The answers that are no refusal, or tell a secret."""
    return [one for one in answers if 200 <= one[0] < 300 or MARK in one[1].encode()]


def wrong_keys():
    keys = [None, "x", "sk-mlebench-", KEY + "x", KEY[:-1], "Bearer " + KEY[:-2], "a" * 4000, "é"]
    return _allowed([call(key=key) for key in keys if key is None or key.isascii()])


def a_neighbours_key():
    """The test puts another attempt's key here: what if one got out?"""
    deadline = time.monotonic() + 30
    while not os.path.exists("/home/logs/neighbour_key"):
        if time.monotonic() > deadline:
            raise TimeoutError("nobody gave me a key")
        time.sleep(0.1)
    with open("/home/logs/neighbour_key") as file:
        key = file.read().strip()
    assert key and key != KEY
    return _allowed([call(key=key), call(key=key, method="GET", path="/v1/models")])


def other_paths_and_hosts():
    """The gateway is no way to anywhere else."""
    found = []
    for method, path in (
        *(("GET", "/"), ("GET", "/admin"), ("GET", "/v1/../../etc/passwd"), ("GET", "/..%2f..%2fusage.jsonl")),
        *(("POST", "/v1/files"), ("POST", "/v1/fine_tuning/jobs"), ("GET", "/v1/organization/api_keys")),
        *(("GET", "http://169.254.169.254/latest/meta-data/"), ("POST", "http://127.0.0.1/v1/chat/completions@x")),
        *(("POST", "//evil.test/v1/chat/completions"), ("GET", "/v1/chat/completions"), ("DELETE", PATH)),
    ):
        found += _allowed([call(method=method, path=path)])
    for head in (
        b"CONNECT 169.254.169.254:80 HTTP/1.1\r\n\r\n",
        b"GET http://example.org/ HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", 5001), timeout=20) as client:
            client.sendall(head)
            answer = client.recv(4096)
            if answer[9:10] == b"2":
                found.append(head)
    return found


def other_models():
    names = [
        *(
            "openai/gpt-4o",
            "lab/other",
            "lab/../openai/gpt-4o",
            "",
            "x" * 100_000,
            "a\nb\r\nX-Key: 1",
            "lab/\x00",
            "☃" * 500,
        ),
        *('"}\n{"event": "call", "usd": -5', "lab/model-1\n", None, 5, ["lab/model-1"], {"a": 1}),
    ]
    return _allowed([call({"model": name, "messages": []}) for name in names])


def bodies():
    """Malformed, deep, giant, compressed, endless."""
    answers = [
        call(body)
        for body in (
            *(b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"model": NaN}', b"[" * 100_000, b'{"a":' * 50_000),
            b'{"model": "' + MODEL.encode() + b'", "messages": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        )
    ]
    answers.append(call(b" " * (40 << 20)))
    answers.append(call(b"x", headers={"Content-Length": str(10**15)}))
    answers.append(call(b"\x1f\x8b" + b"\0" * 1000, headers={"Content-Encoding": "gzip"}))
    with socket.create_connection(("127.0.0.1", 5001), timeout=60) as client:
        head = f"POST {PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.sendall(head.encode())
        sent = 0
        try:
            while sent < 200 << 20:
                client.sendall(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
                sent += 1 << 20
        except OSError:
            pass
        note("endless_body_mib", sent >> 20)
    # The deep list is a request that can be read, and may be passed on: it counts, that is all.
    return [one for one in _allowed(answers) if '"choices"' not in one[1]]


def heads():
    """Header floods, and two requests in one."""
    answers = [
        call(headers={f"X-{number}": "y" * 8000 for number in range(200)}),
        call(headers={"X-Long": "z" * 10**6}),
    ]
    with socket.create_connection(("127.0.0.1", 5001), timeout=20) as client:
        client.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nContent-Length: 5\r\n"
            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        )
        text = client.recv(65536)
    return _allowed(answers) + ([text] if b" 200 " in text else [])


def slow_and_many():
    """Connections that dawdle and are left open; an honest call must still get through."""
    held = []
    for _ in range(150):
        try:
            client = socket.create_connection(("127.0.0.1", 5001), timeout=5)
            client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nX: ")
            held.append(client)
        except OSError:
            break
    status, text = call()
    for client in held:
        client.close()
    note("honest_call_meanwhile", status)
    for _ in range(30):  # hang up in the middle of an answer
        with socket.create_connection(("127.0.0.1", 5001), timeout=5) as client:
            body = json.dumps({"model": MODEL, "stream": True, "messages": []}).encode()
            head = (
                f"POST {PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            client.sendall(head.encode() + body)
    return [] if status == 200 or "budget" in text else [f"{status} {text}"]


def ten_thousand_calls():
    """Calls that are refused, as fast as they can be made: none may leave more than its share in the log."""
    done, lock = [0, 0], threading.Lock()

    def flood():
        connection = http.client.HTTPConnection("127.0.0.1", 5001, timeout=60)
        for number in range(2500):
            status, _ = call(b'{"model": "nobody/\\n%d"}' % number, key="wrong", connection=connection)
            with lock:
                done[0] += 1
                done[1] += 200 <= status < 300
            if status == 0:
                connection.close()

    threads = [threading.Thread(target=flood) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    note("refused_calls", done[0])
    return ["answered"] * done[1]


def more_than_the_budget():
    """Many at once, until it is used up: no more answers than calls were paid for."""
    answers, lock = [], threading.Lock()

    def spend():
        for _ in range(10):
            one = call()
            with lock:
                answers.append(one)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    note("answered", sum(status == 200 for status, _ in answers))
    note("refusals", sorted({status for status, _ in answers if status != 200}))
    return [text for _, text in answers if MARK.decode() in text]


def main():
    honest()
    for one in (
        *(wrong_keys, a_neighbours_key, other_paths_and_hosts, other_models, bodies, heads, slow_and_many),
        *(ten_thousand_calls, more_than_the_budget),
    ):
        harm(one)
