from __future__ import annotations

from dataclasses import replace

import pytest

from causal_rollouts.analysis.manifest import manifest, registration
from causal_rollouts.analysis.rows import BadRecording
from causal_rollouts.model.freeze import Recurring, Span
from causal_rollouts.model.metrics import Matcher, Metric, MetricKind
from causal_rollouts.model.reference import Reference, ReferenceKind
from causal_rollouts.model.registration import (
    ArmsPlan,
    Budget,
    Hold,
    Mode,
    OnInconclusive,
    Registration,
    Times,
)
from causal_rollouts.model.scatter import Scatter
from causal_rollouts.model.switchback import Switchback
from causal_rollouts.model.traffic import TrafficPlan
from tests.unit.analysis.recordings import SETTING, recorded

HOLD = Hold(("system:serviceaccount:ci:deployer", "bob"), 7200.0)


def back_and_forth(reg: Registration) -> Registration:
    recording = recorded()
    run = replace(recording.run, grid=reg.grid, seed=reg.seed, release=reg.release, scatter=reg.scatter)
    return registration(replace(recording, manifest=manifest(reg), run=run))


def comparable(reg: Registration) -> Registration:
    """The order of the kinds has no meaning."""
    return replace(reg, budget=replace(reg.budget, kinds=tuple(sorted(reg.budget.kinds))))


@pytest.mark.parametrize("kinds", [("HTTPRoute",), ("GRPCRoute",), ("HTTPRoute", "GRPCRoute")])
def test_a_registration_survives_its_manifest(kinds: tuple[str, ...]):
    plain = SETTING.registration(5)
    routes = tuple((kind, "edge") for kind in kinds)
    reg = replace(plain, traffic=TrafficPlan("shop", routes, target=plain.target))
    assert comparable(back_and_forth(reg)) == comparable(reg)


@pytest.mark.parametrize("service", ["shop", ""], ids=["behind a Service", "workers"])
def test_a_share_of_pods_survives_its_manifest(service: str):
    plain = SETTING.registration(5)
    ladder = tuple(
        replace(stage, weight=weight) for stage, weight in zip(plain.stages, (100, 330), strict=False)
    )
    arms = replace(plain.arms, pod_share=True)
    reg = replace(plain, traffic=TrafficPlan(service, (), target=plain.target), stages=ladder, arms=arms)
    assert comparable(back_and_forth(reg)) == comparable(reg)


def test_every_choice_survives_its_manifest():
    plain = SETTING.registration(5)
    of = Metric(
        "failed", MetricKind.ERRORS, "failed_total", plain.metrics[0].margins, plain.metrics[0].gating
    )
    reg = replace(
        plain,
        metrics=(
            replace(plain.metrics[0], ignore=(Matcher((("route", "/healthz"),)),)),
            replace(of, of="done_total"),
            *plain.metrics[1:],
        ),
        stages=tuple(
            replace(stage, approvals=2, approval_expires=3600.0, hold_before=HOLD, hold_after=Hold(("qa",)))
            for stage in plain.stages
        ),
        arms=ArmsPlan(4, 2.0, 150),
        budget=Budget(alpha=0.005, first_window=0.5, advance=1.5, promote_continuous=2.0, promote_counts=2.0),
        times=Times(history=1200.0, warm_up=3, blackout=1, bake=60.0),
        min_completeness=0.9,
        mode=Mode.OBSERVE,
        on_inconclusive=OnInconclusive.REVERT,
        freeze=(Recurring("0 18 * * 5", 216_000.0, "Europe/Berlin"), Span(1_800_000_000.0, 1_800_003_600.0)),
        probe=Switchback(after=4, probes=2, cycles=8, shortest=5, longest=9, share=0.2),
        scatter=(Scatter("latency", 1.7, 12.5),),
        reference=Reference(ReferenceKind.SERVICE, "basket"),
    )
    assert replace(comparable(back_and_forth(reg)), traffic=reg.traffic) == comparable(reg)


def test_what_cannot_be_run_is_said_with_its_field():
    broken = dict(recorded().manifest)
    broken["spec"] = {**broken["spec"], "stages": [{"weight": 90, "minDuration": "5m", "maxDuration": "5m"}]}
    with pytest.raises(BadRecording, match=r"rollout.yaml: spec\.stages\[0\]\.weight"):
        registration(replace(recorded(), manifest=broken))
