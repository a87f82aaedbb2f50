"""Situations in three lines: start from an ordinary good stage and say what is different."""

from __future__ import annotations

import math
from dataclasses import replace

from causal_rollouts.decision.situation import Facts, Situation
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.evidence import Evidence, MetricEvidence, Process, ShareTest
from causal_rollouts.model.footprint import Footprint, Per
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from causal_rollouts.model.reasons import Phase, Validity
from causal_rollouts.model.registration import Registration, Stage
from causal_rollouts.model.release import Release

LATENCY = Metric(
    "latency", MetricKind.LATENCY, "http_server_request_duration_seconds", Margins(0.05, 0.10), Gating.BOTH
)
LADDER = (Stage(50, 300, 1800), Stage(250, 300, 1800))
START = 10_000.0


def registration(**changes: object) -> Registration:
    plain = Registration(
        release="checkout-1",
        namespace="shop",
        target="checkout",
        seed=1,
        grid=Grid(30.0, 32.0, 15.0),
        stages=LADDER,
        metrics=(LATENCY,),
    )
    return replace(plain, **changes)


def metric(**changes: object) -> MetricEvidence:
    plain = MetricEvidence(
        name="latency",
        kind=MetricKind.LATENCY,
        gating=Gating.BOTH,
        validity=Validity.OK,
        effect=0.0,
        lower=-0.03,
        upper=0.03,
        log_e_harm=-math.inf,
        log_e_safe=4.0,
        log_e_stage=1.0,
        harm_margin=0.049,
        safe_margin=0.095,
        threshold_advance=1.0,
        threshold_promote=2.5,
    )
    return replace(plain, **changes)


def evidence(**changes: object) -> Evidence:
    plain = Evidence(
        bin=400,
        log_harm=-2.0,
        log_threshold=math.log(100),
        processes=(Process("latency", MetricKind.LATENCY, 380, -1.0, -1.3),),
        metrics=(metric(),),
        share=ShareTest(ok=True, requests=5000, observed=0.05, intended=0.05),
        validity=Validity.OK,
        why_invalid="",
        fresh=True,
        shared=0.0,
        shared_margin=0.095,
        placebo=0.0,
        placebo_threshold=math.log(1000),
        completeness=1.0,
        stage_bins=20,
    )
    return replace(plain, **changes)


def release(**changes: object) -> Release:
    plain = Release(
        id="checkout-1",
        candidate_hash="new",
        stable_hash="old",
        stable_set="checkout-abc",
        phase=Phase.OBSERVING,
        since=START,
        stage=0,
        stage_since=START,
        replicas=10,
    )
    return replace(plain, **changes)


def good_stage(
    *,
    after: float = 600.0,
    facts: Facts | None = None,
    seen: Evidence | None = None,
    blind: bool = False,
    reg: Registration | None = None,
    **changes: object,
) -> Situation:
    """A stage in which everything speaks for a rise, but for what is named."""
    return Situation(
        registration=reg or registration(),
        release=release(**changes),
        evidence=None if blind else seen or evidence(),
        facts=facts or Facts(),
        now=START + after,
    )


def footprint(**changes: object) -> Footprint:
    """A candidate that takes half as much processor time again, with a headroom of 30%."""
    plain = Footprint(
        name="cpu",
        per=Per.REQUEST,
        effect=math.log(1.5),
        lower=math.log(1.4),
        upper=math.log(1.6),
        log_e=12.0,
        warn_above=0.1,
        canary=0.03,
        baseline=0.02,
        present=8.0,
        requests=400.0,
        pods=math.nan,
        headroom=0.3,
    )
    return replace(plain, **changes)
