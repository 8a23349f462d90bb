"""Hindi and Tamil articles in which the answer follows a word that the question repeats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mlebench.synthetic.text import hex_ids, sentences

LANGUAGES = {
    "hindi": {
        "filler": [
            "यह",
            "एक",
            "पुरानी",
            "बात",
            "है",
            "और",
            "वहाँ",
            "के",
            "लोग",
            "नदी",
            "पहाड़",
            "गाँव",
            "शहर",
            "में",
            "रहते",
            "थे",
        ],
        "subjects": ["राजधानी", "नदी", "राजा", "कवि", "पर्वत", "वर्ष"],
        "answers": ["नई दिल्ली", "गंगा", "अशोक महान", "कबीर", "हिमालय", "1947"],
        "fact": "{subject} का नाम {answer} है।",
        "question": "{subject} का नाम क्या है?",
    },
    "tamil": {
        "filler": ["இது", "ஒரு", "பழைய", "கதை", "மற்றும்", "அங்கு", "மக்கள்", "ஆறு", "மலை", "ஊர்", "நகரம்", "வாழ்ந்தனர்"],
        "subjects": ["தலைநகரம்", "ஆறு", "மன்னர்", "கவிஞர்", "மலை", "ஆண்டு"],
        "answers": ["சென்னை", "காவிரி ஆறு", "இராசராச சோழன்", "பாரதி", "பொதிகை", "1956"],
        "fact": "{subject} பெயர் {answer} ஆகும்.",
        "question": "{subject} பெயர் என்ன?",
    },
}


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    n = max(40, int(400 * scale))
    languages = rng.choice(list(LANGUAGES), n, p=[0.67, 0.33]).tolist()
    choice = rng.integers(0, 6, (2, n)).tolist()
    fillers = {name: sentences(rng, 2 * n, words=15, vocabulary=parts["filler"]) for name, parts in LANGUAGES.items()}
    rows = []
    for i, (language, subject_at, answer_at) in enumerate(zip(languages, *choice, strict=True)):
        parts = LANGUAGES[language]
        subject, answer = parts["subjects"][subject_at], parts["answers"][answer_at]
        before, after = fillers[language][2 * i : 2 * i + 2]
        fact = parts["fact"].format(subject=subject, answer=answer)
        context = f'{before}, "{subject}"\n\n{fact} {after}\n'
        question = parts["question"].format(subject=subject)
        rows.append((context, question, answer, context.find(answer), language))
    columns = ["context", "question", "answer_text", "answer_start", "language"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.insert(0, "id", hex_ids(rng, n, 9))
    frame.to_csv(raw / "train.csv", index=False)
    test = frame[["id", "context", "question", "language"]].head(5)
    test.to_csv(raw / "test.csv", index=False)
    test[["id"]].assign(PredictionString="").to_csv(raw / "sample_submission.csv", index=False)
