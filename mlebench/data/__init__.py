"""From raw files to prepared folders: sources, preparing, manifests, verifying, and tools for recipes."""


def __getattr__(name: str) -> object:
    """Published names for data; see mlebench.compat."""
    if name in ("is_dataset_prepared", "download_and_prepare_dataset", "get_leaderboard"):
        from mlebench import compat

        return getattr(compat, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
