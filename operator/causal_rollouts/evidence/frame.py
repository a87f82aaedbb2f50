"""What the statistics need to know of the fleet, and the tables they read.

The engines (continuous, counts, restarts) never see pods, series or routes:
a frame names the units and when each one counts, a table holds their numbers.
All bins are absolute indices of the grid; columns of a table start at `first`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from causal_rollouts.model.arms import Arm
from causal_rollouts.model.switchback import Standing
from causal_rollouts.stats.mixed_gls import News

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Unit:
    """A slot or a stable pod. `ready`: bin it became ready in (of a slot: of its first pod).

    Stable units are only those with history: older than warm-up before the first stage.
    gone: of a stable pod, the bin it was deleted in; its past leaves the node's rows with it.
    """

    id: str
    arm: Arm
    node: str
    ready: int
    gone: int | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """State of the design at one look.

    t0: first bin of the first stage (weights changed in or before it); None before the first stage.
    windows: start bins of the windows so far, t0 first, then every later stage start.
    planned: number of stages registered (so later windows can share their weight).
    exposed: node -> bin from which a canary was ready on it (at least t0); absent: pure.
    excluded: bins in blackout, all units.
    until_stable: bin from which stable rows and neighbours no longer count (promotion), or None.
    now: newest bin consumed by this look.
    twins: both arms run the stable template: what differs between them is no release.
    before: [first, end) of the pre-period that lies behind this release, None where there was none.
    probe: the one that runs, None where none does.
    """

    units: tuple[Unit, ...]
    t0: int | None
    windows: tuple[int, ...]
    planned: int
    exposed: Mapping[str, int]
    excluded: frozenset[int]
    until_stable: int | None
    now: int
    warm_up: int
    twins: bool = False
    before: tuple[int, int] | None = None
    probe: Standing | None = None


@dataclass(frozen=True, slots=True)
class HistogramBins:
    """Increments of bucket counts.

    counts[u, b, k]: requests of unit u in bin b with latency in (edges[k-1], edges[k]], k = K-1 being above
    the last finite edge; edges holds the K-1 finite ones. lost[u, b]: no sample of the unit ended in this bin
    though it should have.
    """

    ids: tuple[str, ...]
    first: int
    edges: Floats
    counts: Floats
    lost: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CountBins:
    """Events among exposure (requests), both [u, b]; lost as above."""

    ids: tuple[str, ...]
    first: int
    events: Floats
    exposure: Floats
    lost: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FootprintBins:
    """Use and the requests that it was for, both [u, b]; of a gauge its mean, and pods instead of requests.

    lost as above, where either is missing. gauge: the second number is pods. fleet[b]: requests a second of
    all pods that were seen, whoever counts as a unit; of a gauge, stable pods.
    """

    ids: tuple[str, ...]
    first: int
    use: Floats
    requests: Floats
    lost: NDArray[np.bool_]
    fleet: Floats
    gauge: bool


@dataclass(frozen=True, slots=True)
class LevelBins:
    """A continuous outcome that needs no buckets: mean log level of n observations, both [u, b].

    n is 0 where nothing was observed; lost as above. clip: log deviation from the common level up to which
    a bin is believed.
    """

    ids: tuple[str, ...]
    first: int
    n: Floats
    level: Floats
    lost: NDArray[np.bool_]
    clip: float


@dataclass(frozen=True, slots=True)
class RestartBins:
    """Restarts and pod-seconds at risk, both [u, b]."""

    ids: tuple[str, ...]
    first: int
    restarts: Floats
    seconds: Floats


@dataclass(frozen=True, slots=True)
class Track:
    """One e-process of a finding.

    window: its start. log_e: log e-value for harm, credit included; -inf while the estimate is below the
    harm margin. share: of the metric's weight over the tracks of one window.
    """

    window: int
    log_e: float
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one engine says of one question at one look; effects as log ratios, nan where unknown.

    harm_margin and safe_margin are log ratios as resolved (points and base rates applied).
    log_e_stage: safety evidence of the newest window alone (>= 0: the stage does not contradict).
    se: standard error of the effect, nan where the engine knows none. scatter: what arms of one template
    tell of fresh pods, None of a release and where too few stand. naive: what a plain comparison of the
    canary's pods with all stable pods would have said; told, never used.
    """

    tracks: tuple[Track, ...]
    effect: float
    lower: float
    upper: float
    log_e_safe: float
    log_e_stage: float
    harm_margin: float
    safe_margin: float
    identified: bool = True
    note: str = ""
    se: float = math.nan
    naive: float = math.nan
    scatter: News | None = None


@dataclass(frozen=True, slots=True)
class Lottery:
    """Variance components of latency that exceedance counts borrow (gate-findings section 3)."""

    sig_p2: float
    df_p: float
    gam: float
    phi: float
    df_g: float
