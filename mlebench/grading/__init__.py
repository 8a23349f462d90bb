"""From a submission file to a GradeReport: read, validate, score, leaderboard, medal."""
