"""Pictures of numbers, drawn here and not in the browser: where each bar begins and how wide it is. A table stands behind each."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 720
# Room on the left for names and on the right for numbers; the height of a bar with the gap below it.
NAMES, NUMBERS, STEP, BAR = 190, 130, 30, 18
COLUMNS_HEIGHT, COLUMNS_TOP, COLUMNS_FOOT = 150, 26, 22
LONGEST_NAME = 26


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a bar."""

    tone: str
    x: float
    y: float
    width: float
    height: float
    value: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar with its name in front and its number behind it; ``x`` and ``y`` are where the number stands."""

    name: str
    parts: list[Part]
    x: float
    y: float
    said: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of ``width`` by ``height`` units."""

    width: float
    height: float
    bars: list[Bar]


@dataclass(frozen=True, slots=True)
class Series:
    """What becomes one bar: its name, the pieces (tone and value), and the number in words."""

    name: str
    pieces: Sequence[tuple[str, float]]
    said: str
    url: str = ""


def bars(rows: Sequence[Series]) -> Chart:
    """Bars that lie below one another, to one scale."""
    most = max((sum(value for _tone, value in row.pieces) for row in rows), default=0) or 1
    scale = (WIDTH - NAMES - NUMBERS) / most
    made = []
    for place, row in enumerate(rows):
        x, y, parts = float(NAMES), place * STEP + 4.0, []
        for tone, value in row.pieces:
            if value:
                parts.append(Part(tone, round(x, 1), y, round(max(value * scale, 1.5), 1), BAR, value))
                x += value * scale
        made.append(Bar(short(row.name), parts, round(x + 8, 1), y + BAR - 4, row.said, row.url))
    return Chart(WIDTH, len(rows) * STEP + 4, made)


def columns(rows: Sequence[Series]) -> Chart:
    """Columns that stand side by side, to one scale."""
    most = max((sum(value for _tone, value in row.pieces) for row in rows), default=0) or 1
    step = WIDTH / max(len(rows), 1)
    ground = COLUMNS_TOP + COLUMNS_HEIGHT
    made = []
    for place, row in enumerate(rows):
        x, y, parts = place * step + step * 0.18, float(ground), []
        for tone, value in row.pieces:
            height = value * COLUMNS_HEIGHT / most
            if value:
                y -= height
                parts.append(Part(tone, round(x, 1), round(y, 1), round(step * 0.64, 1), round(height, 1), value))
        made.append(Bar(row.name, parts, round(place * step + step / 2, 1), round(y - 6, 1), row.said, row.url))
    return Chart(WIDTH, ground + COLUMNS_FOOT, made)


def short(name: str) -> str:
    """A name that fits in front of a bar; Korean syllables take twice the room."""
    room, kept = LONGEST_NAME, ""
    for letter in name:
        room -= 2 if ord(letter) > 0x1100 else 1
        if room < 0:
            return kept.rstrip() + "…"
        kept += letter
    return kept
