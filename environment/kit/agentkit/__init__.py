"""The agent kit: what most agents need, with the standard library alone. See docs/agents.md."""
