"""One line plot as SVG text: axes, lines, bands, margins and marks; no script, no font, no network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 34
TICKS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """Points (x, y) in data units, drawn in one colour class; step lines hold their value."""

    label: str
    points: Sequence[tuple[float, float]]
    look: str
    step: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """Area between two bounds (x, low, high)."""

    label: str
    points: Sequence[tuple[float, float, float]]
    look: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A horizontal margin (y) or a vertical event (x), with its words."""

    label: str
    at: float
    look: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything in one picture. x in minutes. summary: the text alternative, a whole sentence."""

    title: str
    unit: str
    summary: str
    lines: Sequence[Line] = ()
    bands: Sequence[Band] = ()
    levels: Sequence[Mark] = ()
    events: Sequence[Mark] = ()
    low: float | None = None
    high: float | None = None


def svg(plot: Plot, name: str) -> str:
    """The picture. `name` makes the ids of title and description unique on a page."""
    xs, ys = _range(plot)
    frame = _Frame(*xs, *ys)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-t {name}-d">',
        f'<title id="{name}-t">{escape(plot.title)}</title><desc id="{name}-d">{escape(plot.summary)}</desc>',
        *_axes(frame, plot.unit),
        *(_band(frame, band) for band in plot.bands),
        *(_level(frame, mark) for mark in plot.levels),
        *(_event(frame, mark) for mark in plot.events),
        *(_line(frame, line) for line in plot.lines),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class _Frame:
    x0: float
    x1: float
    y0: float
    y1: float

    def x(self, value: float) -> float:
        return LEFT + (value - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        inside = min(max(value, self.y0), self.y1)
        return HEIGHT - BOTTOM - (inside - self.y0) / (self.y1 - self.y0) * (HEIGHT - TOP - BOTTOM)


def _range(plot: Plot) -> tuple[tuple[float, float], tuple[float, float]]:
    xs = [x for line in plot.lines for x, _ in line.points] + [mark.at for mark in plot.events]
    ys = [y for line in plot.lines for _, y in line.points] + [mark.at for mark in plot.levels]
    ys += [y for band in plot.bands for _, low, high in band.points for y in (low, high)]
    finite = [y for y in ys if math.isfinite(y)] or [0.0, 1.0]
    low = min(finite) if plot.low is None else plot.low
    high = max(finite) if plot.high is None else plot.high
    pad = 0.05 * (high - low) or 1.0
    x0, x1 = (min(xs), max(xs)) if xs else (0.0, 1.0)
    return (x0, x1 if x1 > x0 else x0 + 1.0), (low - pad, high + pad)


def _axes(frame: _Frame, unit: str) -> list[str]:
    out = []
    for value in _ticks(frame.y0, frame.y1):
        y = frame.y(value)
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = escape(f"{value:g}{unit}")
        out.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for value in _ticks(frame.x0, frame.x1):
        x = frame.x(value)
        out.append(
            f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 14}" text-anchor="middle">{value:g} min</text>'
        )
    return out


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / TICKS
    base = 10.0 ** math.floor(math.log10(rough))
    step = next(m * base for m in (1, 2, 5, 10) if m * base >= rough)
    first = math.ceil(low / step)
    return [round(i * step, 10) for i in range(first, math.floor(high / step) + 1)]


def _path(points: Sequence[tuple[float, float]], *, step: bool = False) -> str:
    out: list[str] = []
    for i, (x, y) in enumerate(points):
        if step and i:
            out.append(f"L{x:.1f} {points[i - 1][1]:.1f}")
        out.append(f"{'L' if i else 'M'}{x:.1f} {y:.1f}")
    return "".join(out)


def _line(frame: _Frame, line: Line) -> str:
    known = [(frame.x(x), frame.y(y)) for x, y in line.points if math.isfinite(y)]
    if not known:
        return ""
    drawn = _path(known, step=line.step)
    return f'<path class="line {line.look}" d="{drawn}"><title>{escape(line.label)}</title></path>'


def _band(frame: _Frame, band: Band) -> str:
    known = [(x, a, b) for x, a, b in band.points if math.isfinite(a) and math.isfinite(b)]
    if not known:
        return ""
    upper = [(frame.x(x), frame.y(b)) for x, _, b in known]
    lower = [(frame.x(x), frame.y(a)) for x, a, _ in reversed(known)]
    drawn = _path(upper + lower)
    return f'<path class="band {band.look}" d="{drawn}Z"><title>{escape(band.label)}</title></path>'


def _level(frame: _Frame, mark: Mark) -> str:
    y = frame.y(mark.at)
    return (
        f'<line class="level {mark.look}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="note {mark.look}" x="{WIDTH - RIGHT - 4}" y="{y - 4:.1f}" text-anchor="end">'
        f"{escape(mark.label)}</text>"
    )


def _event(frame: _Frame, mark: Mark) -> str:
    x = frame.x(mark.at)
    return (
        f'<line class="event {mark.look}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}">'
        f"<title>{escape(mark.label)}</title></line>"
    )
