"""Starts MLAgentBench's ResearchAgent within the time, steps, models and folders of an mlebench attempt."""
