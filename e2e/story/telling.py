"""Turns what the record says into lines a person reads, each once, and keeps them for the report."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from causal_rollouts.model.percent import of_traffic

Json = dict[str, Any]


@dataclass(slots=True)
class Teller:
    """Prints and keeps lines; remembers which decisions were told."""

    started: float = field(default_factory=time.time)
    now: Callable[[], float] = time.time
    lines: list[str] = field(default_factory=list)
    _told: set[tuple[str, int]] = field(default_factory=set)

    def say(self, text: str, *, at: float | None = None) -> None:
        """One line with minutes and seconds since the start."""
        elapsed = int((self.now() if at is None else at) - self.started)
        line = f"{elapsed // 60:3d}:{elapsed % 60:02d}  {text}"
        self.lines.append(line)
        print(line, flush=True)

    def chapter(self, text: str) -> None:
        """A heading."""
        self.lines.append("")
        print(flush=True)
        self.say(text)

    def decisions(self, release: str, decisions: list[Json]) -> None:
        """Every decision that was not told yet."""
        for line in decisions:
            key = (release, int(line["seq"]))
            if key in self._told:
                continue
            self._told.add(key)
            decision = line["decision"]
            share = of_traffic(int(line["weight"]))
            stage = f"stage {line['stage'] + 1}, {share}" if line["stage"] >= 0 else "no traffic"
            words = f"{release} [{stage}] {decision['act']} ({decision['reason']}): {decision['because']}"
            self.say(words, at=float(line["time"]))
