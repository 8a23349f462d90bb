"""Where an agent runs: one interface, two providers (a container, a plain process)."""
