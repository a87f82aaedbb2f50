"""What is wrong with a manifest: where, what, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

LONGEST = 60
"""Characters of a value that are repeated to the person who wrote it."""

WORDS: Final[dict[str, tuple[str, str]]] = {
    "form": ("{given} has another form", "{fix}"),
    "literal_error": ("{given} is not known", "use {expected}"),
    "greater_than_equal": ("{given} is too small", "use {ge} or more"),
    "less_than_equal": ("{given} is too large", "use {le} or less"),
    "too_short": ("holds {actual_length}", "give {min_length} or more"),
    "too_long": ("holds {actual_length}", "give {max_length} or fewer"),
    "extra_forbidden": ("is not known here", "remove it or correct its name"),
    "string_type": ("{given} is no text", "write it in quotes"),
    "int_type": ("{given} is no whole number", "write one, without quotes"),
    "bool_type": ("{given} is neither true nor false", "write one of them, without quotes"),
    "list_type": ("{given} is no list", "write each item after a dash"),
    "dict_type": ("{given} holds no fields", "write each as name: value"),
    "model_type": ("{given} holds no fields", "write each as name: value"),
}
"""What is said of a value that does not fit, and what to do, by pydantic's name for that."""


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
    """`spec.stages[0].weight`; root may be "", of a whole object."""
    inner = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return f"{root}{inner}".removeprefix(".")


def shown(given: object) -> str:
    """A value as it was given, cut where it is long."""
    text = repr(given)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _problem(found: ErrorDetails, root: str) -> Problem:
    where, said, given = path(root, found["loc"]), found.get("ctx", {}), shown(found["input"])
    match found["type"]:
        case "rule":
            what, _, fix = str(said["message"]).partition("; ")
            field = str(said["field"])
            return Problem(f"{where}.{field}" if field else where, what, fix)
        case "missing":
            return Problem(where, "is missing", "add it")
        case kind if kind in WORDS:
            what, fix = WORDS[kind]
            return Problem(where, what.format(given=given, **said), fix.format(**said))
        case _:
            return Problem(where, found["msg"], "correct the value")
