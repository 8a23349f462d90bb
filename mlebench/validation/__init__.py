"""The validation endpoint: answers "is the format right?" from a process that cannot read the answers."""
