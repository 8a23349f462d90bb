"""python -m mlebench.scripted --scripts DIR [--port 0] [--port-file FILE] [--log FILE]: serve until killed."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from mlebench.errors import MlebenchError
from mlebench.gateway.quiet import limit_logging
from mlebench.scripted.script import load_script


def main() -> int:
    """Read the scripts, listen, say where."""
    parser = argparse.ArgumentParser(prog="python -m mlebench.scripted", description="A scripted model server.")
    parser.add_argument("--scripts", type=Path, required=True, help="folder of NAME.json; NAME is the model's name")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="the port is written here once it listens")
    parser.add_argument("--log", type=Path, help="one JSON line a request: what was sent")
    parser.add_argument("--end-with-stdin", action="store_true", help="end when standard input is closed")
    options = parser.parse_args()
    try:
        for path in sorted(options.scripts.glob("*.json")):
            load_script(path)
        limit_logging()
        asyncio.run(_serve(options))
    except MlebenchError as problem:
        print(problem, file=sys.stderr)
        return problem.exit_code
    except OSError as problem:
        print(
            f"The scripted server cannot listen on {options.host}:{options.port}: {problem.strerror}.", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        pass
    return 0


async def _serve(options: argparse.Namespace) -> None:
    from aiohttp import web

    from mlebench.scripted.server import ScriptedServer

    server = ScriptedServer(options.scripts, options.log)
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, options.host, options.port).start()
    port = runner.addresses[0][1]
    if options.port_file:
        beside = options.port_file.with_name(options.port_file.name + ".part")
        beside.write_text(f"{port}\n")
        beside.replace(options.port_file)
    print(f"Listening on http://{options.host}:{port}", flush=True)
    if options.end_with_stdin:
        await asyncio.to_thread(_until_closed)
    else:
        await asyncio.Event().wait()
    await runner.cleanup()


def _until_closed() -> None:
    while os.read(0, 4096):
        pass


if __name__ == "__main__":
    sys.exit(main())
