"""What a second opinion is made of: estimates with kind and assumption; what is left unsaid, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What stands behind a number."""

    EXACT = "exact"
    ASYMPTOTIC = "asymptotic"
    MODEL = "model"


class Question(StrEnum):
    """What is compared with what."""

    RELEASE = "canary slots against baseline slots"
    NEIGHBOURS = "stable pods beside a canary against stable pods on nodes without one"
    RAMP = "the effect at one share of traffic against that at the next"
    EVERYBODY = "everybody at once: what the whole service would see at 100%"


@dataclass(frozen=True, slots=True)
class Span:
    """One block of an event study. Minutes from the first stage; band: for all blocks at once."""

    begin: float
    end: float
    effect: float
    lower: float
    upper: float
    band_lower: float
    band_upper: float


@dataclass(frozen=True, slots=True)
class Doubted:
    """The interval of an effect if trends may break by `mbar` times what is seen of any before."""

    mbar: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """One estimate or test, at a time fixed beforehand; nan where it has no such number.

    effect, lower, upper (95%): in the unit of the metric. p: one-sided, no effect or less against harm.
    assumes: what has to hold. note: sizes and verdicts in words.
    """

    question: Question
    method: str
    kind: Kind
    assumes: str
    effect: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    p: float = math.nan
    note: str = ""
    spans: tuple[Span, ...] = ()
    doubted: tuple[Doubted, ...] = ()


@dataclass(frozen=True, slots=True)
class Absent:
    """A method that this recording does not identify, and why."""

    question: Question
    method: str
    why: str


@dataclass(frozen=True, slots=True)
class MetricOpinion:
    """All of one metric. relative: effects are log ratios; else differences of the share of requests."""

    metric: str
    relative: bool
    said: tuple[Opinion, ...]
    absent: tuple[Absent, ...]


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """Of one release; begin, end in seconds since the epoch."""

    release: str
    begin: float
    end: float
    metrics: tuple[MetricOpinion, ...]
