"""How a manifest cuts a metric into parts: by a label of its series, or by where its pods stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from causal_rollouts.api.forms import LabelName
from causal_rollouts.api.part import Part
from causal_rollouts.api.rule import Rule, validations

MOST_VALUES = 8

ONE_CUT = Rule(
    "has(self.label) != has(self.node)",
    "label and node are two ways to cut; give either label (of the metric's series, like route) or node "
    "(zone or instanceType)",
)
EACH_ONCE = Rule(
    "self.all(value, self.exists_one(other, other == value))",
    "a value stands here twice; give each part once",
)


def _once(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise EACH_ONCE.broken
    return values


Values = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=200)]],
    Field(min_length=1, max_length=MOST_VALUES, json_schema_extra=validations(EACH_ONCE)),
    AfterValidator(_once),
]


class Segments(Part):
    """Parts of a metric that are judged beside it, each as a question of its own."""

    RULES = (ONE_CUT,)

    label: LabelName | None = Field(default=None, description="Label of the metric's series, like route.")
    node: Literal["zone", "instanceType"] | None = Field(
        default=None, description="What the nodes of the pods are told apart by."
    )
    values: Values = Field(description="The parts, one for each value, exactly as it is written there.")
    gating: Literal["RevertOnly", "ReportOnly"] | None = Field(
        default=None,
        description="ReportOnly by default. RevertOnly takes a part of the error budget of its kind.",
    )

    def broken(self) -> Iterator[Rule]:
        """Both or none of label and node."""
        if (self.label is None) == (self.node is None):
            yield ONE_CUT
