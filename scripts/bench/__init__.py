"""What the benchmark scripts share: submissions of real size, measured processes, tables."""
