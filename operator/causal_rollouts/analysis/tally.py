"""What many simulated releases came to, with the bounds that so many runs allow."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from causal_rollouts.analysis.simulated_release import End, Ended
from causal_rollouts.stats.binomial import clopper_pearson


@dataclass(frozen=True, slots=True)
class Tally:
    """Runs of one scenario. upper bounds are 97.5% one-sided.

    to_revert: median seconds from the first weight on the candidate to the revert, None without any.
    to_promote: the same of promotions. late: reverts after the decision to promote. causes: of reverts.
    """

    runs: int
    reverted: int
    promoted: int
    paused: int
    reverted_bounds: tuple[float, float]
    promoted_bounds: tuple[float, float]
    to_revert: float | None
    to_revert_90: float | None
    to_promote: float | None
    late: int
    placebo: int
    causes: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, int], ...]


def tally(runs: Sequence[Ended]) -> Tally:
    """Count them. runs: at least one."""
    n = len(runs)
    reverted = [run for run in runs if run.end is End.REVERTED]
    promoted = [run for run in runs if run.end is End.PROMOTED]
    delays = sorted(run.seconds for run in reverted)
    return Tally(
        runs=n,
        reverted=len(reverted),
        promoted=len(promoted),
        paused=n - len(reverted) - len(promoted),
        reverted_bounds=clopper_pearson(len(reverted), n),
        promoted_bounds=clopper_pearson(len(promoted), n),
        to_revert=statistics.median(delays) if delays else None,
        to_revert_90=delays[min(len(delays) - 1, int(0.9 * len(delays)))] if delays else None,
        to_promote=statistics.median(run.seconds for run in promoted) if promoted else None,
        late=sum(run.promoted for run in reverted),
        placebo=sum(run.placebo for run in runs),
        causes=tuple(Counter(run.cause for run in reverted).most_common()),
        reasons=tuple(Counter(run.cause for run in runs if run.end is End.PAUSED).most_common()),
    )
