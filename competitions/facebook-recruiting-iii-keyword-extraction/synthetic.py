"""Questions whose title names some of their tags."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.data.archives import write_zip
from mlebench.synthetic.text import sentences

TAGS = np.array(
    ["c#", ".net", "c++", "javascript", "python", "php", "java", "html5", "iphone", "asp.net-mvc", "sql", "null"],
    dtype=object,
)
ROWS_AT_ONCE = 50_000


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(60, int(1500 * scale))
    with (raw / "Train.csv").open("w", encoding="utf-8", newline="") as out:
        for first in range(0, n, ROWS_AT_ONCE):
            rows = _questions(rng, first, min(ROWS_AT_ONCE, n - first))
            rows.to_csv(out, index=False, header=first == 0, quoting=csv.QUOTE_ALL)
    write_zip(raw / "Train.zip", [("Train.csv", raw / "Train.csv")])
    (raw / "Train.csv").unlink()
    test = _questions(rng, n, 10).drop(columns="Tags")
    for name, table in (("Test", test), ("SampleSubmission", test[["Id"]].assign(Tags="javascript c#"))):
        buffer = io.StringIO()
        table.to_csv(buffer, index=False, quoting=csv.QUOTE_ALL)
        write_zip(raw / f"{name}.zip", [(f"{name}.csv", buffer.getvalue().encode())])


def _questions(rng: np.random.Generator, first: int, count: int) -> pd.DataFrame:
    own = np.argsort(rng.random((count, len(TAGS))), axis=1)[:, :3]
    named = [" ".join(TAGS[row[:size]]) for row, size in zip(own, rng.integers(1, 4, count).tolist(), strict=True)]
    titles, bodies = sentences(rng, count, words=5), sentences(rng, count, words=40)
    frame = pd.DataFrame(
        {
            "Title": [f"{title} in {tags}?" for title, tags in zip(titles, named, strict=True)],
            "Body": [f'<p>{body}, "naïve".</p>\n\n<pre><code>x = 1;\r\n</code></pre>\n' for body in bodies],
            "Tags": named,
        }
    )
    again = rng.random(count) < 0.15  # the same question with the same tags
    frame[again] = frame.to_numpy()[rng.integers(0, count, int(again.sum()))]
    frame.loc[[3, 7], ["Title", "Tags"]] = "null"
    frame.insert(0, "Id", np.arange(first + 1, first + 1 + count))
    return frame
