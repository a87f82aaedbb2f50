"""Estimates side by side as SVG text: one row each, with its interval, against the lines that matter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape

from causal_rollouts.web.layout import BROAD, SLIM, Frame, Layout, opening, ticks
from causal_rollouts.web.plot import Mark

ROW = {BROAD.look: 24, SLIM.look: 36}
LABELS = {
    BROAD.look: replace(BROAD, left=292, right=196),
    SLIM.look: replace(SLIM, left=26, right=30),
}
"""Words stand left of the frame, numbers right of it; on a phone the words stand above each row."""

LETTERS, NUMBERS = 42, 27
"""Of a label at most; of numbers, beyond which the estimate stands alone, its interval in the summary."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One row. said: the numbers in words. Bounds may be nan or infinite."""

    label: str
    value: float
    lower: float
    upper: float
    said: str
    look: str = "canary"


@dataclass(frozen=True, slots=True)
class Forest:
    """All of one picture; the summary is its text alternative. low, high: what of the scale is shown."""

    title: str
    unit: str
    summary: str
    rows: Sequence[Estimate]
    low: float
    high: float
    marks: Sequence[Mark] = ()

    @property
    def legend(self) -> tuple[tuple[str, str], ...]:
        """Words stand beside each row."""
        return ()


def forest(picture: Forest, name: str, layout: Layout = BROAD) -> str:
    """The picture; `name` as in `plot.svg`."""
    row = ROW[layout.look]
    at = LABELS[layout.look]
    at = replace(at, height=at.top + at.bottom - 14 + row * len(picture.rows), bottom=at.bottom - 14)
    frame = Frame(at, picture.low, picture.high, 0.0, 1.0)
    parts = [
        opening(at, name, picture.title, picture.summary),
        *_scale(frame, picture.unit),
        *_marks(frame, picture.marks),
        *(part for i, one in enumerate(picture.rows) for part in _row(frame, one, at.top + row * i, row)),
        "</svg>",
    ]
    return "\n".join(parts)


def _scale(frame: Frame, unit: str) -> Iterator[str]:
    for value in ticks(frame.x0, frame.x1):
        x = frame.x(value)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{frame.layout.top}" y2="{frame.floor}"/>'
        label = escape(f"{value:g}{unit}")
        yield f'<text class="tick" x="{x:.1f}" y="{frame.floor + 16}" text-anchor="middle">{label}</text>'


def _marks(frame: Frame, marks: Sequence[Mark]) -> Iterator[str]:
    """Words in rows above the frame, the left half to the left of their line."""
    for i, mark in enumerate(sorted(marks, key=lambda mark: mark.at)):
        x, y = frame.x(mark.at), frame.layout.top - 6 - 13 * (i % 2)
        left = mark.at < (frame.x0 + frame.x1) / 2
        anchor = "start" if left else "end"
        yield (
            f'<line class="level {mark.look}" x1="{x:.1f}" x2="{x:.1f}" y1="{y + 2}" y2="{frame.floor}"/>'
            f'<text class="note {mark.look}" x="{x + (3 if left else -3):.1f}" y="{y}" '
            f'text-anchor="{anchor}">{escape(mark.label)}</text>'
        )


def _row(frame: Frame, one: Estimate, top: float, height: int) -> Iterator[str]:
    slim = frame.layout.notes_inside
    y = top + height - (9 if slim else height / 2)
    label = one.label if len(one.label) <= LETTERS else one.label[: LETTERS - 1] + "…"
    x, anchor, line = (frame.layout.left, "start", y - 10) if slim else (frame.layout.left - 10, "end", y + 4)
    yield f'<text class="note" x="{x}" y="{line}" text-anchor="{anchor}">{escape(label)}</text>'
    if not slim:
        said = one.said if len(one.said) <= NUMBERS else one.said.partition(" (")[0]
        yield f'<text class="note" x="{frame.layout.edge + 8}" y="{y + 4}">{escape(said)}</text>'
    if not math.isfinite(one.value):
        return
    low = one.lower if math.isfinite(one.lower) else -math.inf
    high = one.upper if math.isfinite(one.upper) else math.inf
    a, b = frame.x(low), frame.x(high)
    yield f'<path class="line {one.look}" d="M{a:.1f} {y}L{b:.1f} {y}"/>'
    for bound, end, side in ((low, a, -1), (high, b, 1)):
        if not frame.x0 <= bound <= frame.x1:
            yield f'<path class="dot {one.look}" d="M{end - 7 * side:.1f} {y - 4}v8l{7 * side} -4z"/>'
    if frame.x0 <= one.value <= frame.x1:
        yield f'<circle class="dot {one.look}" cx="{frame.x(one.value):.1f}" cy="{y}" r="4"/>'
