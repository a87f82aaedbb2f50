"""Parts of a metric from raw samples to evidence: who is harmed, who is not, and what nobody measures."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import pytest

from causal_rollouts.analysis.manifest import manifest, registration
from causal_rollouts.analysis.recording import Recording, read, write
from causal_rollouts.analysis.replay import replay
from causal_rollouts.analysis.replay_line import ReplayLine
from causal_rollouts.analysis.simulate import simulate
from causal_rollouts.analysis.simulation.climate import Harm
from causal_rollouts.evidence import budget
from causal_rollouts.model.metrics import Gating, Metric, MetricKind
from causal_rollouts.model.segment import Axis, Segment
from causal_rollouts.model.telemetry import Series
from causal_rollouts.stats.e_bh import e_bh
from tests.unit.analysis.recordings import SETTING, recorded


def part(whole: Metric, axis: Axis, value: str, gating: Gating = Gating.REPORT_ONLY) -> Metric:
    segment = Segment(whole.name, axis, value, "route" if axis is Axis.LABEL else "")
    return replace(whole, name=segment.name, gating=gating, segment=segment)


def cut(recording: Recording, axis: Axis, *values: str, gating: Gating = Gating.REPORT_ONLY) -> Recording:
    """The recording of a release that registered these segments of its latency."""
    reg = registration(recording)
    parts = tuple(part(reg.metrics[0], axis, value, gating) for value in values)
    return replace(recording, manifest=manifest(replace(reg, segments=parts)))


def last(recording: Recording) -> ReplayLine:
    return [line for line in replay(recording) if line.segments][-1]


def effects(line: ReplayLine) -> dict[str, float]:
    return {one.segment.value: math.expm1(one.effect) for one in line.segments}


@cache
def in_one_zone() -> Recording:
    """The candidate is twice as slow where it runs in zone-a, with five pods an arm."""
    harm = Harm(slower=math.log(2.0), zone="zone-a")
    arms = replace(SETTING.arms, min_pods=6)
    return simulate(replace(SETTING, harm=harm, replicas=24, arms=arms), 5)


@cache
def two_routes() -> Recording:
    """A service of two routes, of which the candidate makes one half as slow again."""
    fine, slow = recorded(seed=3), recorded(slower=0.5, seed=3)

    def on(route: str, of: Recording) -> tuple[Series, ...]:
        return tuple(replace(s, labels={**s.labels, "route": route}) for s in of.series if "le" in s.labels)

    rest = tuple(s for s in fine.series if "le" not in s.labels)
    return replace(fine, series=(*rest, *on("/cart", fine), *on("/pay", slow)))


def test_the_zone_that_is_harmed_is_named_and_no_other():
    line = last(cut(in_one_zone(), Axis.ZONE, "zone-a", "zone-b", "zone-c"))
    found = effects(line)
    assert found["zone-a"] > 0.5
    assert abs(found["zone-b"]) < 0.2
    assert math.isnan(found["zone-c"]), "only one arm has pods there"
    assert e_bh([one.log_e for one in line.segments], 0.05) == (True, False, False)


def test_the_route_that_is_harmed_is_named_and_no_other():
    line = last(cut(two_routes(), Axis.LABEL, "/pay", "/cart"))
    found = effects(line)
    assert found["/pay"] == pytest.approx(0.5, abs=0.15)
    assert found["/cart"] == pytest.approx(0.0, abs=0.1)
    assert e_bh([one.log_e for one in line.segments], 0.05) == (True, False)


def test_what_only_reports_changes_nothing_of_the_release():
    bare = [replace(line, segments=()) for line in replay(two_routes())]
    parts = [replace(line, segments=()) for line in replay(cut(two_routes(), Axis.LABEL, "/pay", "/cart"))]
    assert [line.json() for line in parts] == [line.json() for line in bare]


def test_a_part_that_acts_shares_the_budget_of_its_kind():
    reg = registration(cut(two_routes(), Axis.LABEL, "/pay", "/cart", gating=Gating.REVERT_ONLY))
    shares = budget.shares(reg)
    whole = budget.shares(replace(reg, segments=()))["latency", MetricKind.LATENCY]
    for name in ("latency", "latency[route=/pay]", "latency[route=/cart]"):
        assert shares[name, MetricKind.LATENCY] == pytest.approx(whole / 3)
    assert math.fsum(shares.values()) == pytest.approx(1.0)


def test_a_part_that_acts_reverts_and_is_named():
    lines = list(replay(cut(two_routes(), Axis.LABEL, "/pay", gating=Gating.REVERT_ONLY)))
    reverts = [line for line in lines if line.decision == "Revert"]
    assert reverts
    assert "latency" in reverts[0].because
    quiet = recorded(seed=3)
    series = tuple(replace(s, labels={**s.labels, "route": "/pay"}) for s in quiet.series)
    harmless = cut(replace(quiet, series=series), Axis.LABEL, "/pay", gating=Gating.REVERT_ONLY)
    assert not [line for line in replay(harmless) if line.decision == "Revert"]


def test_a_part_that_nobody_measures_says_so_and_holds_nobody_up():
    bare = list(replay(two_routes()))
    lines = list(replay(cut(two_routes(), Axis.LABEL, "/nowhere")))
    assert [line.decision for line in lines] == [line.decision for line in bare]
    (told,) = last(cut(two_routes(), Axis.LABEL, "/nowhere")).segments
    assert math.isnan(told.effect)
    assert told.log_e == -math.inf
    assert 'route="/nowhere"' in told.note
    (empty,) = last(cut(two_routes(), Axis.ZONE, "zone-of-nobody")).segments
    assert math.isnan(empty.effect)


def test_a_recording_on_disk_carries_them(tmp_path):
    made = cut(two_routes(), Axis.LABEL, "/pay")
    write(made, tmp_path / "r")
    again = [line.json() for line in replay(read(tmp_path / "r"))]
    assert again == [line.json() for line in replay(made)]
    assert '"segments": [{"name": "latency[route=/pay]"' in again[-1]
