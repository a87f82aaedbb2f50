"""What many pseudo-releases came to, and what they cannot tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from causal_rollouts.analysis.past import Past
from causal_rollouts.analysis.pseudo_release import End, PseudoEnd
from causal_rollouts.model.registration import Registration
from causal_rollouts.stats.binomial import clopper_pearson

BLIND_TO = (
    "No pod was new: cold starts and the luck of a fresh process are not in it; that old pods differ is.",
    "No traffic was moved: every pod has its usual load, and the test of shares has nothing to test.",
    "Runs over the same hours share pods and incidents: not independent, so the bounds are too narrow.",
)
"""Said with every result."""


@dataclass(frozen=True, slots=True)
class EndTally:
    """Runs with one end, 95% bounds of their share, and causes, most frequent first."""

    end: End
    runs: int
    bounds: tuple[float, float]
    causes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PseudoTally:
    """All runs. apart: how many the past could hold one after the other. placebo: in how many it fired."""

    runs: int
    ends: tuple[EndTally, ...]
    placebo: int
    alpha: float
    minutes: float
    apart: int
    pods: int
    nodes: int

    def plain(self) -> dict[str, object]:
        """As JSON has it."""
        return {
            "runs": self.runs,
            "ends": [
                {
                    "end": str(one.end),
                    "runs": one.runs,
                    "share": one.runs / self.runs,
                    "lower": one.bounds[0],
                    "upper": one.bounds[1],
                    "causes": dict(one.causes),
                }
                for one in self.ends
            ],
            "placeboFired": self.placebo,
            "alphaRevert": self.alpha,
            "historyMinutes": self.minutes,
            "runsThatDoNotOverlap": self.apart,
            "pods": self.pods,
            "nodes": self.nodes,
            "blindTo": list(BLIND_TO),
        }


def pseudo_tally(reg: Registration, past: Past, ends: Sequence[PseudoEnd]) -> PseudoTally:
    """Count them. ends: at least one."""
    n = len(ends)
    mean = sum(one.seconds for one in ends) / n
    return PseudoTally(
        runs=n,
        ends=tuple(_of(end, ends) for end in End),
        placebo=sum(one.placebo for one in ends),
        alpha=reg.budget.alpha,
        minutes=past.minutes,
        apart=max(1, int(60.0 * past.minutes / (reg.times.history + mean))),
        pods=len(past.frame(reg).units),
        nodes=len({pod.node for pod in past.pods}),
    )


def _of(end: End, ends: Sequence[PseudoEnd]) -> EndTally:
    mine = [one for one in ends if one.end is end]
    causes = Counter(one.cause for one in mine).most_common()
    return EndTally(end, len(mine), clopper_pearson(len(mine), len(ends)), tuple(causes))
