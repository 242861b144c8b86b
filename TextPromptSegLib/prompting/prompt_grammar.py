"""The words around names: commands, lists, places, negation, numbers; and how a text is cut up."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .wording import BOTH_WORDS, LEFT_WORDS, RIGHT_WORDS, tokens


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


SIDE_WORDS = LEFT_WORDS | RIGHT_WORDS | BOTH_WORDS
THIRDS = ("upper", "middle", "lower")
VERTICAL = {
    word: third
    for third, words in {
        "upper": "upper superior top apical apex apices apexes uppermost obere oberer oberes "
        "superieur superieure",
        "middle": "middle mid mittlere mittlerer mittleres moyen moyenne",
        "lower": "lower inferior bottom basal base bases basilar basis untere unterer unteres "
        "inferieur inferieure",
    }.items()
    for word in words.split()
}
COMPOUND = {
    "bibasal": "bilateral lower", "bibasilar": "bilateral lower", "biapical": "bilateral upper",
    "midzone": "middle zone", "midzones": "middle zones", "midfield": "middle field",
}  # fmt: skip
WHOLE = _set("all whole entire complete total throughout")
ZONE_NOUNS = _set(
    "third thirds zone zones field fields part parts portion portions pole poles section sections "
    "distribution predominance predominant"
)
DIRECTIONS = _set(
    "anterior posterior medial lateral dorsal ventral central peripheral proximal distal inner "
    "outer perihilar parahilar subpleural infrahilar hilar panlobar"
)
EXTENT = _set(
    "small large big tiny huge extensive extended diffuse focal multifocal patchy faint subtle "
    "dense hazy mild moderate severe massive marked minimal slight scattered confluent coalescent "
    "irregular round rounded discrete ill defined well persistent progressive progressing "
    "increasing increased decreased new old acute chronic visible suspected possible probable "
    "questionable malignant benign solid enlarged normal healthy abnormal pathological typical "
    "predominant predominantly mainly stable streaky nodular circumscribed unilateral widespread"
)
_COUNTS = "two three four five six seven eight nine ten".split()
NUMBERS = {
    **{word: word for word in [*_COUNTS, *"multiple several numerous many few".split()]},
    **dict.fromkeys("1 one single solitary isolated".split(), "one"),
    **{str(n): word for n, word in enumerate(_COUNTS, 2)},
}
FILLERS = _set(
    "margin margins border borders boundary boundaries contour contours outline outlines edge "
    "edges region regions area areas mask masks segmentation segmentations surface volume location "
    "position extent shape pixels voxels structure organ areal bereich"
)
LEAD = FILLERS | _set(
    "please can could would will you i we id want need like to segment segmenting segmented "
    "segments delineate delineates outline contour identify find finding locate localize localise "
    "show display see me us mark label highlight extract mask annotate detect detecting where is "
    "are there what which give draw get make create generate produce compute do does did have has "
    "your my our goal task aim job spot spotting now then next also first finally just only kindly "
    "help any some this that these those it let lets trace visualize visualise isolate pick select "
    "point out look for search go ahead hi hello thanks and or with a an the of in bitte "
    "segmentiere segmentieren zeige zeig mir wo ist sind finde markiere montre moi ou est sont "
    "segmenter segmentez trouver trouve s il vous plait patient patients outlined should be"
)
TRAIL = FILLERS | _set(
    "please here there now bitte thanks thank you for me too only also side and or the a of s il "
    "vous plait"
)
NEGATIONS = _set("no without not excluding except exclude excludes kein keine ohne sans never")
MINUS = re.compile(
    r"\b(?:without(?: any| the)?|excluding|except(?: for)?|minus|but (?:not|no|without)|other than|"
    r"apart from|not including|exclusive of|with no|and not|subtracting|ohne|sans|and no)\b"
)
PLACE = _set(
    "in within inside on at from involving affecting along near throughout over of involves "
    "affects im dans du sur"
)
AND = _set("and und or oder plus")
_PICTURE = (
    r"(?:(?:ct|mri?|pet|x ray|xray|cxr|t1|t2|flair|axial|coronal|sagittal|contrast|enhanced|"
    r"weighted|chest|abdominal|abdomen|brain|head|thorax|thoracic|patients?) )*"
    r"(?:ct|mri?|pet|scans?|images?|pictures?|slices?|volume|radiographs?|study|series|film|x ray|"
    r"xray|cxr|patients?|case|bild|irm|radiographie)$"
)
_IN_PICTURE = re.compile(
    r"(?:^| )(?:in|on|of|from|for|im|auf|dans|sur|with) (?:(?:this|the|that|my|our|these|a|an|dem|"
    r"der|diesem|cette|ce|given|provided|attached) )*" + _PICTURE
)
_ONLY_PICTURE = re.compile("^" + _PICTURE)
_PICTURE_OF = re.compile("^(?:(?:a|the|this) )?" + _PICTURE.removesuffix("$") + " (?:of|showing) ")
# The spine from top to bottom, for ranges such as "T9-L1".
SPINE = [f"{p}{n}" for p, m in (("c", 7), ("t", 12), ("l", 5)) for n in range(1, m + 1)]


@dataclass(frozen=True)
class Chunk:
    """A piece of text between commas, and its words."""

    text: str
    words: tuple[str, ...]


def sentences(text: str) -> list[list[Chunk]]:
    """Cut a text into sentences (full stops, semicolons, lines) of chunks (commas, slashes)."""
    text = re.sub(r"\[note:[^\]]*\]", " ", text)
    text = re.sub(r"(?i)(?<!\w)(l|r|lt|rt)\.(?=\s*[^\W\d])", r"\1 ", text)
    text = re.sub(r"(?i)\s(lt|rt|[lr])\.(?=\s*(?:$|[,;\n]))", r" \1", text)
    text = re.sub(r"\bet\b(?=\s+\w)", " and ", text)  # French; ET in capitals is a structure
    text = re.sub(
        r"(?i)\b(?:as well as|together with|along with|followed by)\b|[&+]", " and ", text
    )
    text = re.sub(r"(?m)^\s*(?:\d{1,2}[.)]|[-*•·–])\s+", "", text)
    text = re.sub(rf"(?i)\b({_HEIGHT})[ -]+to[ -]+({_HEIGHT})\b", _heights, text)
    text = _ranges(text)
    result = []
    for sentence in re.split(r"[;\n\r\v\f\x85\u2028\u2029!?。；！？]+|\.(?=\s|$)", text):
        chunks = []
        for part in re.split(r"[,/|:、，]+|\s[-–—]+\s", sentence):
            words = _known_compounds(tokens(part))
            if words:
                chunks.append(Chunk(part.strip(), tuple(words)))
        if chunks:
            result.append(chunks)
    return result


_HEIGHT = r"upper|middle|mid|lower"


def _heights(found: re.Match[str]) -> str:
    """Write out "upper to lower"; the middle lies between."""
    first, last = found[1].lower(), found[2].lower()
    return f"{first} middle {last}" if {first, last} == {"upper", "lower"} else f"{first} {last}"


def _known_compounds(words: list[str]) -> list[str]:
    return [part for word in words for part in COMPOUND.get(word, word).split()]


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


_LEVELS = r"([CTL])(\d{1,2})\s*[-‐‑–—/]\s*([CTLS])?(\d{1,2})\b"
_DISC_BEFORE = re.compile(
    rf"(?i)\bdis[ck]s?\b(?: space)?(?: (?:at|of|level|the|levels))*\s+{_LEVELS}"
)
_DISC_AFTER = re.compile(rf"(?i)\b{_LEVELS}(?=\s*(?:intervertebral\s+)?dis[ck])")


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


def without_imaging(words: list[str]) -> list[str]:
    """Drop "in this CT scan" and "CT scan of"; a piece that only names an image becomes empty."""
    text = _PICTURE_OF.sub("", _IN_PICTURE.sub("", " ".join(words)))
    return _ONLY_PICTURE.sub("", text).split()
