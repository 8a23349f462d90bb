"""As many processes as it can get, left behind when it ends."""

import os
import time

from harm.common import harm, honest, note


def fork_bomb():
    count = 0
    try:
        while count < 5000:
            if os.fork() == 0:
                os.setsid()
                time.sleep(600)
                os._exit(0)
            count += 1
    except OSError:
        pass
    note("forked", count)
    return ["5000 processes"] if count >= 5000 else []


def main():
    honest()
    harm(fork_bomb)
