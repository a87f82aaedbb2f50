"""A record made by hand: one latency metric that turns bad, one count without an upper bound, a lone look."""

import math
from dataclasses import replace

from causal_rollouts.model.bins import Grid
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from causal_rollouts.model.reasons import Act, Outcome, Phase, Reason, Verdict
from causal_rollouts.model.registration import Registration, Stage
from causal_rollouts.model.release import Release, Templates
from causal_rollouts.model.trace import Point, Reading
from causal_rollouts.model.traffic import HOME, Change, Weights
from causal_rollouts.model.world import Key
from causal_rollouts.ports import LoggedDecision, Record

BEGIN = 1_800_000_000.0
NAN, INF = math.nan, math.inf
LATENCY = Metric("latency", MetricKind.LATENCY, "seconds", Margins(0.05, 0.1), Gating.BOTH)
ERRORS = Metric("errors", MetricKind.ERRORS, "requests", Margins(0.25, 0.5), Gating.BOTH)
RESTARTS = Metric("restarts", MetricKind.RESTARTS, "restarts", Margins(1.0, 1.0), Gating.REVERT_ONLY)

LATENCIES = (
    Reading("latency", NAN, NAN, NAN, -INF, -INF),
    Reading("latency", 0.02, -0.1, 0.15, -INF, 0.4),
    Reading("latency", NAN, -INF, INF, -INF, 0.4),
    Reading("latency", 0.2, 0.08, 0.35, 3.1, -1.0),
    Reading("latency", 0.4, 0.25, 0.6, 7.5, -4.0),
)
COUNTS = (
    Reading("errors", NAN, NAN, NAN, -INF, -INF),
    Reading("errors", NAN, -INF, INF, -INF, 0.0),
    Reading("errors", -1.7, -INF, 2.1, -INF, 30.0),
    Reading("errors", 0.1, -INF, 1.1, -INF, 40.0),
    Reading("errors", 0.1, -0.9, 1.0, -INF, 55.0),
)


def record(name="checkout-7", because="latency +49%", metrics=(LATENCY, ERRORS, RESTARTS), **release):
    state = Release(
        id=name,
        candidate_hash="c",
        stable_hash="s",
        stable_set="checkout-s",
        phase=Phase.DONE,
        since=BEGIN + 600,
        stage=1,
        outcome=Outcome.REVERTED,
        why=because,
        timeline=(
            Change(BEGIN + 60, 0, Weights(100, 100)),
            Change(BEGIN + 300, 1, Weights(300, 200)),
            Change(BEGIN + 590, 1, HOME),
        ),
    )
    return Record(
        name=name,
        uid="u",
        version="1",
        key=Key("shop", "checkout"),
        rollout_uid="r",
        registration=Registration(
            release=name,
            namespace="shop",
            target="checkout",
            seed=5,
            grid=Grid(10.0, 11.0, 5.0),
            stages=(Stage(100, 60.0, 600.0), Stage(300, 60.0, 600.0)),
            metrics=metrics,
        ),
        templates=Templates({}, {}),
        release=replace(state, **release),
        state=None,
        seq=9,
        decisions=(
            decision(0, Act.HOLD, Reason.WAITING_FOR_HISTORY, Verdict.NO_DATA, because),
            decision(299, Act.ADVANCE, Reason.SAFETY_PROVEN, Verdict.SAFE, because),
            decision(590, Act.REVERT, Reason.HARM_PROVEN, Verdict.HARM, because),
        ),
        final=True,
        trace=tuple(
            Point(BEGIN + 100 * (i + 1), min(i, 1), 100 + 50 * i, LATENCIES[i].harm, "Inconclusive", pair)
            for i, pair in enumerate(zip(LATENCIES, COUNTS, strict=True))
        ),
    )


def decision(after, act, reason, verdict, because):
    return LoggedDecision(BEGIN + after, 1, Decision(verdict, act, reason, because), 0, 100, {})
