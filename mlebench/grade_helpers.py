"""Published names of grading's parts; see mlebench.compat."""

from mlebench.compat import CompetitionReport, Grader, InvalidSubmissionError

__all__ = ["CompetitionReport", "Grader", "InvalidSubmissionError"]
