"""Formats that stand in the cells and files of submissions: one module a format, each reads and writes it."""
