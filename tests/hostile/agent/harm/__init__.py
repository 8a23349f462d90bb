"""One module a group of attempts at harm; each attempt notes what it got, in logs/report.json."""
