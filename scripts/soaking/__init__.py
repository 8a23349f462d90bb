"""What scripts/soak.py is made of: a run that is killed, what is left of it, what it cost."""
