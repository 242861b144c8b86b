"""The words around names: commands, lists, places, negation, numbers, heights."""

from __future__ import annotations

import re

from .wording import BOTH_WORDS, LEFT_WORDS, RIGHT_WORDS


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


SIDE_WORDS = LEFT_WORDS | RIGHT_WORDS | BOTH_WORDS
THIRDS = ("upper", "middle", "lower")
VERTICAL = {
    word: third
    for third, words in {
        "upper": "upper superior top uppermost obere oberer oberes superieur superieure",
        "middle": "middle mid mittlere mittlerer mittleres moyen moyenne",
        "lower": "lower inferior bottom untere unterer unteres inferieur inferieure",
    }.items()
    for word in words.split()
}
ENDS = {
    **dict.fromkeys("apical apex apices apexes".split(), "apex"),
    **dict.fromkeys("basal base bases basilar basis".split(), "base"),
}
"""Ends of an organ; which of them is up differs from organ to organ."""
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
    "predominant predominantly mainly stable streaky nodular circumscribed unilateral widespread "
    "clear unremarkable"
)
COPULA = _set(
    "is are was were appears appear remains remain looks seen present noted identified visible "
    "detected found evident"
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
    "position extent shape size pixels voxels structure organ areal bereich"
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
    "segmenter segmentez trouver trouve s il vous plait patient patients outlined should be und "
    "oder now so ok okay also as per using"
)
TRAIL = FILLERS | _set(
    "please here there now bitte thanks thank you for me too only also side and or the a of s il "
    "vous plait is are was were been seen identified present noted detected evident visible found "
    "demonstrated observed appreciated again und oder"
)
NEGATIONS = _set(
    "no without not excluding except exclude excludes kein keine keinen ohne sans never neither "
    "aucun aucune nessun nessuna sin geen"
)
ABSENT = _set("absent absente negative none nil resolved excluded cleared nein")
"""Said after a thing: it is not there."""
BUT = _set("but however although though yet whereas aber jedoch sondern mais pero ma")
MINUS = re.compile(
    r"\b(?:without(?: any| the)?|excluding|except(?: for)?|minus|but (?:not|no|without)|other than|"
    r"apart from|not including|exclusive of|with no|and not|subtracting|ohne|sans|and no|not|senza|"
    r"sin|zonder)\b"
)
PLACE = _set(
    "in within inside on at from involving affecting throughout over of involves affects im dans "
    "du sur"
)
BESIDE = _set(
    "near nearby beside besides behind above below beneath under underneath between around "
    "surrounding adjacent next outside beyond along alongside against touching abutting opposite "
    "neighboring neighbouring close toward towards neben uber unter hinter zwischen pres derriere "
    "sous entre autour cerca sopra sotto"
)
"""Places that are not in the thing that is named after them."""
OR = _set("or nor oder noch ni ou o")
AND = _set("and und or oder plus nor noch ni y e en")
SEQUENCES = _set(
    "t1 t2 t1w t2w t1c t1ce t1gd t2fs t1fs flair dwi adc swi stir pd pdw dixon cta mra ctpa dce "
    "mprage tof t2star vibe haste thrive tse fse gre"
)
"""Kinds of pictures; T1 and T2 are also vertebrae."""
_EVERY = re.compile(
    r"^(?:(?:everything|all|anything|alles|tout|todo|tutto)(?: (?:you|it) (?:know|knows|can))?|"
    r"(?:all|every|each|alle|tous|todos|tutti)(?: (?:the|les|los|gli))? "
    r"(?P<organs>organs?|organe|organes|organos|organi|anatomy)|"
    r"(?:all|every|each)(?: the)? (?:structures?|things?|labels?|names?))"
    r"(?: (?:in|of|from) (?:the )?(?P<region>abdomen|chest|thorax|pelvis|head|neck|limbs))?$"
)


def everything(words: tuple[str, ...] | list[str]) -> str:
    """Return what words for all mean: "any", "organs", "abdomen organs"; empty for other words."""
    found = _EVERY.match(" ".join(words)) if len(words) < 8 else None
    if found is None:
        return ""
    region = (found["region"] or "any").replace("thorax", "chest")
    return f"{region} organs" if found["organs"] else region
