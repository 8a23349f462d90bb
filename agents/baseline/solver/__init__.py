"""The baseline agent's own package: needs numpy, pandas, scipy, scikit-learn and pillow, and nothing of mlebench."""
