"""Prepared (or raw) data in a store of one's own: export, import, both resumable, every byte checked.

    <store>/<id>/prepared/manifest.json, public/..., private/...      also prepared-v2
    <store>/<id>/public/manifest.json, ...                            public files alone, for those without answers
    <store>/<id>/raw/manifest.json, ...

The manifest is written last: a folder without one is not there yet. While an export is under way, what is known to
be there stands in manifest.json.partial.
"""
