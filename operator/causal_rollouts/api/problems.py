"""What is wrong with a manifest: where, what, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend."""

    field: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.field}: {self.what}; {self.fix}"


class Unresolvable(Exception):  # noqa: N818 - the problems are the news
    """The manifest cannot be run as it stands."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


def problems_of(error: ValidationError, root: str) -> tuple[Problem, ...]:
    """Every finding of a model, in the words of this house. root: what the model is called there."""
    return tuple(_problem(found, root) for found in error.errors())


def path(root: str, steps: Iterable[int | str]) -> str:
    """`spec.stages[0].weight`."""
    return root + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def _problem(found: ErrorDetails, root: str) -> Problem:
    where, said, given = path(root, found["loc"]), found.get("ctx", {}), found["input"]
    match found["type"]:
        case "rule":
            what, _, fix = str(said["message"]).partition("; ")
            field = str(said["field"])
            return Problem(f"{where}.{field}" if field else where, what, fix)
        case "form":
            return Problem(where, f"{given!r} has another form", str(said["fix"]))
        case "missing":
            return Problem(where, "is missing", "add it")
        case "literal_error":
            return Problem(where, f"{given!r} is not known", f"use {said['expected']}")
        case "greater_than_equal":
            return Problem(where, f"{given!r} is too small", f"use {said['ge']} or more")
        case "less_than_equal":
            return Problem(where, f"{given!r} is too large", f"use {said['le']} or less")
        case _:
            return Problem(where, found["msg"], "correct the value")
