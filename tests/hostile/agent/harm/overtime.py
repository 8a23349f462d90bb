"""Ignores SIGTERM, runs on in daemons of its own, and forks once more when the time is over."""

import json
import os
import signal
import time

from harm.common import SUBMISSION, honest


def daemon():
    """Twice forked, in a session of its own: whose child is it?"""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in range(1, 65):
        if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
    while True:
        for path, text in ((SUBMISSION, "id,y\n1,1\n2,0\n3,1\n"), ("/home/logs/alive", str(time.time()))):
            with open(f"{path}.{os.getpid()}", "w") as file:
                file.write(text)
            os.replace(f"{path}.{os.getpid()}", path)
        time.sleep(0.1)


def main():
    honest()
    with open("/home/logs/outcome.json", "w") as file:
        json.dump({"end": "finished", "message": "in time", "steps": 1}, file)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: [daemon() for _ in range(3)])
    daemon()
    while True:
        time.sleep(0.2)
