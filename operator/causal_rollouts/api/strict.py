"""What the API server would refuse of a whole object, told without one.

The operator reads leniently, because an object that is stored must not stop a
release; a person who writes a manifest wants to hear everything before that.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from pydantic import ValidationError

from causal_rollouts.api.forms import OBJECT
from causal_rollouts.api.part import EVERY_RULE, Part
from causal_rollouts.api.problems import Problem, problems_of, shown
from causal_rollouts.api.schema import NAME_AT_MOST, structural
from causal_rollouts.api.v1alpha1 import RolloutSpec
from causal_rollouts.api.v1alpha1_policy import PolicySpec
from causal_rollouts.model.world import Json

ROLLOUT, POLICY = "CausalRollout", "RolloutPolicy"
NEAR = 0.8
"""Likeness of two names, from 0 to 1, of which one is a slip of the other."""


class _Object(Part):
    """What all kinds have around their spec."""

    api_version: Literal["causalrollouts.dev/v1alpha1"]
    kind: str
    metadata: dict[str, object]


class _Rollout(_Object):
    spec: RolloutSpec
    status: dict[str, object] | None = None


class _Policy(_Object):
    spec: PolicySpec


MODELS: Final[dict[str, type[_Object]]] = {ROLLOUT: _Rollout, POLICY: _Policy}
"""Kinds that people write."""


def refused(obj: Json) -> tuple[Problem, ...]:
    """Every reason to refuse an object of one of `MODELS`: names, schema, and rules of single parts."""
    model = MODELS[str(obj.get("kind"))]
    try:
        # An API server knows no Python names and has unknown fields refused.
        model.model_validate(obj, extra="forbid", by_alias=True, by_name=False, context=EVERY_RULE)
        found: tuple[Problem, ...] = ()
    except ValidationError as error:
        found = tuple(_spelt(problem, obj) for problem in problems_of(error, ""))
    metadata = obj.get("metadata")
    return (*found, *(_metadata(obj, metadata) if isinstance(metadata, Mapping) else ()))


def _metadata(obj: Json, metadata: Json) -> Iterator[Problem]:
    name = metadata.get("name", metadata.get("generateName"))
    if name is None:
        yield Problem("metadata.name", "is missing", "add it")
    elif not isinstance(name, str) or len(name) > OBJECT.longest or not re.fullmatch(OBJECT.pattern, name):
        yield Problem("metadata.name", f"{shown(name)} is no name of an object", OBJECT.fix)
    elif obj.get("kind") == ROLLOUT and len(name) > NAME_AT_MOST:
        what = f"is longer than {NAME_AT_MOST} characters"
        yield Problem("metadata.name", what, "choose a shorter one, labels of records and slots carry it")
    for part in ("labels", "annotations"):
        listed = metadata.get(part)
        for key, value in (listed if isinstance(listed, Mapping) else {}).items():
            if not isinstance(value, str):
                yield Problem(f"metadata.{part}.{key}", f"{shown(value)} is no text", "write it in quotes")


def _spelt(problem: Problem, obj: Json) -> Problem:
    """With the field that was meant, where a name is nearly one that there is."""
    if problem.what != "is not known here":
        return problem
    given = problem.field.rpartition(".")[2]
    near = difflib.get_close_matches(given, _fields(str(obj.get("kind"))), 1, NEAR)
    return Problem(problem.field, problem.what, f"write {near[0]}, or remove it") if near else problem


def _fields(kind: str) -> list[str]:
    """Every field name of a kind, wherever it stands."""
    found: list[str] = []
    left: list[object] = [structural(RolloutSpec if kind == ROLLOUT else PolicySpec)]
    while left:
        node = left.pop()
        if isinstance(node, Mapping):
            properties = node.get("properties")
            found += list(properties) if isinstance(properties, Mapping) else []
            left += node.values()
    return sorted({"spec", "metadata", "apiVersion", *found})
