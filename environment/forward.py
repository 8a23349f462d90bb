"""Makes Unix sockets of the host reachable on localhost inside a container that has no network.

    forward.py PORT:SOCKET...                      listen on localhost:PORT, connect each caller to SOCKET
    forward.py --patience SECONDS PORT:SOCKET...   the same; how long callers wait for a socket that is away
    forward.py --background PORT:SOCKET...         the same in the background: returns 0 once every port listens

The socket is opened anew for every connection, so a service that the host restarts is found again. While it is away (its
runner was killed, and is resumed soon) callers wait as they would for a slow answer; after PATIENCE seconds they are told.
Standard library only: it runs with whatever python3 the image has.
"""

import os
import socket
import sys
import time

PATIENCE = 240.0
PAUSE = 0.25


async def reach(path, patience):
    """Connect to the socket, as soon as somebody listens there."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return await asyncio.open_unix_connection(path)
        except OSError:
            if time.monotonic() >= deadline:
                raise
            await asyncio.sleep(PAUSE)


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


async def tell_it_is_away(reader, writer):
    body = b"The endpoint is not available right now; try again in a moment.\n"
    writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    writer.write_eof()
    # What the caller still sends is taken: closed at once, the connection would break before it reads the answer.
    deadline = time.monotonic() + 2
    try:
        while time.monotonic() < deadline and await asyncio.wait_for(reader.read(65536), 2):
            pass
    except (TimeoutError, OSError):
        pass


def forward_to(path, patience):
    running = set()  # the event loop itself holds tasks by weak references only

    async def serve(reader, writer):
        running.add(asyncio.current_task())
        try:
            try:
                there = await reach(path, patience)
            except OSError:
                await tell_it_is_away(reader, writer)
                return
            try:
                await join((reader, writer), there)
            finally:
                there[1].close()
        finally:
            running.discard(asyncio.current_task())
            writer.close()

    return serve


async def serve(listening, patience):
    servers = [await asyncio.start_server(forward_to(path, patience), sock=one) for one, path in listening]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def listen(routes):
    """Listening sockets with the paths that they lead to. Where there is IPv6, some clients ask for it first."""
    listening = []
    for port, path in routes:
        listening.append((socket.create_server(("127.0.0.1", port), backlog=128), path))
        try:
            listening.append((socket.create_server(("::1", port), family=socket.AF_INET6, backlog=128), path))
        except OSError:
            pass
    return listening


def main(words):
    background, patience = words[:1] == ["--background"], PATIENCE
    if words[:1] == ["--patience"]:
        patience, words = float(words[1]), words[2:]
    routes = [(int(port), path) for port, _, path in (word.partition(":") for word in words[background:])]
    try:
        listening = listen(routes)
    except OSError as problem:
        print(f"mlebench: the forwarder cannot listen: {problem}", file=sys.stderr)
        return 1
    if background:
        if os.fork():
            return 0  # the other one is now a child of the container's first process, and none of the agent's
        os.setsid()
    global asyncio
    import asyncio  # takes most of the start, and nobody has to wait for it: callers queue

    asyncio.run(serve(listening, patience))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
