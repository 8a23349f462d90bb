"""More memory than there is."""

from harm.common import honest


def main():
    honest()
    eaten = []
    while True:
        eaten.append(bytearray(1 << 22))
