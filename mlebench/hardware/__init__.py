"""The machine's processors, memory and GPUs: what there is, who holds what, and what an attempt used of it."""
