"""Questions with answers whose ratings follow the length of the texts and a few words in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.text import sentences

QUESTION_TARGETS = [
    "question_asker_intent_understanding",
    "question_body_critical",
    "question_conversational",
    "question_expect_short_answer",
    "question_fact_seeking",
    "question_has_commonly_accepted_answer",
    "question_interestingness_others",
    "question_interestingness_self",
    "question_multi_intent",
    "question_not_really_a_question",
    "question_opinion_seeking",
    "question_type_choice",
    "question_type_compare",
    "question_type_consequence",
    "question_type_definition",
    "question_type_entity",
    "question_type_instructions",
    "question_type_procedure",
    "question_type_reason_explanation",
    "question_type_spelling",
    "question_well_written",
]
ANSWER_TARGETS = [
    "answer_helpful",
    "answer_level_of_information",
    "answer_plausible",
    "answer_relevance",
    "answer_satisfaction",
    "answer_type_instructions",
    "answer_type_procedure",
    "answer_type_reason_explanation",
    "answer_well_written",
]
SITES = {"CULTURE": "english.example.org", "TECHNOLOGY": "ubuntu.example.org", "SCIENCE": "physics.example.org"}
FEATURES = [
    "qa_id", "question_title", "question_body", "question_user_name", "question_user_page", "answer",
    "answer_user_name", "answer_user_page", "url", "category", "host",
]  # fmt: skip


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(120, int(600 * scale))
    question = np.sort(rng.integers(0, max(1, int(n * 0.6)), n))  # some have several answers
    questions = int(question.max()) + 1
    ask, reply = rng.random(questions), rng.random(n)
    category = rng.choice(list(SITES), questions)
    titles = sentences(rng, questions, words=6)
    bodies = [
        f'{body}.\n\nI read "{"why" if level > 0.5 else "how"}", but ' + "please " * int(level * 8)
        for body, level in zip(sentences(rng, questions, words=30), ask.tolist(), strict=True)
    ]
    answers = [
        f"{text}, so {'because ' * int(level * 8)}\nyes."
        for text, level in zip(sentences(rng, n, words=30), reply.tolist(), strict=True)
    ]
    frame = pd.DataFrame({"qa_id": np.sort(rng.choice(np.arange(10 * n), n, replace=False))})
    frame["question_title"] = np.array(titles, dtype=object)[question]
    frame["question_body"] = np.array(bodies, dtype=object)[question]
    frame["question_user_name"] = [f"asker{q}" for q in question]
    frame["question_user_page"] = [f"https://example.org/users/{q}" for q in question]
    frame["answer"] = answers
    frame["answer_user_name"] = [f"answerer{i % 97}" for i in range(n)]
    frame["answer_user_page"] = [f"https://example.org/users/{10_000 + i % 97}" for i in range(n)]
    frame["url"] = [f"http://example.org/questions/{q}" for q in question]
    frame["category"] = category[question]
    frame["host"] = [SITES[name] for name in frame["category"]]
    levels = {name: ask[question] for name in QUESTION_TARGETS} | dict.fromkeys(ANSWER_TARGETS, reply)
    targets = {name: np.round(np.clip(level + rng.normal(0, 0.15, n), 0, 1) * 9) / 9 for name, level in levels.items()}
    # All but never, so that the recipe has to see to it that a test row has it.
    targets["question_type_spelling"] = np.isin(np.arange(n), (n // 3, n // 2)) / 3.0
    frame = frame.assign(**targets)
    frame.to_csv(raw / "train.csv", index=False)
    test = frame[FEATURES].head(10)
    test.to_csv(raw / "test.csv", index=False)
    sample = test[["qa_id"]].assign(**dict.fromkeys(targets, 0.00308))
    sample.to_csv(raw / "sample_submission.csv", index=False)
