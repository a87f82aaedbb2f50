"""One thing that is wrong in a file, as editors and people read it."""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.api.problems import Problem
from causal_rollouts.cli.yaml_tree import Document, Flaw


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """line and column count from 1. field: "" where the text itself is wrong."""

    file: str
    line: int
    column: int
    field: str
    what: str
    fix: str

    @classmethod
    def of(cls, file: str, document: Document, problem: Problem) -> Finding:
        """At the field that the problem names, or at the nearest one around it."""
        place = document.place(problem.field)
        return cls(file, place.line, place.column, problem.field, problem.what, problem.fix)

    @classmethod
    def of_text(cls, file: str, flaw: Flaw, field: str = "") -> Finding:
        """At the place itself."""
        return cls(file, flaw.place.line, flaw.place.column, field, flaw.what, flaw.fix)

    def __str__(self) -> str:
        field = f" {self.field}:" if self.field else ""
        return f"{self.file}:{self.line}:{self.column}:{field} {self.what}; {self.fix}"

    def plain(self) -> dict[str, object]:
        """As JSON has it."""
        names = ("file", "line", "column", "field", "what", "fix")
        return {name: getattr(self, name) for name in names}
