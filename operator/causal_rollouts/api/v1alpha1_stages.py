"""The ladder of a manifest: weights, times, and who has to agree to a step."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from causal_rollouts.api.forms import TIME, Duration, Lasting, UserName, quoted
from causal_rollouts.api.part import Part
from causal_rollouts.api.rule import Rule
from causal_rollouts.api.units import seconds

HEAVIEST = 70
"""Percent of the traffic that a canary may take: with its baseline at most 80, stable stays a control."""

HEAVIEST_OF_PODS = 33
"""The same with podShare: a third of the pods each, as stable is never scaled down for the arms."""

_FORM = quoted(TIME.pattern)
ROOM = Rule(
    f"!(self.minDuration.matches({_FORM}) && self.maxDuration.matches({_FORM})) || "
    "duration(self.maxDuration) >= duration(self.minDuration)",
    "maxDuration is below minDuration; raise maxDuration or lower minDuration",
    field="maxDuration",
)


class Approval(Part):
    """People that must agree to a step. Who may is RBAC: the verb approve on causalrollouts."""

    required: int = Field(ge=1, le=10, description="Different people that must agree.")
    expires: Lasting | None = Field(
        default=None, description="How long a person's word counts, like 8h (default 24h)."
    )


class Hold(Part):
    """A step waits until somebody who is named releases it, mostly a pipeline; with the verb approve."""

    by: Annotated[list[UserName], Field(min_length=1, max_length=10)] = Field(
        description="Users as the API server names them; the word of one is enough."
    )
    expires: Lasting | None = Field(
        default=None, description="How long a word counts, like 8h (default 24h)."
    )


class Stage(Part):
    """One step of the ladder."""

    RULES = (ROOM,)

    weight: int = Field(
        ge=1, le=HEAVIEST, description="Share of the requests that the canary takes, in percent."
    )
    min_duration: Duration = Field(description="Least time in this stage, like 5m.")
    max_duration: Lasting = Field(description="Time after which onInconclusive applies, like 30m.")
    approval: Approval | None = Field(
        default=None, description="People that must agree before the stage is left upwards."
    )
    hold_before: Hold | None = Field(
        default=None, description="Who has to release the stage before it gets traffic."
    )
    hold_after: Hold | None = Field(
        default=None, description="Who has to release the stage before it is left upwards."
    )

    def broken(self) -> Iterator[Rule]:
        """A stage that would end before it may."""
        if seconds(self.max_duration) < seconds(self.min_duration):
            yield ROOM


RISING = Rule(
    "self.all(i, stage, i == 0 || stage.weight > self[i - 1].weight)",
    "weights must rise strictly from stage to stage; order the stages by weight and drop repeated ones",
)


def rising(stages: list[Stage]) -> list[Stage]:
    """The stages, if each has more weight than the one before it."""
    if any(above.weight <= below.weight for below, above in pairwise(stages)):
        raise RISING.broken
    return stages
