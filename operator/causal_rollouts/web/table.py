"""A table that is read on a phone too: there each row is a card, and each cell says its column.

Roles are said, because a row that is laid out otherwise is no row to a screen reader any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape, unescape

SHORT, LONG = 16, 40
"""Letters up to which a cell is not broken, and from which it is prose; between them stand intervals."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], scrolls: str = "") -> str:
    """Cells of the body are HTML already; the head is not. scrolls: the name of a wide one."""
    names = [escape(cell) for cell in head]
    top = "".join(f'<th role="columnheader" scope="col">{name}</th>' for name in names)
    body = "".join(f'<tr role="row">{"".join(map(_cell, names, row))}</tr>' for row in rows)
    made = (
        f'<table role="table"><thead role="rowgroup"><tr role="row">{top}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )
    if scrolls:
        # Whoever has no mouse scrolls it by keys, and hears what it is.
        return f'<div class="wide" tabindex="0" role="region" aria-label="{escape(scrolls)}">{made}</div>'
    return made


def _cell(name: str, html: str) -> str:
    letters = len(unescape(re.sub("<[^>]*>", "", html)))
    look = "short" if letters <= SHORT else "prose" if letters > LONG else "number"
    return f'<td role="cell" class="{look}" data-of="{name}">{html}</td>'
