"""Segments in a manifest: what they become, what is refused, and what a policy does not let go."""

from __future__ import annotations

import pytest

from causal_rollouts.analysis.manifest import manifest
from causal_rollouts.model.metrics import Gating, MetricKind
from causal_rollouts.model.segment import Axis, Segment
from tests.unit.api.specs import latency, problems, resolved, spec

ROUTES = {"label": "route", "values": ["/pay", "/cart"], "gating": "RevertOnly"}
ZONES = {"node": "zone", "values": ["a", "b", "c"]}


def cut(*segments: object, **more: object) -> list[dict[str, object]]:
    return [{**latency(), "segments": list(segments), **more}]


def test_each_value_is_a_metric_of_its_own_beside_the_whole():
    registration = resolved(spec(metrics=cut(ROUTES, ZONES))).registration
    (whole,) = registration.metrics
    assert whole.segment is None
    pay, cart, *zones = registration.segments
    assert (pay.name, pay.kind, pay.gating) == ("latency[route=/pay]", MetricKind.LATENCY, Gating.REVERT_ONLY)
    assert cart.segment == Segment("latency", Axis.LABEL, "/cart", "route")
    assert [(z.name, z.gating) for z in zones] == [
        (f"latency[zone={name}]", Gating.REPORT_ONLY) for name in "abc"
    ]
    assert {m.source for m in registration.asked} == {"latency"}
    assert not any(part.counts_requests for part in registration.segments)


def test_a_registration_with_segments_writes_a_manifest_that_resolves_to_it():
    many = {"label": "route", "values": [f"/{i}" for i in range(7)]}
    registration = resolved(spec(metrics=cut(ROUTES, many, ZONES))).registration
    again = resolved(manifest(registration)["spec"]).registration  # type: ignore[arg-type]
    assert again.segments == registration.segments


@pytest.mark.parametrize(
    ("segments", "said"),
    [
        ([{**ROUTES, "node": "zone"}], "label and node are two ways to cut"),
        ([{"values": ["a"]}], "label and node are two ways to cut"),
        ([{"label": "route", "values": ["/pay", "/pay"]}], "a value stands here twice"),
        ([{"label": "my-route", "values": ["/pay"]}], "write the name of a label"),
        ([{"label": "route", "values": []}], "segments[0].values"),
        ([{"node": "rack", "values": ["1"]}], "segments[0].node"),
        ([{**ROUTES, "gating": "Both"}], "segments[0].gating"),
    ],
)
def test_what_cannot_be_cut_is_said_with_its_field(segments: list[object], said: str):
    found = problems(spec(metrics=cut(*segments)))
    assert any(said in line for line in found), found


def test_more_than_a_release_can_carry_is_refused():
    many = [{"label": f"l{i}", "values": ["a", "b", "c", "d"]} for i in range(4)]
    (found,) = problems(spec(metrics=cut(*many)))
    assert "16 segments are asked for, at most 12" in found


@pytest.mark.parametrize(
    "source",
    [{"restarts": {}, "segments": [ROUTES]}, {"footprint": {"gauge": "memory_bytes"}, "segments": [ZONES]}],
)
def test_restarts_have_no_routes_and_footprints_no_segments(source: dict[str, object]):
    found = problems(spec(metrics=[latency(), {"name": "other", **source}]))
    assert any("remove the others" in line for line in found), found


def test_restarts_are_told_apart_by_zone():
    registration = resolved(
        spec(metrics=[latency(), {"name": "restarts", "restarts": {}, "segments": [ZONES]}])
    ).registration
    assert [part.kind for part in registration.segments] == [MetricKind.RESTARTS] * 3


def test_a_required_metric_keeps_the_segments_that_revert():
    policy = {"defaults": {"metrics": cut(ROUTES, ZONES)}, "guardrails": {"requiredMetrics": ["latency"]}}
    found = problems(spec(metrics=cut({**ROUTES, "values": ["/cart"]})), policy)
    assert [line for line in found if "segments: route=/pay does not revert" in line], found
    assert problems(spec(metrics=cut({**ROUTES, "gating": "ReportOnly"})), policy)
    assert problems(spec(metrics=cut(ROUTES)), policy) == []
