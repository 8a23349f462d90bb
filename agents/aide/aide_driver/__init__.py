"""Drives AIDE through its Python API, within the time, steps and folders of an mlebench attempt."""
