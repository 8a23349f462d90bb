"""From a plan (competition x seed) to graded attempts: store, budgets, executor, resume."""
