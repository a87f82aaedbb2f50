"""Whether the comparison itself may be believed, apart from what it says.

An estimate is causal only as far as the arms differ in nothing but the release.
What of this can be seen is a number with a bound, told with the evidence; what
fails lets no traffic rise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckName(StrEnum):
    """What is looked at."""

    BALANCE = "Balance"
    OVERLAP = "Overlap"
    AGE = "Age"
    PRE_TREND = "PreTrend"
    LOAD = "Load"


@dataclass(frozen=True, slots=True)
class Check:
    """One look at the design. value and bound are in the check's own unit.

    ok: None where it cannot be looked at, which blocks nothing and is told. note: what it means here, and
    what to do where it fails.
    """

    name: CheckName
    value: float
    bound: float
    ok: bool | None
    note: str
