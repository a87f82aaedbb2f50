"""What a stream can show: signs beyond ASCII, colour, and lines that are drawn again in place."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from causal_rollouts.cli.printing import harmless, write

WIDTH, HEIGHT = 80, 24
"""Of a terminal that does not say."""


class Tone(StrEnum):
    """What a line is coloured as, with the number of the colour; on a terminal without colour nothing."""

    PLAIN = ""
    GOOD = "32"
    BAD = "31"
    WAITS = "33"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a picture, and how it is meant."""

    text: str
    tone: Tone = Tone.PLAIN


class Stream(Protocol):
    """As much of stdout as is asked."""

    @property
    def encoding(self) -> str:
        """Its name, like utf-8."""
        ...

    def isatty(self) -> bool:
        """Somebody looks at it."""
        ...


@dataclass(frozen=True, slots=True)
class Terminal:
    """signs: beyond ASCII. live: it can be drawn again in place. width, height in characters."""

    signs: bool = False
    colour: bool = False
    live: bool = False
    width: int = WIDTH
    height: int = HEIGHT

    def picture(self, lines: Sequence[Line], *, over: int = 0) -> int:
        """Draw the lines, in place of the last `over` ones; tells how many it drew.

        What is live is cut to what fits, or the lines that scrolled away would stand there twice.
        """
        shown = list(lines)
        if self.live and len(shown) >= self.height:
            left = len(shown) - self.height + 2
            shown = [*shown[: self.height - 2], Line(f"({left} more lines do not fit)")]
        back = f"\x1b[{over}F\x1b[J" if self.live and over else ""
        write(back + "".join(f"{self._drawn(line)}\n" for line in shown))
        return len(shown)

    def _drawn(self, line: Line) -> str:
        text = harmless(line.text).replace("\n", " ")
        if self.live:
            text = text[: self.width - 1]
        return f"\x1b[{line.tone}m{text}\x1b[0m" if self.colour and line.tone else text


def terminal(stream: Stream | None = None, environment: Mapping[str, str] = os.environ) -> Terminal:
    """What stdout can show. NO_COLOR, set to anything, means without colour (no-color.org)."""
    out = sys.stdout if stream is None else stream
    tty = out.isatty() and environment.get("TERM") != "dumb"
    size = shutil.get_terminal_size((WIDTH, HEIGHT)) if tty else os.terminal_size((WIDTH, HEIGHT))
    signs = (out.encoding or "").lower().replace("-", "").startswith("utf")
    return Terminal(signs, tty and not environment.get("NO_COLOR"), tty, size.columns, size.lines)
