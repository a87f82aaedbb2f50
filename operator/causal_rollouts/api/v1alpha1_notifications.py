"""Which channel hears of what.

A channel is a name: where it leads is known to the operator's settings alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from causal_rollouts.api.forms import MetricLabel
from causal_rollouts.api.part import Part
from causal_rollouts.api.rule import Rule
from causal_rollouts.decision.severity import LOW_SAMPLE, SEVERITY

CAUSES = tuple(sorted(SEVERITY))
_LOW = ", ".join(f"'{why}'" for why in sorted(LOW_SAMPLE))

NO_PAGE = Rule(
    "!has(self.severity) || self.severity != 'Page' || !has(self.when) || "
    f"!self.when.exists(cause, cause in [{_LOW}])",
    "a verdict for want of data never pages; use Ticket or Info, or take these out of when: "
    + ", ".join(sorted(LOW_SAMPLE)),
    field="severity",
)


def known(why: str) -> str:
    """The cause, if there is one of this name.

    Raises:
        PydanticCustomError: there is none.
    """
    if why not in SEVERITY:
        raise PydanticCustomError("form", "{fix}", {"fix": f"use one of {', '.join(CAUSES)}"})
    return why


Cause = Annotated[str, AfterValidator(known), Field(json_schema_extra={"enum": list(CAUSES)})]
Loudness = Literal["Page", "Ticket", "Info"]


class Notification(Part):
    """What one channel hears of."""

    RULES = (NO_PAGE,)

    channel: MetricLabel = Field(description="Name of a channel in the operator's settings.")
    when: Annotated[list[Cause], Field(min_length=1, max_length=len(CAUSES))] | None = Field(
        default=None, description="Causes that it hears of; without it all but those for want of data."
    )
    at_least: Loudness | None = Field(
        default=None, description="Least severity that it hears of (default Info)."
    )
    severity: Loudness | None = Field(
        default=None, description="What it hears them as, in place of their own severity."
    )

    def broken(self) -> Iterator[Rule]:
        """A page for want of data."""
        if self.severity == "Page" and LOW_SAMPLE.intersection(self.when or ()):
            yield NO_PAGE
