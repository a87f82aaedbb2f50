"""What must hold of a part of a manifest, in words that the API server and we both use.

The API server evaluates the CEL text. A replay and the story without a cluster
have no API server; there the part itself says which of its rules is broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError


@dataclass(frozen=True, slots=True)
class Rule:
    """message: `what is wrong; what to do`. field: the part of the value that the message is about, or ""."""

    cel: str
    message: str
    field: str = ""

    @property
    def broken(self) -> PydanticCustomError:
        """The error of a value that does not keep the rule."""
        return PydanticCustomError("rule", "{message}", {"message": self.message, "field": self.field})

    @property
    def schema(self) -> JsonDict:
        """One entry of x-kubernetes-validations."""
        path: JsonDict = {"fieldPath": f".{self.field}"} if self.field else {}
        return {"rule": self.cel, "message": self.message, **path}


def validations(*rules: Rule) -> JsonDict:
    """The extension of a schema that carries these rules."""
    return {"x-kubernetes-validations": [rule.schema for rule in rules]}


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """Its key in a list-type map."""
        ...


N = TypeVar("N", bound=Named)


BY_NAME: JsonDict = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
"""What `named_once` says, as the API server holds it to."""


def named_once(items: list[N]) -> list[N]:
    """The items, if their names differ; the API server sees to that by itself in a list-type map.

    Raises:
        PydanticCustomError: two items have one name.
    """
    names = [item.name for item in items]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Rule("", f'"{twice[0]}" is named twice; give each a name of its own').broken
    return items
