"""A ReAct research agent: one model that plans and acts, a fast one that reads, one that edits scripts."""
