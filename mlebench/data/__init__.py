"""From raw files to prepared folders: sources, preparing, manifests, verifying, and tools for recipes."""
