"""How names, times and numbers are written in a manifest.

Each form carries its pattern, for editors and other tools, and a sentence that
says how to write it, which the API server prints: a pattern alone is no help to
a person. Numbers are texts because Kubernetes APIs hold no floats.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from causal_rollouts.api.units import DECIMAL, DURATION, PERCENT, fraction, seconds


@dataclass(frozen=True, slots=True)
class Unit:
    """How a text is read as a number, by us and in CEL by the API server."""

    read: Callable[[str], float]
    cel: str


NUMBER = Unit(float, "double(self)")
SECONDS = Unit(seconds, "double(duration(self).getSeconds())")
PERCENTAGE = Unit(lambda text: 100 * fraction(text), "double(self.replace('%', ''))")


@dataclass(frozen=True, slots=True)
class Form:
    """A text of one form.

    low, high: bounds of the number that it stands for, low itself only where `closed`.
    """

    pattern: str
    longest: int
    fix: str
    low: float | None = None
    high: float | None = None
    closed: bool = True
    shortest: int = 1
    unit: Unit = NUMBER

    def check(self, text: str) -> str:
        """The text, unchanged.

        Raises:
            PydanticCustomError: it has another form or lies outside of the bounds.
        """
        fits = self.shortest <= len(text) <= self.longest
        if not fits or not re.fullmatch(self.pattern, text) or not self._within(text):
            raise PydanticCustomError("form", "{fix}", {"fix": self.fix})
        return text

    @property
    def field(self) -> FieldInfo:
        """The form as a part of a schema."""
        found: FieldInfo = Field(
            json_schema_extra={
                "pattern": self.pattern,
                "minLength": self.shortest,
                "maxLength": self.longest,
                "x-kubernetes-validations": [{"rule": self._cel, "message": self.fix}],
            }
        )
        return found

    def _within(self, text: str) -> bool:
        if self.low is None or self.high is None:
            return True
        number = self.unit.read(text)
        return number <= self.high and (number >= self.low if self.closed else number > self.low)

    @property
    def _cel(self) -> str:
        matches = f"size(self) >= {self.shortest} && self.matches({quoted(self.pattern)})"
        if self.low is None or self.high is None:
            return matches
        above = ">=" if self.closed else ">"
        low, high = float(self.low), float(self.high)
        return f"{matches} && {self.unit.cel} {above} {low} && {self.unit.cel} <= {high}"


def quoted(pattern: str) -> str:
    """A pattern as CEL text."""
    return "r'" + pattern + "'"


def _number(low: float, high: float, fix: str, *, closed: bool = True) -> Form:
    return Form(DECIMAL, 12, fix, low, high, closed)


LONGEST_TIME = 720 * 3600.0
"""Seconds: a month. A longer wait is a typing error, and its evidence would be of another service."""


def _time(fix: str, *, longest: float = LONGEST_TIME, closed: bool = True) -> Form:
    return Form(DURATION, 16, fix, 0.0, longest, closed, 2, SECONDS)


_TEXT = "lower case letters, digits and -, beginning and ending with a letter or digit"
OBJECT = Form(r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", 253, f"write the name of an object: {_TEXT}; . is allowed")
TARGET = Form(OBJECT.pattern, 63, OBJECT.fix + ", at most 63 characters")
SERVICE = Form(
    r"^[a-z]([-a-z0-9]*[a-z0-9])?$",
    54,
    "write the name of a Service, at most 54 characters: -baseline is added to it for an arm's own Service",
)
LABEL = Form(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", 63, f"write a short name: {_TEXT}")
SERIES = Form(
    r"^[a-zA-Z_:][a-zA-Z0-9_:]*$", 200, "write the name of a Prometheus metric: letters, digits, _ and :"
)
LABEL_NAME = Form(
    r"^[a-zA-Z_][a-zA-Z0-9_]*$", 64, "write the name of a label of the series: letters, digits and _"
)
USER = Form(
    r"^[A-Za-z0-9][A-Za-z0-9:._@/+=-]*$",
    253,
    "write a user as the API server names it, like system:serviceaccount:ci:deployer",
)
TIME = _time("write a duration in whole units, like 30s, 5m or 1h30m; at most 720h")
LASTING = _time(
    "write a duration in whole units, like 30s, 5m or 1h30m; more than 0s and at most 720h", closed=False
)
BEFOREHAND = _time("write a duration in whole units from 0s to 1h, like 10m", longest=3600.0)
SHARE = Form(PERCENT, 12, "write a percentage like 5% or 0.3%")
TAIL = Form(
    PERCENT,
    12,
    "write a percentage above 0% and at most 50%, like 0.15%",
    0.0,
    50.0,
    closed=False,
    unit=PERCENTAGE,
)
COMPLETE = Form(r"^(100|[5-9][0-9](\.[0-9]{1,4})?)%$", 12, "write a percentage from 50% to 100%")
EDGE = Form(r"^[1-9][0-9]{0,6}(ms|s)$", 12, "write a bucket edge like 500ms or 2s")
CRON = Form(
    r"^[0-9*/,#L-]+( [0-9A-Za-z*/,#-]+){4}$",
    100,
    'write five cron fields (minute, hour, day, month, weekday), like "0 18 * * 5"',
)
ZONE = Form(r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", 64, "write a time zone like Europe/Berlin or UTC")
INSTANT = Form(
    r"^[2-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$",
    20,
    "write a time in UTC like 2026-12-20T00:00:00Z",
)
ALPHA = _number(0, 0.2, 'write a probability above 0 and at most 0.2, like "0.01"', closed=False)
NATS = _number(0, 20, 'write evidence in nats above 0 and at most 20, like "2.5"', closed=False)
PART = _number(0, 1, 'write a part of the error budget from 0 to 1, like "0.45"')
PROBE_PART = _number(0, 0.9, 'write a part of alphaRevert above 0 and at most 0.9, like "0.3"', closed=False)
FIRST = _number(0, 1, 'write a share above 0 and at most 1, like "0.6"', closed=False)
RATIO = _number(0.1, 4, 'write a ratio from 0.1 to 4, like "1" or "0.5"')

ObjectName = Annotated[str, AfterValidator(OBJECT.check), OBJECT.field]
TargetName = Annotated[str, AfterValidator(TARGET.check), TARGET.field]
ServiceName = Annotated[str, AfterValidator(SERVICE.check), SERVICE.field]
MetricLabel = Annotated[str, AfterValidator(LABEL.check), LABEL.field]
LabelName = Annotated[str, AfterValidator(LABEL_NAME.check), LABEL_NAME.field]
SeriesName = Annotated[str, AfterValidator(SERIES.check), SERIES.field]
UserName = Annotated[str, AfterValidator(USER.check), USER.field]
Duration = Annotated[str, AfterValidator(TIME.check), TIME.field]
Lasting = Annotated[str, AfterValidator(LASTING.check), LASTING.field]
Beforehand = Annotated[str, AfterValidator(BEFOREHAND.check), BEFOREHAND.field]
TailShare = Annotated[str, AfterValidator(TAIL.check), TAIL.field]
Percent = Annotated[str, AfterValidator(SHARE.check), SHARE.field]
Completeness = Annotated[str, AfterValidator(COMPLETE.check), COMPLETE.field]
Cron = Annotated[str, AfterValidator(CRON.check), CRON.field]
TimeZone = Annotated[str, AfterValidator(ZONE.check), ZONE.field]
Instant = Annotated[str, AfterValidator(INSTANT.check), INSTANT.field]
Edge = Annotated[str, AfterValidator(EDGE.check), EDGE.field]
Probability = Annotated[str, AfterValidator(ALPHA.check), ALPHA.field]
Nats = Annotated[str, AfterValidator(NATS.check), NATS.field]
BudgetPart = Annotated[str, AfterValidator(PART.check), PART.field]
ProbePart = Annotated[str, AfterValidator(PROBE_PART.check), PROBE_PART.field]
FirstShare = Annotated[str, AfterValidator(FIRST.check), FIRST.field]
Ratio = Annotated[str, AfterValidator(RATIO.check), RATIO.field]
