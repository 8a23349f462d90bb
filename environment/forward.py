"""Makes Unix sockets of the host reachable on localhost inside a container that has no network.

    forward.py PORT:SOCKET...              listen on 127.0.0.1:PORT, connect each caller to SOCKET
    forward.py --wait SECONDS PORT:SOCKET...   return 0 as soon as every port listens, 1 after SECONDS

The socket is opened anew for every connection, so a service that the host restarts is found again.
Standard library only: it runs with whatever python3 the image has.
"""

import asyncio
import socket
import sys
import time


async def pump(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def join(one, other):
    """Pass bytes both ways until both sides have ended, or one of them has failed: then the other is cut as well."""
    pumps = [asyncio.ensure_future(pump(one[0], other[1])), asyncio.ensure_future(pump(other[0], one[1]))]
    try:
        done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_EXCEPTION)
        if any(task.exception() is not None for task in done):
            for _, writer in (one, other):
                writer.transport.abort()
    finally:
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


def forward_to(path):
    running = set()  # the event loop itself holds tasks by weak references only

    async def serve(reader, writer):
        running.add(asyncio.current_task())
        try:
            try:
                there = await asyncio.open_unix_connection(path)
            except OSError:
                body = b"The endpoint is not available right now; try again in a moment.\n"
                writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
                return
            try:
                await join((reader, writer), there)
            finally:
                there[1].close()
        finally:
            running.discard(asyncio.current_task())
            writer.close()

    return serve


async def listen(routes):
    servers = [await asyncio.start_server(forward_to(path), "127.0.0.1", port) for port, path in routes]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def wait_for(ports, seconds):
    deadline = time.monotonic() + seconds
    for port in ports:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    return 1
                time.sleep(0.05)
    return 0


def main(words):
    seconds = None
    if words[:1] == ["--wait"]:
        seconds, words = float(words[1]), words[2:]
    routes = [(int(port), path) for port, _, path in (word.partition(":") for word in words)]
    if seconds is not None:
        return wait_for([port for port, _ in routes], seconds)
    asyncio.run(listen(routes))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
