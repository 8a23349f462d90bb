"""Building blocks of synthetic.py: made-up text, images, sounds and ids with a signal a model can learn."""
