"""Recipes that several competitions share; their prepare.py says which and with what settings."""
