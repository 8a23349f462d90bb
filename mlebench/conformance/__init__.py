"""The contract that every competition keeps, as checks that run on one folder: `mlebench competitions check`."""
