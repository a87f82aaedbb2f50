"""One line plot as SVG text: axes, lines, bands, margins and marks; no script, no font, no network.

Words stand above the frame, and in the gutter at its right where there is one;
on a phone they lie on their margins, with a rim in the colour of the page.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from causal_rollouts.web.layout import BROAD, LETTER, LINE, Frame, Layout, opening, ticks

DOTS = 40
"""Up to so many points each is marked: a look is a moment, and the line between two is only a guide."""


@dataclass(frozen=True, slots=True)
class Line:
    """Points (x, y) in data units, drawn in one colour class; step lines hold their value.

    joined: False for points that are no course of one thing.
    """

    label: str
    points: Sequence[tuple[float, float]]
    look: str
    step: bool = False
    joined: bool = True


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
    """Everything in one picture. x: from `begin` to `end`. summary: the text alternative, sentences.

    empty: what stands in a frame without anything in it.
    """

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
    begin: float = 0.0
    axis: str = "minutes since the release began"
    empty: str = ""

    @property
    def legend(self) -> Iterator[tuple[str, str]]:
        """(kind and look, words) of everything that has a colour."""
        if self.empty:
            return
        yield from ((f"{'line' if line.joined else 'dot'} {line.look}", line.label) for line in self.lines)
        yield from ((f"band {band.look}", band.label) for band in self.bands)


def of_log_ratio(log_ratio: float) -> float:
    """Percent; infinite and unknown ones stay so."""
    if math.isnan(log_ratio) or log_ratio == math.inf:
        return log_ratio
    return 100 * math.expm1(min(log_ratio, 20.0))


def svg(plot: Plot, name: str, layout: Layout = BROAD) -> str:
    """The picture. `name` (letters and digits) makes the ids of title and description unique on a page."""
    frame = Frame.around(layout, plot.begin, plot.end, plot.low, plot.high)
    parts = [
        opening(layout, name, plot.title, plot.summary),
        *_axes(frame, plot.unit, plot.axis),
        *(part for band in plot.bands for part in _band(frame, band)),
        *_lines_of(frame, plot.levels),
        *_events(frame, plot.events),
        *(part for line in plot.lines for part in _line(frame, line)),
        *_words_of(frame, plot.levels),
        *_empty(frame, plot.empty),
        "</svg>",
    ]
    return "\n".join(parts)


def _axes(frame: Frame, unit: str, axis: str) -> list[str]:
    left, edge, height = frame.layout.left, frame.layout.edge, frame.layout.height
    out = []
    for value in ticks(frame.y0, frame.y1):
        y = frame.y(value)
        out.append(f'<line class="grid" x1="{left}" x2="{edge}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = escape(f"{value:g}{unit}")
        out.append(f'<text class="tick" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for value in ticks(frame.x0, frame.x1):
        x, y = frame.x(value), frame.floor + 16
        out.append(f'<text class="tick" x="{x:.1f}" y="{y}" text-anchor="middle">{value:g}</text>')
    middle = (left + edge) / 2
    out.append(f'<text class="tick" x="{middle:.1f}" y="{height - 6}" text-anchor="middle">{axis}</text>')
    return out


def _line(frame: Frame, line: Line) -> Iterator[str]:
    """Unbroken stretches; what is not known is left out, never bridged; an arrow points beyond the frame."""
    known = sum(math.isfinite(y) for _, y in line.points)
    for stretch in _stretches(line.points):
        drawn = [(frame.x(x), frame.y(y)) for x, y in stretch]
        if len(drawn) > 1 and line.joined:
            path = _path(drawn, step=line.step)
            yield f'<path class="line {line.look}" d="{path}"><title>{escape(line.label)}</title></path>'
        marked = not line.step and (not line.joined or len(drawn) == 1 or known <= DOTS)
        for (x, y), (_, value) in zip(drawn, stretch, strict=True):
            if side := frame.beyond(value):
                yield f'<path class="dot {line.look}" d="M{x - 4:.1f} {y:.1f}h8l-4 {-7 * side}z"/>'
            elif marked:
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


def _band(frame: Frame, band: Band) -> Iterator[str]:
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


def _lines_of(frame: Frame, marks: Sequence[Mark]) -> Iterator[str]:
    ends = f'x1="{frame.layout.left}" x2="{frame.layout.edge}"'
    for mark in marks:
        y = frame.y(mark.at)
        yield f'<line class="level {mark.look}" {ends} y1="{y:.1f}" y2="{y:.1f}"/>'


def _words_of(frame: Frame, marks: Sequence[Mark]) -> Iterator[str]:
    """Moved apart where margins lie close together."""
    inside = frame.layout.notes_inside
    ordered = sorted(marks, key=lambda mark: -mark.at)
    places = _apart([frame.y(mark.at) + (-4 if inside else 4) for mark in ordered], frame.floor)
    x = frame.layout.left + 4 if inside else frame.layout.edge + 8
    for mark, y in zip(ordered, places, strict=True):
        yield f'<text class="note {mark.look}" x="{x}" y="{y:.1f}">{escape(mark.label)}</text>'


def _apart(wanted: Sequence[float], floor: int) -> list[float]:
    """Places from top to bottom, each at least a line above the next, none below the frame."""
    out = list(wanted)
    bottom = floor + 4.0
    for i in range(len(out) - 1, -1, -1):
        out[i] = min(out[i], bottom)
        bottom = out[i] - LINE
    return out


def _events(frame: Frame, marks: Sequence[Mark]) -> Iterator[str]:
    """Words above the frame, in two rows where events follow closely, to the left where the page ends."""
    busy = [-math.inf, -math.inf]
    for mark in sorted(marks, key=lambda mark: mark.at):
        x = frame.x(mark.at)
        wide = LETTER * len(mark.label)
        turned = x + 3 + wide > frame.layout.width
        begin = x - 3 - wide if turned else x
        row = 0 if busy[0] <= begin else 1
        busy[row] = begin + wide + 8
        y = frame.layout.top - 6 - LINE * row
        yield f'<line class="event" x1="{x:.1f}" x2="{x:.1f}" y1="{y + 2:.1f}" y2="{frame.floor}"/>'
        at, anchor = (x - 3, ' text-anchor="end"') if turned else (x + 3, "")
        yield f'<text class="note {mark.look}" x="{at:.1f}" y="{y:.1f}"{anchor}>{escape(mark.label)}</text>'


def _empty(frame: Frame, words: str) -> Iterator[str]:
    if words:
        x, y = (frame.layout.left + frame.layout.edge) / 2, (frame.layout.top + frame.floor) / 2
        yield f'<text class="note" x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{escape(words)}</text>'
