"""How a typed text is cut into sentences and pieces, before a word of it is understood.

What people write around names is made plain here: figures of speech ("right now" is no side),
short forms with a full stop, numbered lists, headings ("left: kidney"), ranges ("T9-L1"), the many
ways to deny a finding, and words about the picture itself ("on T2").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .prompt_grammar import ABSENT, COMPOUND, SEQUENCES, SIDE_WORDS
from .wording import tokens


@dataclass(frozen=True)
class Chunk:
    """A piece of text between commas, and its words; a heading has a colon after it."""

    text: str
    words: tuple[str, ...]
    heading: bool = False


def sentences(text: str) -> list[list[Chunk]]:
    """Cut a text into sentences (full stops, semicolons, lines) of chunks (commas, slashes)."""
    result = []
    for sentence in re.split(r"[;\n\r\v\f\x85\u2028\u2029!?。；！？]+|\.(?=\s|$)", _plain(text)):
        chunks = []
        parts = re.split(r"([,/|:、，：]+|\s[-–—]+\s)", sentence)
        for part, mark in zip(parts[::2], [*parts[1::2], ""], strict=True):
            words = [w for word in tokens(part) for w in COMPOUND.get(word, word).split()]
            if words:
                chunks.append(Chunk(part.strip(), tuple(words), ":" in mark or "：" in mark))
        if chunks:
            result.append(chunks)
    return result


def _plain(text: str) -> str:
    """Return the text with what stands for something else written out."""
    text = re.sub(r"\[note:[^\]]*\]", " ", text)
    text = _numbered(re.sub(r"(?m)^\s*[-*•·–]\s+", "", text))
    text = _short_forms(text)
    for pattern, plain in _FIGURES:
        text = pattern.sub(plain, text)
    text = re.sub(rf"(?<={_HAN})(?:和|与|及|と|或)(?={_HAN})", " and ", text)
    text = re.sub(r"\bet\b(?=\s+\w)", " and ", text)  # French; ET in capitals is a structure
    text = re.sub(
        r"(?i)\b(?:as well as|together with|along with|followed by)\b|[&+]", " and ", text
    )
    text = re.sub(rf"(?i)\b({_HEIGHT})[ -]+to[ -]+({_HEIGHT})\b", _heights, text)
    return _ranges(text)


# ---- figures of speech, negation -----------------------------------------------------------------

_SEEN = (
    r"(?:seen|visible|present|identified|detected|visuali[sz]ed|found|evident|apparent|"
    r"demonstrated|noted|appreciated|observed|recogni[sz]ed|shown|included)"
)
_BE = r"(?:(?:is|are|was|were|has|have|had|been|be|being)\s+)*"


def _figure(pattern: str, plain: str) -> tuple[re.Pattern[str], str]:
    return re.compile("(?i)" + pattern), plain


_FIGURES = (
    # sides that are none
    _figure(r"\b(?:that'?s|that is|you'?re|you are|quite|all) right\b|\balright\b", " "),
    _figure(r"\bright\s+away\b|,\s*right(?=\s*\?)", " "),
    _figure(
        r"\bright\s+(?=(?:now|here|there|then|after|before|next|beside|behind|above|below|under|"
        r"at|in front|where|through|across|on top|near|along)\b)",
        "",
    ),
    _figure(
        r"((?:^|[.;!?\n])\s*)(?:ok|okay|so|well)?,?\s*right(?:\s*[,.!]\s*(?=(?:segment|show|find|"
        r"mark|delineate|outline|identify|draw|give|next|first|just|will|i|we|the|now|then|so|ok|"
        r"okay|please|let|can|could|would)\b)|"
        r"\s+(?=(?:now|then|so|ok|okay|please|let|can|could|would)\b))",
        r"\1",
    ),
    _figure(
        r"\bleft[- ]?overs?\b|\bleft\s+(?:behind|untreated|in place|alone|intact)\b", " remnant "
    ),
    _figure(r"\bleft\s+(?=(?:after|following|once|when|from)\b)", " remnant "),
    _figure(
        r"\b(?:what|whatever|anything|all|everything|much)(?:\s+(?:that|which))?"
        r"(?:\s*['’]s|\s+is|\s+was|\s+are|\s+remains)?\s+left\b(?=\s+(?:of|in|over)\b)",
        " remnant ",
    ),
    _figure(r"\b(?:to|on|at|towards?)\s+the\s+(?:left|right)\s+of\b", " beside "),
    _figure(
        r"(?<=\w )(?<!the )(?<!side )(?:left|right)\s+of(?=\s+(?:the|a|an|this)\b)", " beside "
    ),
    _figure(r"\b(left|right)(?:[- ]hand)?\s+ones?\b", r"\1"),
    # beside something, in several words
    _figure(r"\bin\s+front\s+of\b|\bon\s+top\s+of\b|\bclose\s+by\b", " beside "),
    _figure(
        r"\b(?:anterior|posterior|superior|inferior|lateral|medial|distal|proximal|cranial|caudal|"
        r"dorsal|ventral|deep|superficial|external)(?:ly)?\s+to\b(?!\s*(?:upper|middle|lower))",
        " beside ",
    ),
    # what is possible is not denied
    _figure(
        r"\b(?:can(?:not|\s+not|'t|’t)|could\s+not|may\s+not)\s+(?:be\s+)?(?:fully\s+|entirely\s+)?"
        r"(?:excluded?|ruled?\s+out)\b|\bnot\s+(?:be\s+)?(?:excluded|ruled\s+out)\b",
        " possible ",
    ),
    # what is denied
    _figure(rf"\b{_BE}(?:no\s+longer|not|never)\s+{_BE}(?:clearly\s+)?{_SEEN}\b", " absent "),
    _figure(rf"\b{_BE}(?:ruled\s+out|absent|resolved|cleared|negative(?!\s+for))\b", " absent "),
    _figure(r"\b(?:is|are|was|were|has\s+been|have\s+been)\s+excluded\b", " absent "),
    _figure(
        r"\b(?:no|without|not\s+any|lacks?|lacking)\s+(?:\w+\s+){0,2}?(?:evidence|signs?|"
        r"indications?|suggestions?|suspicion|features?|traces?)\s+(?:of|for)\b",
        " no ",
    ),
    _figure(r"\bpas\s+d(?:['’]|[eu]\s)", " no "),
    _figure(
        r"\b(?:in\s+the\s+)?(?:absence\s+of|negative\s+for|free\s+(?:of|from)|lack\s+of|denie[sd]|"
        r"lacks?|lacking|there(?:'s|’s|\s+is)\s+not|no\s+longer|frei\s+von|"
        r"kein(?:e|en)?\s+(?:nachweis|hinweis|anhalt)\s+(?:von|auf|f(?:ü|u)r|eine[rsn]?))(?!\w)",
        " no ",
    ),
)


# ---- numbered lists, short forms -----------------------------------------------------------------

_ITEM = re.compile(r"(?:^|(?<=[\s,;:]))\(?(?:(\d{1,2})|([a-h]))([.):])\s+(?=\S)")
_NUMBERED_NAMES = frozenset(
    "segment segments rib ribs grade stage level number no zone type".split()
)


def _numbered(text: str) -> str:
    """Cut at the numbers of a list, also within a line: "1) liver 2) spleen"."""
    found = list(_ITEM.finditer(text))
    for start, first in enumerate(found):
        value = first[1] or first[2]
        if value not in ("1", "a") or _named(text, first):
            continue
        run = [first]
        for item in found[start + 1 :]:
            digits = len(run) + 1 if first[1] else chr(ord("a") + len(run))
            same = (item[1] or item[2]) == str(digits) and item[3] == first[3]
            if same and not _named(text, item):
                run.append(item)
        if len(run) > 1:
            for item in reversed(run):
                text = f"{text[: item.start()]}\n{text[item.end() :]}"
            break
    return re.sub(r"(?m)^\s*\(?\d{1,2}[.)]\s+", "", text)


def _named(text: str, item: re.Match[str]) -> bool:
    """Tell whether a number belongs to the name before it: "segment 1."; not "ribs 2) liver"."""
    place = item.start()
    if item[3] == ")":
        return False
    before = re.findall(r"\w+", text[max(0, place - 20) : place])
    return bool(before) and before[-1].lower() in _NUMBERED_NAMES


_FORMS = {
    "sup": "superior", "inf": "inferior", "ant": "anterior", "post": "posterior", "lat": "lateral",
    "med": "medial", "abd": "abdominal", "asc": "ascending", "desc": "descending",
    "thor": "thoracic", "bilat": "bilateral", "seg": "segment", "vert": "vertebra",
    "art": "artery", "ext": "external", "int": "internal", "prox": "proximal", "dist": "distal",
    "gl": "gland", "v": "vena", "a": "arteria", "m": "musculus", "mid": "middle",
}  # fmt: skip
_SIDE_FORMS = {
    "l": "left", "lt": "left", "lft": "left", "li": "left", "izq": "left", "sx": "left",
    "sin": "left", "r": "right", "rt": "right", "rgt": "right", "re": "right", "dcha": "right",
    "dx": "right", "dext": "right",
}  # fmt: skip
_FORM = re.compile(
    rf"(?i)(?<!\w)({'|'.join(sorted(_FORMS, key=len, reverse=True))})\.(?=\s*[^\W\d])"
)
_SIDE_FORM = re.compile(
    rf"(?i)(?<!\w)({'|'.join(sorted(_SIDE_FORMS, key=len, reverse=True))})\."
    r"(?P<after>\s*(?P<next>[^\W\d])?)"
)
_OPEN = re.compile(
    r"(?i)(?:^|[,;:.!?()/&+\n]|\b(?:and|or|the|of|in|on|a|my|und|et|segment|show|find))\s*$"
)


def _short_forms(text: str) -> str:
    """Write out short forms with a full stop: "lt. kidney", "kidney, rt.", "sup. mesenteric v."."""

    def side(found: re.Match[str]) -> str:
        word, following = _SIDE_FORMS[found[1].lower()], found["next"]
        alone = _OPEN.search(text[: found.start()]) is not None
        if following and (alone or following.islower()):
            return f"{word} {found['after'].lstrip()}"  # "lt. kidney"
        return f"{word}.{found['after']}" if following else f"{word} {found['after']}"

    text = re.sub(r"(?i)\b(?:no|nr|num)\.\s*(?=\d)|#\s*(?=\d)", " ", text)
    return _FORM.sub(lambda found: _FORMS[found[1].lower()] + " ", _SIDE_FORM.sub(side, text))


# ---- heights and levels --------------------------------------------------------------------------

_HEIGHT = r"upper|middle|mid|lower"
_HAN = "[\u3040-\u30ff\u4e00-\u9fff]"


def _heights(found: re.Match[str]) -> str:
    """Write out "upper to lower"; the middle lies between."""
    first, last = found[1].lower(), found[2].lower()
    return f"{first} middle {last}" if {first, last} == {"upper", "lower"} else f"{first} {last}"


# The spine from top to bottom, for ranges such as "T9-L1".
SPINE = [f"{p}{n}" for p, m in (("c", 7), ("t", 12), ("l", 5)) for n in range(1, m + 1)]


def _ranges(text: str) -> str:
    """Write out ranges: "T9-T11" -> "T9 and T10 and T11", also "left ribs 7-9"."""
    link = r"\s*(?:-|‐|‑|–|—|\bto\b|\bthrough\b|\bbis\b)\s*"

    def vertebrae(found: re.Match[str]) -> str:
        first, last = (found[1] + found[2]).lower(), ((found[3] or found[1]) + found[4]).lower()
        if first not in SPINE or last not in SPINE:
            return found[0]
        low, high = sorted((SPINE.index(first), SPINE.index(last)))
        return " and ".join(f"{name.upper()} vertebra" for name in SPINE[low : high + 1])

    def ribs(found: re.Match[str]) -> str:
        low, high = sorted((int(found[2]), int(found[3])))
        if not 1 <= low <= high <= 12:
            return found[0]
        side = found[1] or ""
        return " and ".join(f"{side}rib {n}" for n in range(low, high + 1))

    text = re.sub(_DISC_AFTER, _discs, re.sub(_DISC_BEFORE, _discs, text))
    text = re.sub(
        rf"(?i)\b([CTL])(\d{{1,2}}){link}([CTL])?(\d{{1,2}})\b(?:\s+vertebra[e]?)?",
        vertebrae,
        text,
    )
    return re.sub(rf"(?i)\b((?:left|right)\s+)?ribs?\s+(\d{{1,2}}){link}(\d{{1,2}})\b", ribs, text)


_LEVELS = r"([CTL])(\d{1,2})[ \t]*[-‐‑–—/][ \t]*([CTLS])?(\d{1,2})\b"
_DISC_BEFORE = re.compile(
    rf"(?i)\bdis[ck]s?\b(?: space)?(?: (?:at|of|level|the|levels))*[ \t]+{_LEVELS}"
)
_DISC_AFTER = re.compile(rf"(?i)\b{_LEVELS}(?=[ \t]*(?:intervertebral[ \t]+)?dis[ck])")


def _discs(found: re.Match[str]) -> str:
    """Write out discs by their two vertebrae: "L4/5 disc", "discs L3-L5"; no range of vertebrae."""
    spine = [*SPINE, "s1"]
    first = (found[1] + found[2]).lower()
    last = (
        (found[3] or ("S" if found[2] == "5" and found[4] == "1" else found[1])) + found[4]
    ).lower()
    if first not in spine or last not in spine:
        return found[0]
    low, high = sorted((spine.index(first), spine.index(last)))
    pairs = [f"{spine[i]} {spine[i + 1]}".upper() for i in range(low, high)]
    if found[0][0].lower() == "d":
        return " and ".join(f"disc {pair}" for pair in pairs)
    return " disc and ".join(pairs)


# ---- words about the picture ---------------------------------------------------------------------

_KINDS = "|".join(sorted(SEQUENCES))
_ABOUT = (
    rf"ct|mri?|pet|x ray|xray|cxr|{_KINDS}|axial|coronal|sagittal|contrast|enhanced|post|pre|"
    r"native|weighted|wi|w|fat|suppressed|fs|star|chest|abdominal|abdomen|brain|head|thorax|thoracic|"
    r"patients?"
)
_PICTURE = (
    rf"(?:(?:{_ABOUT}) )*"
    r"(?:ct|mri?|pet|scans?|images?|pictures?|slices?|volume|radiographs?|study|series|sequences?|"
    r"film|x ray|xray|cxr|patients?|case|bild|irm|radiographie|weighted|weighting)$"
)
_ARTICLES = (
    r"(?:(?:this|the|that|my|our|these|a|an|dem|der|diesem|cette|ce|given|provided|attached) )*"
)
_IN_PICTURE = re.compile(
    rf"(?:^| )(?:in|on|of|from|for|im|auf|dans|sur|with) {_ARTICLES}" + _PICTURE
)
_ONLY_PICTURE = re.compile("^" + _PICTURE)
_PICTURE_OF = re.compile("^(?:(?:a|the|this) )?" + _PICTURE.removesuffix("$") + " (?:of|showing) ")
_ON_SEQUENCE = re.compile(
    rf"(?:^| )(in|on|at|from|im|auf|dans|sur|using|with|of) {_ARTICLES}(?:(?:{_ABOUT}) )*?"
    rf"(?P<kind>{_KINDS})(?: (?:weighted|weighting|wi|w|fs|fat|suppressed|star|{_KINDS}))*"
    r"(?=$| and | or | und | oder )"
)
_BONE = re.compile(
    r"\b(?:vertebra\w*|spin\w*|fractures?|metastas[ei]s|bones?|lytic|blastic|sclerotic|compression|"
    r"body|bodies|process|canal|cord|lesions?|tumou?rs?|mass|masses|ribs?|levels?)\b"
)


def without_imaging(words: list[str]) -> list[str]:
    """Drop "in this CT scan", "on T2" and "CT scan of"; only the name of a picture becomes empty.

    T1 and T2 are vertebrae too: what may lie in a bone stays "in T2" and "at T2", never "on T2".
    """
    text = _PICTURE_OF.sub("", _IN_PICTURE.sub("", " ".join(words)))

    def sequence(found: re.Match[str]) -> str:
        bone = found["kind"] in ("t1", "t2") and _BONE.search(text[: found.start()])
        return found[0] if bone and found[1] not in ("on", "auf", "sur", "using") else ""

    if len(text) < 600:
        text = _ON_SEQUENCE.sub(sequence, text)
    return _ONLY_PICTURE.sub("", text).split()


def denial(words: tuple[str, ...] | list[str]) -> bool:
    """Tell whether a chunk only says that something is not there: "absent", "none", "no"."""
    return bool(words) and all(w in ABSENT or w in ("no", "not", "keine") for w in words)


def heading_side(chunk: Chunk) -> list[str]:
    """Return the side of a heading such as "Left side:", else nothing."""
    plain = [w for w in chunk.words if w not in ("side", "hand", "the", "on", "seite", "cote")]
    return plain if chunk.heading and len(plain) == 1 and plain[0] in SIDE_WORDS else []
