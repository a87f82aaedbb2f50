"""Where things lie in a picture: on a page that is broad, and on the screen of a phone.

A picture is drawn once for each and the page shows the one that fits, since
letters that are read on one are too small or too large on the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

TICKS = 5
LINE = 13
"""Height of a line of words."""

LETTER = 7.0
"""Width that a letter of a note takes at most, on average."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Size of a picture, and what is kept free around its frame. notes_inside: no gutter for words."""

    look: str
    width: int
    height: int
    left: int
    right: int
    top: int = 34
    bottom: int = 40
    notes_inside: bool = False

    @property
    def edge(self) -> int:
        """Right end of the frame."""
        return self.width - self.right


BROAD = Layout("broad", 760, 260, left=52, right=150)
SLIM = Layout("slim", 360, 250, left=48, right=8, notes_inside=True)


@dataclass(frozen=True, slots=True)
class Frame:
    """Data units as places in a layout; what lies beyond is put on the edge."""

    layout: Layout
    x0: float
    x1: float
    y0: float
    y1: float

    @staticmethod
    def around(layout: Layout, begin: float, end: float, low: float, high: float) -> Frame:
        """Exactly as wide as the data, and a little higher."""
        pad = 0.05 * (high - low) if high > low else 1.0
        return Frame(layout, begin, max(end, begin + 1e-3), low - pad, high + pad)

    @property
    def floor(self) -> int:
        """Lower end of the frame."""
        return self.layout.height - self.layout.bottom

    def x(self, value: float) -> float:
        """From the left."""
        inside = min(max(value, self.x0), self.x1)
        left = self.layout.left
        return left + (inside - self.x0) / (self.x1 - self.x0) * (self.layout.edge - left)

    def y(self, value: float) -> float:
        """From the top."""
        inside = min(max(value, self.y0), self.y1)
        return self.floor - (inside - self.y0) / (self.y1 - self.y0) * (self.floor - self.layout.top)

    def beyond(self, value: float) -> int:
        """1 above the frame, -1 below it, 0 inside."""
        return (value > self.y1) - (value < self.y0)


def opening(layout: Layout, name: str, title: str, summary: str) -> str:
    """The beginning of a picture, with its name and its text alternative. name: makes their ids."""
    size, names = f"0 0 {layout.width} {layout.height}", f"{name}-t {name}-d"
    return (
        f'<svg viewBox="{size}" class="{layout.look}" role="img" aria-labelledby="{names}">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(summary)}</desc>'
    )


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between two, about five."""
    rough = (high - low) / TICKS
    base = 10.0 ** math.floor(math.log10(rough))
    step = next(m * base for m in (1, 2, 2.5, 5, 10) if m * base >= rough)
    first = math.ceil(low / step)
    return [round(i * step, 10) for i in range(first, math.floor(high / step) + 1)]
