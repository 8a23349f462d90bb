"""The model gateway: the one way from an attempt to a model. Provider keys stay outside, every call is metered."""
