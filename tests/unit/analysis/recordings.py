"""Small simulated recordings for the tests, made once a session."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

from causal_rollouts.analysis.recording import Recording
from causal_rollouts.analysis.simulate import simulate
from causal_rollouts.analysis.simulation.climate import (
    Climate,
    Failures,
    Harm,
    Incident,
    Load,
    Scraping,
    Unevenness,
    Wander,
)
from causal_rollouts.analysis.simulation.setting import EPOCH, Setting
from causal_rollouts.model.registration import Stage

QUIET = Climate(
    load=Load(per_second=400.0),
    unevenness=Unevenness(pods=0.02, nodes=0.02, drift=Wander(0.005, 120.0), wobble=Wander(0.03, 60.0)),
    failures=Failures(share=0.003, pods=0.05),
)
STAGES = (Stage(100, 300.0, 1800.0), Stage(300, 300.0, 1800.0))
SETTING = Setting(QUIET, replicas=12, nodes=6, stages=STAGES, stage_seconds=(420.0, 420.0))


@cache
def recorded(slower: float = 0.0, errors: float = 0.0, seed: int = 3) -> Recording:
    """A release whose candidate is slower (a factor less one) and fails more (share of requests)."""
    return simulate(replace(SETTING, harm=Harm(slower=math.log1p(slower), errors=errors)), seed)


@cache
def struck(seed: int = 3) -> Recording:
    """A harmless release in which the whole service is 80% slower for three minutes of the first stage."""
    incident = Incident(EPOCH + 200.0, 180.0, slower=math.log(1.8))
    return simulate(replace(SETTING, climate=replace(QUIET, incidents=(incident,))), seed)


@cache
def unseen(seed: int = 3) -> Recording:
    """A harmless release of which nothing reaches Prometheus from the middle of the first stage on."""
    outage = Scraping(outages=((EPOCH + 250.0, 10_000.0),))
    return simulate(replace(SETTING, climate=replace(QUIET, scraping=outage)), seed)
