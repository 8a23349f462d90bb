"""Notebooks in which each markdown cell names the variable that the code cell after it makes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.text import hex_ids, sentences


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(100, int(400 * scale))
    ids = sorted(hex_ids(rng, n, 14))
    steps = rng.integers(1, 6, n).tolist()
    cell_ids = iter(hex_ids(rng, 2 * sum(steps), 8))
    texts = iter(sentences(rng, sum(steps), words=8))
    (raw / "train").mkdir()
    (raw / "test").mkdir()
    orders = []
    for name, count in zip(ids, steps, strict=True):
        code, markdown, order = {}, {}, []
        for variable in rng.permutation(40)[:count].tolist():
            text, line = next(cell_ids), next(cell_ids)
            markdown[text] = f"## {next(texts)}\nNext comes `x{variable}`, naïvely."
            code[line] = f"x{variable} = load({variable})\nprint(x{variable})"
            order += [text, line]
        shuffled = [list(markdown)[i] for i in rng.permutation(count)]
        source = code | {cell: markdown[cell] for cell in shuffled}
        kinds = {cell: "code" if cell in code else "markdown" for cell in source}
        content = json.dumps({"cell_type": kinds, "source": source})
        (raw / "train" / f"{name}.json").write_text(content, encoding="utf-8")
        orders.append(" ".join(order))
    pd.DataFrame({"id": ids, "cell_order": orders}).to_csv(raw / "train_orders.csv", index=False)
    _ancestors(rng, ids).to_csv(raw / "train_ancestors.csv", index=False)
    (raw / "test" / "0009d135ece78d.json").write_bytes((raw / "train" / f"{ids[0]}.json").read_bytes())
    sample = pd.DataFrame({"id": ["0009d135ece78d"], "cell_order": orders[:1]})
    sample.to_csv(raw / "sample_submission.csv", index=False)


def _ancestors(rng: np.random.Generator, ids: list[str]) -> pd.DataFrame:
    """Families of one to five; most have one member, so that any quota can be met."""
    family = np.cumsum(rng.random(len(ids)) < 0.8)
    names = np.array(hex_ids(rng, int(family.max()) + 1, 8), dtype=object)
    forked = np.r_[False, family[1:] == family[:-1]]
    parents = np.where(forked & (rng.random(len(ids)) < 0.5), np.roll(np.array(ids, dtype=object), 1), None)
    table = pd.DataFrame({"id": ids, "ancestor_id": names[family], "parent_id": parents})
    return table.sample(frac=1, random_state=1)
