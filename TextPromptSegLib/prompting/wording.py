"""Words made comparable: case, accents, hyphens, British spelling, plural, articles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

LEFT_WORDS = frozenset(
    "left lt lft l leftsided links linke linker linkes linken linksseitig gauche izquierdo "
    "izquierda izquierdos izquierdas sinistro sinistra sinistri sinistre".split()
)
RIGHT_WORDS = frozenset(
    "right rt rgt r rightsided rechts rechte rechter rechtes rechten droit droite derecho "
    "derecha derechos derechas destro destra destri destre".split()
)
BOTH_WORDS = frozenset(
    "both bilateral bilaterally bilat beide beider beiden beidseitig bilaterale ambos ambas "
    "entrambi entrambe".split()
)

ARTICLES = frozenset(
    "the a an of der die das den dem des le la les du de el los las del il lo gli della dello dei "
    "delle het een".split()
)
"""Words that never tell two structures apart."""

_IRREGULAR = {
    "disk": "disc", "disks": "disc", "discs": "disc", "metastases": "metastasis",
    "necroses": "necrosis", "bronchi": "bronchus", "hippocampi": "hippocampus",
    "thalami": "thalamus", "nuclei": "nucleus", "atria": "atrium", "thrombi": "thrombus",
    "emboli": "embolus", "hila": "hilum", "lobi": "lobus", "teeth": "tooth", "testes": "testis",
    "ova": "ovum", "septa": "septum", "lens": "lens", "pneumothoraces": "pneumothorax",
    "feet": "foot", "venae": "vena",
}  # fmt: skip

_BRITISH = (
    (re.compile(r"^oe"), "e"),  # oesophagus, oedema
    (re.compile(r"haem"), "hem"),
    (re.compile(r"^caec"), "cec"),
    (re.compile(r"^coel"), "cel"),
    (re.compile(r"tumour"), "tumor"),
    (re.compile(r"^grey$"), "gray"),
    (re.compile(r"oedem"), "edem"),
    (re.compile(r"^leuco"), "leuko"),
    (re.compile(r"ischaem"), "ischem"),
)

_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "ı": "i"})


def tokens(text: str) -> list[str]:
    """Split a text into plain lower-case words: "Ösophagus, T 9" -> ["osophagus", "t9"]."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    text = re.sub(r"['’`´]s\b", "", text)
    text = re.sub(r"\b(?:[dl]|dell|nell)['’`´](?=\w)", "", text)  # l'aorte, d'un, dell'anca
    text = re.sub(r"[\W_]+", " ", text)
    text = re.sub(r"\b(c|t|th|l|s) (\d{1,2})\b", r"\1\2", text)  # vertebra names written apart
    return [_american(word) for word in text.split()]


def key_tokens(text: str | Iterable[str]) -> tuple[str, ...]:
    """Return the words that decide whether two names are the same: no articles, no plural."""
    words = tokens(text) if isinstance(text, str) else list(text)
    kept = [word for word in words if word not in ARTICLES]
    return tuple(singular(word) for word in kept or words[-1:])


@lru_cache(maxsize=8192)
def singular(word: str) -> str:
    """Return a word without its plural ending; made for comparing, not for showing."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "uses", "xes")):
        return word[:-2]
    if len(word) > 4 and word.endswith("brae"):
        return word[:-1]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


@lru_cache(maxsize=8192)
def _american(word: str) -> str:
    for pattern, plain in _BRITISH:
        word = pattern.sub(plain, word)
    return word
