"""A picture with its caption and legend, drawn for a broad page and for a phone."""

from __future__ import annotations

from html import escape

from causal_rollouts.web.forest import Forest, forest
from causal_rollouts.web.layout import BROAD, SLIM, Layout
from causal_rollouts.web.plot import Plot, svg


def figure(plot: Plot | Forest, name: str) -> str:
    """HTML. name: as `svg` has it."""
    keys = "".join(
        f'<li><svg class="key" viewBox="0 0 22 10" aria-hidden="true">{_key(look)}</svg>{escape(words)}</li>'
        for look, words in plot.legend
    )
    legend = f'<ul class="legend">{keys}</ul>' if keys else ""
    return (
        f"<figure><figcaption><strong>{escape(plot.title)}</strong> {escape(plot.summary)}</figcaption>"
        f"{legend}{_drawn(plot, name, BROAD)}{_drawn(plot, f'{name}s', SLIM)}</figure>"
    )


def _drawn(plot: Plot | Forest, name: str, layout: Layout) -> str:
    return forest(plot, name, layout) if isinstance(plot, Forest) else svg(plot, name, layout)


def _key(look: str) -> str:
    if look.startswith("band"):
        return f'<rect class="{look}" x="0" y="1" width="22" height="8"/>'
    if look.startswith("dot"):
        return f'<circle class="{look}" cx="11" cy="5" r="3.5"/>'
    return f'<path class="{look}" d="M0 5L22 5"/>'
