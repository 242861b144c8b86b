"""Pages for people: the feature table is answered, every room says what it is, all names exist."""

from __future__ import annotations

import re
from pathlib import Path

import draw_rooms
import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "Resources" / "Docs" / "features.md"
ROWS = re.findall(
    r"(?m)^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE.read_text(encoding="utf-8")
)


def test_all_rows_are_there_and_answered() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, 57))
    answers = {answer.strip() for _, _, answer, _ in ROWS}
    assert answers <= {"yes", "no", "partly", "does not apply"}
    for number, _, answer, where in ROWS:
        assert answer.strip() != "yes" or "`" in where, f"row {number} does not say where"


@pytest.mark.parametrize(("number", "where"), [(row[0], row[3]) for row in ROWS])
def test_files_and_tests_exist(number: str, where: str) -> None:
    for name in re.findall(r"`([\w./]+\.(?:py|json)(?:::\w+)?)`", where):
        file, _, function = name.partition("::")
        path = ROOT / file
        assert path.is_file(), f"row {number}: {file}"
        if function:
            text = path.read_text(encoding="utf-8")
            assert f"def {function}(" in text, f"row {number}: {name}"


def test_readme_leads_to_the_page() -> None:
    assert "(Resources/Docs/features.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


# ---- the rooms ----

ROOMS = sorted(
    {
        path.parent
        for top in (
            "TextPromptSegLib",
            "TextPromptSegLib/inference",
            "TextPromptSeg/TextPromptSegGUI",
        )
        for path in (ROOT / top).glob("*/__init__.py")
    }
)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_every_room_says_in_three_lines_what_lives_there(room: Path) -> None:
    text = (room / "README.md").read_text(encoding="utf-8")
    assert 1 <= len(text.splitlines()) <= 3
    places = [room, *(folder for folder in room.iterdir() if folder.is_dir()), room.parent]
    for name in re.findall(r"`([\w./*]+\.py)`", text):
        assert any(list(place.glob(name)) for place in places), name
    for name in re.findall(r"`([\w./]+)/`", text):
        assert any((place / name).is_dir() for place in places), name


# ---- the map ----

MAP = ROOT / "Resources" / "Docs" / "architecture.md"


def test_every_place_on_the_map_exists() -> None:
    places = re.findall(r"`([\w./]+(?:/|\.(?:py|json|toml)))`", MAP.read_text(encoding="utf-8"))
    here = [place for place in places if place.startswith(("Resources", "Testing", "TextPrompt"))]
    assert len(here) > 40
    assert not [place for place in here if not (ROOT / place).exists()]


def test_the_map_answers_ten_wishes_and_the_readme_leads_to_it() -> None:
    assert len(re.findall(r"(?m)^\| \*\*an? ", MAP.read_text(encoding="utf-8"))) == 10
    assert "(Resources/Docs/architecture.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_picture_shows_the_rooms_that_the_contract_names() -> None:
    """Run `make lists` after a change of the contract or of the first sentence of a room."""
    assert draw_rooms.PICTURE.read_text(encoding="utf-8") == draw_rooms.draw()
