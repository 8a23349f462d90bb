"""Articles in which a paragraph that repeats a word of the question holds the answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlebench.synthetic.text import FILLER, sentences

SUBJECTS = ["bridge", "castle", "harbour", "museum", "canal", "tower"]
ANSWERS = ["1887", "Zoë Müller", "and/or", "New Haven", "sixty metres"]
PARAGRAPHS = 4


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(1030, int(1030 * scale))  # crosses a border of 1,000 lines
    n += n % 1000 == 1
    ids = rng.permutation(np.unique(rng.integers(-(2**63), 2**63 - 1, 2 * n)))[:n].tolist()
    pool = sentences(rng, n * PARAGRAPHS, words=6, vocabulary=FILLER)
    kinds = rng.choice(5, n, p=[0.35, 0.2, 0.25, 0.1, 0.1]).tolist()
    subjects, places = rng.integers(0, len(SUBJECTS), n).tolist(), rng.integers(0, PARAGRAPHS, n).tolist()
    with (raw / "simplified-nq-train.jsonl").open("w", encoding="utf-8") as out:
        for i in range(n):
            fillers = pool[i * PARAGRAPHS : (i + 1) * PARAGRAPHS]
            example = _example(ids[i], kinds[i], SUBJECTS[subjects[i]], places[i], fillers)
            out.write(json.dumps(example) + "\n")
            if i < 3:
                test = {name: value for name, value in example.items() if name not in ("annotations", "document_url")}
                with (raw / "simplified-nq-test.jsonl").open("a", encoding="utf-8") as hidden:
                    hidden.write(json.dumps(test) + "\n")
    rows = [f"{name}_{kind}" for name in ids[:3] for kind in ("long", "short")]
    pd.DataFrame({"example_id": rows, "PredictionString": ""}).to_csv(raw / "sample_submission.csv", index=False)


def _example(number: int, kind: int, subject: str, place: int, fillers: list[str]) -> dict[str, Any]:
    """Kinds: 0 no answer, 1 a long one, 2 long and short, 3 long and two short, 4 long and YES or NO."""
    answer = ANSWERS[number % len(ANSWERS)]
    tokens: list[str] = []
    candidates, shorts = [], []
    for at, filler in enumerate(fillers):
        start = len(tokens)
        tokens += ["<P>", *filler.split()]
        if at == place and kind:
            tokens += ["The", subject, ":"]
            for _ in range({2: 1, 3: 2}.get(kind, 0)):
                shorts.append({"start_token": len(tokens), "end_token": len(tokens) + len(answer.split())})
                tokens += [*answer.split(), ","]
        tokens.append("</P>")
        candidates.append({"start_token": start, "end_token": len(tokens), "top_level": True})
    span = {"start_token": -1, "end_token": -1, "candidate_index": -1}
    if kind:
        chosen = candidates[place]
        span = {"start_token": chosen["start_token"], "end_token": chosen["end_token"], "candidate_index": place}
    verdict = ("YES" if place % 2 else "NO") if kind == 4 else "NONE"
    annotation = {
        "yes_no_answer": verdict,
        "long_answer": span,
        "short_answers": shorts,
        "annotation_id": 2**63 + abs(number),
    }
    return {
        "document_text": " ".join(tokens),
        "long_answer_candidates": candidates,
        "question_text": f"what is the {subject} known for",
        "annotations": [annotation],
        "document_url": f"https://example.org/wiki/{subject}?oldid={abs(number)}&amp;x=1",
        "example_id": number,
    }
