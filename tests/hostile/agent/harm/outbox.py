"""More bytes in the output folders than allowed; then wait and see."""

import time

from harm.common import honest


def main():
    honest()
    for number in range(20):
        with open(f"/home/logs/big{number}", "wb") as file:
            file.write(bytes(20_000_000))
    time.sleep(600)
