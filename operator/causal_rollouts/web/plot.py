"""One line plot as SVG text: axes, lines, bands, margins and marks; no script, no font, no network.

Words stand in the gutter at the right and above the frame, never on the lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 150, 34, 40
TICKS = 5
LINE = 13
"""Height of a line of words."""

DOTS = 40
"""Up to so many points each is marked: a look is a moment, and the line between two is only a guide."""


@dataclass(frozen=True, slots=True)
class Line:
    """Points (x, y) in data units, drawn in one colour class; step lines hold their value."""

    label: str
    points: Sequence[tuple[float, float]]
    look: str
    step: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """Area between two bounds (x, low, high); one without an end reaches the edge."""

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
    """Everything in one picture. x: minutes from 0 to `end`. summary: the text alternative, sentences."""

    title: str
    unit: str
    summary: str
    end: float
    low: float
    high: float
    lines: Sequence[Line] = ()
    bands: Sequence[Band] = ()
    levels: Sequence[Mark] = ()
    events: Sequence[Mark] = ()

    @property
    def legend(self) -> Iterator[tuple[str, str]]:
        """(kind and look, words) of everything that has a colour."""
        yield from ((f"line {line.look}", line.label) for line in self.lines)
        yield from ((f"band {band.look}", band.label) for band in self.bands)


def svg(plot: Plot, name: str) -> str:
    """The picture. `name` (letters and digits) makes the ids of title and description unique on a page."""
    frame = _Frame(0.0, max(plot.end, 1e-3), *_padded(plot.low, plot.high))
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-t {name}-d">',
        f'<title id="{name}-t">{escape(plot.title)}</title><desc id="{name}-d">{escape(plot.summary)}</desc>',
        *_axes(frame, plot.unit),
        *(part for band in plot.bands for part in _band(frame, band)),
        *_levels(frame, plot.levels),
        *_events(frame, plot.events),
        *(part for line in plot.lines for part in _line(frame, line)),
        "</svg>",
    ]
    return "\n".join(parts)


@dataclass(frozen=True, slots=True)
class _Frame:
    x0: float
    x1: float
    y0: float
    y1: float

    def x(self, value: float) -> float:
        inside = min(max(value, self.x0), self.x1)
        return LEFT + (inside - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        inside = min(max(value, self.y0), self.y1)
        return HEIGHT - BOTTOM - (inside - self.y0) / (self.y1 - self.y0) * (HEIGHT - TOP - BOTTOM)


def _padded(low: float, high: float) -> tuple[float, float]:
    pad = 0.05 * (high - low) if high > low else 1.0
    return low - pad, high + pad


def _axes(frame: _Frame, unit: str) -> list[str]:
    out = []
    for value in _ticks(frame.y0, frame.y1):
        y = frame.y(value)
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = escape(f"{value:g}{unit}")
        out.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for value in _ticks(frame.x0, frame.x1):
        x, y = frame.x(value), HEIGHT - BOTTOM + 16
        out.append(f'<text class="tick" x="{x:.1f}" y="{y}" text-anchor="middle">{value:g}</text>')
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    words = "minutes since the release began"
    out.append(f'<text class="tick" x="{middle:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{words}</text>')
    return out


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / TICKS
    base = 10.0 ** math.floor(math.log10(rough))
    step = next(m * base for m in (1, 2, 5, 10) if m * base >= rough)
    first = math.ceil(low / step)
    return [round(i * step, 10) for i in range(first, math.floor(high / step) + 1)]


def _line(frame: _Frame, line: Line) -> Iterator[str]:
    """Unbroken stretches; what is not known is left out, never bridged."""
    known = sum(math.isfinite(y) for _, y in line.points)
    for stretch in _stretches(line.points):
        drawn = [(frame.x(x), frame.y(y)) for x, y in stretch]
        if len(drawn) > 1:
            path = _path(drawn, step=line.step)
            yield f'<path class="line {line.look}" d="{path}"><title>{escape(line.label)}</title></path>'
        if not line.step and (len(drawn) == 1 or known <= DOTS):
            for x, y in drawn:
                yield f'<circle class="dot {line.look}" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>'


def _stretches(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    found: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if math.isfinite(y):
            found[-1].append((x, y))
        elif found[-1]:
            found.append([])
    return [stretch for stretch in found if stretch]


def _path(points: Sequence[tuple[float, float]], *, step: bool = False) -> str:
    out: list[str] = []
    for i, (x, y) in enumerate(points):
        if step and i:
            out.append(f"L{x:.1f} {points[i - 1][1]:.1f}")
        out.append(f"{'L' if i else 'M'}{x:.1f} {y:.1f}")
    return "".join(out)


def _band(frame: _Frame, band: Band) -> Iterator[str]:
    """Bounds that are not known at all are left out; a lone one is a bar."""
    stretches: list[list[tuple[float, float, float]]] = [[]]
    for x, low, high in band.points:
        if math.isnan(low) or math.isnan(high) or (math.isinf(low) and math.isinf(high)):
            stretches.append([])
        else:
            stretches[-1].append((frame.x(x), frame.y(low), frame.y(high)))
    title = f"<title>{escape(band.label)}</title>"
    for stretch in stretches:
        if len(stretch) > 1:
            upper = [(x, top) for x, _, top in stretch]
            lower = [(x, bottom) for x, bottom, _ in reversed(stretch)]
            yield f'<path class="band {band.look}" d="{_path(upper + lower)}Z">{title}</path>'
        for x, bottom, top in stretch if len(stretch) == 1 else ():
            at = f'x="{x - 5:.1f}" y="{top:.1f}" width="10" height="{bottom - top:.1f}"'
            yield f'<rect class="band {band.look}" {at}>{title}</rect>'


def _levels(frame: _Frame, marks: Sequence[Mark]) -> Iterator[str]:
    """Words in the right gutter, moved apart where margins lie close together."""
    ordered = sorted(marks, key=lambda mark: -mark.at)
    lines = [frame.y(mark.at) for mark in ordered]
    for mark, y, text in zip(ordered, lines, _apart([y + 4 for y in lines]), strict=True):
        yield f'<line class="level {mark.look}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        x = WIDTH - RIGHT + 8
        yield f'<text class="note {mark.look}" x="{x}" y="{text:.1f}">{escape(mark.label)}</text>'


def _apart(wanted: Sequence[float]) -> list[float]:
    """Places from top to bottom, each at least a line above the next, none below the frame."""
    out = list(wanted)
    bottom = HEIGHT - BOTTOM + 4.0
    for i in range(len(out) - 1, -1, -1):
        out[i] = min(out[i], bottom)
        bottom = out[i] - LINE
    return out


def _events(frame: _Frame, marks: Sequence[Mark]) -> Iterator[str]:
    """Words above the frame, in two rows where events follow closely."""
    busy = [-math.inf, -math.inf]
    for mark in sorted(marks, key=lambda mark: mark.at):
        x = frame.x(mark.at)
        row = 0 if busy[0] <= x else 1
        busy[row] = x + 7.0 * len(mark.label) + 8
        y = TOP - 6 - LINE * row
        yield f'<line class="event" x1="{x:.1f}" x2="{x:.1f}" y1="{y + 2:.1f}" y2="{HEIGHT - BOTTOM}"/>'
        yield f'<text class="note {mark.look}" x="{x + 3:.1f}" y="{y:.1f}">{escape(mark.label)}</text>'
