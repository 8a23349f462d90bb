"""`python -m mlebench` is the command line."""

from mlebench.cli import main

if __name__ == "__main__":
    main()
