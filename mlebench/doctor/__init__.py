"""Is this machine fit to prepare, run and grade? Small checks that know nothing of each other, and their runner."""
