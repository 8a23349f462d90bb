"""What a run's attempts and grades amount to: statistics, one summary model, and its renderings."""
