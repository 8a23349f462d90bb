"""Run and grade machine-learning-engineering agents on Kaggle competitions, offline.

Importing this package is instant: the rooms below it are imported where they are used.
"""

__version__ = "0.1.0"
