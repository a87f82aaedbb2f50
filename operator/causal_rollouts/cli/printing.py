"""What commands print: aligned text for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

DATA = frozenset({"json", "yaml"})
"""What `-o` takes for programs."""

GAP = 3
"""Spaces between two columns, as in kubectl."""


CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) != "\n"}
"""Words of a cluster are printed on somebody's terminal: they must not move its cursor."""


def say(text: str, *, aside: bool = False, tabs: bool = False) -> None:
    """Print at once. aside: on stderr, where it does not disturb what programs read. tabs: they are kept."""
    told = "\t".join(harmless(part) for part in text.split("\t")) if tabs else harmless(text)
    print(told, file=sys.stderr if aside else sys.stdout, flush=True)


def harmless(text: str) -> str:
    """Without anything that a terminal would obey."""
    return text.translate(CONTROLS)


def write(text: str) -> None:
    """Our own text as it is, with what moves a cursor; signs that stdout does not know become `?`."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as their longest cell; the last one is never padded."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "".join(cell.ljust(width + GAP) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def fields(rows: Iterable[tuple[str, str]]) -> str:
    """Names and values, one pair a line; pairs without a value are left out."""
    known = [(name, value) for name, value in rows if value]
    width = max((len(name) for name, _ in known), default=0)
    return "\n".join(f"{name.ljust(width)}   {value}" for name, value in known)


def as_json(value: object, *, lines: bool = False) -> str:
    """JSON as `-o json` prints it. lines: on one line, for what prints many."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=None if lines else 2)


def as_data(value: object, output: str, *, lines: bool = False) -> str:
    """As `-o json` or `-o yaml` prints it. lines: JSON on one line, YAML as one document of many."""
    if output != "yaml":
        return as_json(value, lines=lines)
    import yaml

    # Through JSON, so that both forms say the same.
    text: str = yaml.safe_dump(json.loads(as_json(value)), sort_keys=False, allow_unicode=True, width=110)
    return ("---\n" if lines else "") + text.rstrip("\n")


def age(seconds: float) -> str:
    """`45s`, `12m`, `3h`, `5d`: as long as a glance needs."""
    whole = max(0, int(seconds))
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole >= 2 * size:
            return f"{whole // size}{unit}"
    return f"{whole}s"
