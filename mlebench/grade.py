"""Published names for grading; see mlebench.compat. The room that does the work is mlebench.grading."""

from mlebench.compat import grade_csv, validate_submission

__all__ = ["grade_csv", "validate_submission"]
