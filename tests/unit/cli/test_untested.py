"""What `explain` says that the evidence of a release does not speak of."""

from dataclasses import replace

from causal_rollouts.cli.untested import untested
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.segment import Axis, Segment
from causal_rollouts.model.switchback import Switchback
from tests.unit.analysis.live_releases import recorded, story


def slow():
    record, _ = recorded(story("slow"))
    return record


def asked(record, **changes):
    return replace(record, registration=replace(record.registration, **changes))


def test_what_was_not_looked_at_is_named():
    lines = untested(slow())
    assert "single routes, zones or kinds of machines: no segments are asked for" in lines
    assert "what it uses for each request: no footprint is named" in lines
    assert "whether it slows everybody down: no probe, so that would only hold it" in lines
    assert any(
        line.startswith("more than 10% of the traffic, and harm that comes later than ") for line in lines
    )
    assert not any(line.startswith("errors: no metric") for line in lines)


def test_what_was_looked_at_is_not():
    record = slow()
    latency = record.registration.metrics[0]
    part = replace(latency, name="latency[zone=a]", segment=Segment("latency", Axis.ZONE, "a"))
    use = replace(latency, name="cpu", kind=MetricKind.FOOTPRINT, gating=Gating.REPORT_ONLY)
    whole = asked(record, segments=(part,), probe=Switchback(), metrics=(*record.registration.metrics, use))
    said = " ".join(untested(whole))
    for words in ("segments", "footprint", "probe", "only reported"):
        assert words not in said


def test_kinds_that_nobody_measures_and_metrics_that_only_report_are_named():
    record = slow()
    latency, *_ = record.registration.metrics
    mute = replace(latency, gating=Gating.REPORT_ONLY)
    lines = untested(asked(record, metrics=(mute,)))
    assert "errors: no metric of this kind" in lines
    assert "restarts: no metric of this kind" in lines
    assert "only reported, whatever they show: latency" in lines


def test_places_in_which_it_never_ran_are_named():
    record = slow()
    pods = record.release.pods
    assert pods
    assert not any("none of the candidate did" in line for line in untested(record))
    canary = next(pod for pod in pods if pod.arm is Arm.CANARY)
    stable = [pod for pod in pods if pod.arm is Arm.STABLE and pod.deleted is None]
    moved = tuple(
        replace(pod, zone="zone-x", machine="large") if pod in stable[:2] else replace(pod, zone=canary.zone)
        for pod in pods
    )
    lines = untested(replace(record, release=replace(record.release, pods=moved)))
    assert f"zone-x/large: 2 of {len(stable)} stable pods run there, and none of the candidate did" in lines
    fresh = tuple(replace(pod, ready=None) if pod.arm is Arm.CANARY else pod for pod in moved)
    unready = replace(record, release=replace(record.release, pods=fresh))
    assert not any("none of the candidate did" in line for line in untested(unready)), "nothing ran anywhere"


def test_before_any_traffic_there_is_no_reach():
    record = slow()
    unmoved = replace(record, release=replace(record.release, timeline=()))
    assert not any("of the traffic" in line for line in untested(unmoved))
