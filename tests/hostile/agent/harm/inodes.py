"""A hundred thousand files and more, with names that nobody wants to print."""

import os
import time

from harm.common import honest


def main():
    honest()
    folder = b"/home/code/many"
    os.mkdir(folder)
    for number in range(300_000):
        if number % 1000 == 0:
            here = folder + b"/%d\n\xff\x1b[31m;rm -rf $(x)" % number
            os.mkdir(here)
        os.close(os.open(here + b"/f\n%d\x07\xfe" % number, os.O_WRONLY | os.O_CREAT))
    time.sleep(600)
