"""Processes of the host that serve attempts (validation, models, egress): how they are started, listen and are ended."""
