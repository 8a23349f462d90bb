"""More bytes outside the output folders than allowed: /tmp, /var/tmp, shared memory."""

import time

from harm.common import harm, honest, note


def shared_memory():
    written = 0
    try:
        with open("/dev/shm/big", "wb", buffering=0) as file:
            while written < 1 << 30:
                written += file.write(bytes(1 << 20))
    except OSError:
        pass
    note("shm_bytes", written)
    return ["a gigabyte of shared memory"] if written >= 1 << 30 else []


def main():
    honest()
    harm(shared_memory)
    for folder in ("/tmp", "/var/tmp"):
        for number in range(10):
            with open(f"{folder}/big{number}", "wb") as file:
                file.write(bytes(20_000_000))
    time.sleep(600)
