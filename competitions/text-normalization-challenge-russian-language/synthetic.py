"""Russian sentences with numbers, years, measures, letters and Latin words whose spoken form follows fixed rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlebench.synthetic.tokens import write_normalization_raw

PLAIN = [
    "и", "в", "на", "с", "по", "из", "к", "у", "о", "за", "от", "до", "для", "при", "он", "она", "они", "это", "был",
    "была", "были", "город", "река", "дом", "год", "село", "школа", "музей", "народ", "улица", "берег", "остров",
    "старый", "новый", "большой", "малый", "здесь", "затем", "также", "вновь",
]  # fmt: skip
ONES = [
    "ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять", "одиннадцать",
    "двенадцать", "тринадцать", "четырнадцать", "пятнадцать", "шестнадцать", "семнадцать", "восемнадцать",
    "девятнадцать",
]  # fmt: skip
TENS = ["двадцать", "тридцать", "сорок", "пятьдесят", "шестьдесят", "семьдесят", "восемьдесят", "девяносто"]
YEARS = ["первый", "второй", "третий", "четвёртый", "пятый", "шестой", "седьмой", "восьмой", "девятый"]
LETTERS = {"a": "а", "b": "б", "d": "д", "e": "е", "i": "и", "k": "к", "l": "л", "n": "н", "o": "о", "r": "р", "s": "с", "t": "т"}  # fmt: skip


def _words(number: int) -> str:
    """A number from 0 to 99 in words."""
    if number < 20:
        return ONES[number]
    tens, ones = divmod(number, 10)
    return TENS[tens - 2] + (f" {ONES[ones]}" if ones else "")


def _transliterated(word: str) -> str:
    return " ".join(f"{LETTERS[letter]}_trans" for letter in word.lower())


SPOKEN = {
    "numbers": [("CARDINAL", str(n), _words(n)) for n in range(1, 100)],
    "years": [
        ("DATE", f"19{tens + 2}{ones} год", f"тысяча девятьсот {TENS[tens]} {YEARS[ones - 1]} год")
        for tens in range(8)
        for ones in range(1, 10)
    ],
    "measures": [("MEASURE", f"{n} км", f"{_words(n)} километров") for n in range(5, 21)],
    "letters": [("LETTERS", word, " ".join(word.lower())) for word in ("СССР", "США", "МГУ", "ФК")],
    "latin": [("PLAIN", word, _transliterated(word)) for word in ("London", "Berlin", "Osaka", "Deal")],
    # Words that a table reader may take for a missing cell, and characters that need quoting.
    "awkward": [
        ("PLAIN", "NA", "н_trans а_trans"),
        ("PLAIN", "null", "null"),
        ("PUNCT", ",", ","),
        ("PUNCT", '"', '"'),
    ],
}


def make_raw(raw: Path, rng: np.random.Generator, scale: float = 1.0) -> None:
    sentences = max(30, int(1500 * scale))
    write_normalization_raw(raw, rng, sentences, language="ru", plain=PLAIN, spoken=SPOKEN)
