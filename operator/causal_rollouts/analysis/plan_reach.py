"""What one metric can show at each look of an imagined release: its critical values, and its noise.

Critical values are asked of the gate's own judgement, noise of its own fit of
the past. What comes out says nothing of metrics any more: for each path of
chance the smallest effect that would revert and the largest that would pass.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.stats.power import arrival_times, nested_errors, partial_errors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reach:
    """Effects as logarithms, [path, look]. caught: smallest that reverts at the look, inf where none does.

    suspects: smallest that is suspected of harm, so that traffic does not rise. advances, promotes: largest
    with enough evidence of safety to go on from a stage, or at the last; -inf where none has. agrees:
    largest that the stage's own window does not contradict.
    """

    caught: Floats
    suspects: Floats
    advances: Floats
    promotes: Floats
    agrees: Floats


class Outlook(Protocol):
    """One question of a metric over all looks."""

    @property
    def name(self) -> str:
        """Of the metric, or of its effect on neighbours."""
        ...

    @property
    def kind(self) -> MetricKind:
        """Of the question."""
        ...

    @property
    def gating(self) -> Gating:
        """What it may do."""
        ...

    @property
    def nothing(self) -> float:
        """The effect of a release that changes nothing."""
        ...

    @property
    def asked(self) -> tuple[float, float]:
        """Two effects worth telling of: at the margin of safety, and one well beyond it."""
        ...

    def then(self, later: Self) -> Self:
        """With the looks of another behind its own."""
        ...

    def asking(self, asked: tuple[float, float]) -> Self:
        """Asked of other effects."""
        ...

    def reach(self, paths: int, rng: np.random.Generator) -> Reach:
        """Draw paths."""
        ...


def metric_of(outlook: Outlook) -> str:
    """Name of the metric; the effect on its neighbours is named after it."""
    return outlook.name.split("/")[0]


BEYOND = 2.5
"""Times the margin of safety: harm that nobody would call small."""


def worth_telling(margin: float) -> tuple[float, float]:
    """The margin, a log ratio, and `BEYOND` times it."""
    return margin, float(np.log1p(BEYOND * np.expm1(margin)))


@dataclass(frozen=True, slots=True)
class LevelOutlook:
    """Of an estimate with Gaussian error. All per look.

    variance: of the estimate since the first stage; own: of that of the stage alone. harm, suspect:
    estimate from which it reverts, from which it is suspected; advance, promote: up to which it is safe
    enough; agree: up to which the stage's own estimate does not contradict.
    """

    name: str
    kind: MetricKind
    gating: Gating
    variance: Floats
    own: Floats
    harm: Floats
    suspect: Floats
    advance: Floats
    promote: Floats
    agree: Floats
    asked: tuple[float, float]
    nothing: float = 0.0

    def asking(self, asked: tuple[float, float]) -> Self:
        """As the protocol."""
        return replace(self, asked=asked)

    def then(self, later: Self) -> Self:
        """As the protocol."""
        return _behind(self, later)

    def reach(self, paths: int, rng: np.random.Generator) -> Reach:
        """As the protocol."""
        errors = nested_errors(self.variance, paths, rng)
        own = partial_errors(errors, self.variance, np.maximum(self.own, self.variance), rng)
        return Reach(
            caught=self.harm - errors,
            suspects=self.suspect - errors,
            advances=self.advance - errors,
            promotes=self.promote - errors,
            agrees=self.agree - own,
        )


@dataclass(frozen=True, slots=True)
class CountOutlook:
    """Of a count of events. All per look; counts in clusters of as many events as come together.

    expected: clusters under effect 0. needed, suspect: fewest that revert, that are suspected, 0 where none
    are. advance, promote: most that are safe enough, -1 where none are. spread: sd of the log of what pods,
    nodes and the control's own events add to the rate. base: the past rate, for people.
    """

    name: str
    kind: MetricKind
    gating: Gating
    expected: Floats
    needed: Ints
    suspect: Ints
    advance: Ints
    promote: Ints
    spread: Floats
    base: float
    asked: tuple[float, float]
    nothing: float = 0.0

    def asking(self, asked: tuple[float, float]) -> Self:
        """As the protocol."""
        return replace(self, asked=asked)

    def then(self, later: Self) -> Self:
        """As the protocol."""
        return _behind(self, later)

    def reach(self, paths: int, rng: np.random.Generator) -> Reach:
        """As the protocol. The luck of pods and nodes stands still over looks."""
        counts = np.stack((self.needed, self.suspect, self.advance + 1, self.promote + 1))
        times = arrival_times(np.maximum(counts, 1).ravel(), paths, rng).reshape(paths, *counts.shape)
        luck = np.log(self.expected) + self.spread * rng.standard_normal((paths, 1))
        edge = np.log(times) - luck[:, None, :]
        return Reach(
            caught=np.where(self.needed > 0, edge[:, 0], np.inf),
            suspects=np.where(self.suspect > 0, edge[:, 1], np.inf),
            advances=np.where(self.advance >= 0, edge[:, 2], -np.inf),
            promotes=np.where(self.promote >= 0, edge[:, 3], -np.inf),
            agrees=np.full(luck.shape, np.inf),
        )


L = TypeVar("L", bound=LevelOutlook | CountOutlook)


def _behind(first: L, later: L) -> L:
    """One outlook over the looks of both: whatever is an array has an entry for each."""
    whole = {field.name: getattr(first, field.name) for field in fields(first)}
    for name, looks in whole.items():
        if isinstance(looks, np.ndarray):
            whole[name] = np.append(looks, getattr(later, name))
    return replace(first, **whole)
