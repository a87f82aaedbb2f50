"""Footprints in a manifest: what they become, and what a policy does not let a rollout loosen."""

from __future__ import annotations

import pytest

from causal_rollouts.analysis.manifest import manifest
from causal_rollouts.api.reach import out_of_reach
from causal_rollouts.model.metrics import Gating, MetricKind
from tests.unit.api.specs import latency, problems, resolved, spec

CPU = {"counter": "cpu_seconds_total", "per": "http_total", "headroom": "30%", "overHeadroom": "Hold"}
MEMORY = {"gauge": "memory_bytes"}


def metrics(**footprints: object) -> list[dict[str, object]]:
    return [latency(), *({"name": name, "footprint": said} for name, said in footprints.items())]


def test_a_footprint_is_read_with_its_headroom_and_only_reports():
    _, cpu, memory = resolved(spec(metrics=metrics(cpu=CPU, memory=MEMORY))).registration.metrics
    assert (cpu.kind, cpu.gating, cpu.of) == (MetricKind.FOOTPRINT, Gating.REPORT_ONLY, "http_total")
    assert (cpu.headroom, cpu.waits, cpu.margins.revert_above) == (0.3, True, 0.1)
    assert cpu.reads == ("cpu_seconds_total", "http_total")
    assert (memory.headroom, memory.waits, memory.reads) == (None, False, ("memory_bytes",))
    assert (cpu.counts_requests, memory.counts_requests) == (False, False)


def test_a_registration_with_footprints_writes_a_manifest_that_resolves_to_it():
    registration = resolved(spec(metrics=metrics(cpu=CPU, memory={**MEMORY, "warnAbove": "5%"}))).registration
    again = resolved(manifest(registration)["spec"]).registration  # type: ignore[arg-type]
    assert again.metrics == registration.metrics


def test_footprints_alone_prove_no_release_safe():
    found = out_of_reach(resolved(spec(metrics=metrics(cpu=CPU)[1:])).registration)
    assert any("no release could be proven safe" in str(problem) for problem in found)


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        ({**CPU, "headroom": "60%"}, "footprint.headroom: 60% is wider than the policy's"),
        ({"counter": "cpu_seconds_total", "per": "http_total"}, "footprint.headroom: is missing"),
        ({**CPU, "overHeadroom": "Warn"}, "footprint.overHeadroom: acts less than the policy's"),
    ],
)
def test_a_required_footprint_cannot_be_given_more_room(mine: dict[str, str], said: str):
    policy = {"defaults": {"metrics": metrics(cpu=CPU)}, "guardrails": {"requiredMetrics": ["cpu"]}}
    found = problems(spec(metrics=metrics(cpu=mine)), policy)
    assert any(said in line for line in found), found
    assert problems(spec(metrics=metrics(cpu={**CPU, "headroom": "20%"})), policy) == []


def test_a_required_footprint_is_not_replaced_by_something_else():
    policy = {"defaults": {"metrics": metrics(cpu=CPU)}, "guardrails": {"requiredMetrics": ["cpu"]}}
    (found,) = problems(spec(metrics=[latency(), {"name": "cpu", "restarts": {}}]), policy)
    assert "is measured by restarts, not footprint" in found
    bare = {"guardrails": {"requiredMetrics": ["cpu"]}}
    assert "use a share like 30%" in problems(spec(metrics=metrics(cpu=MEMORY)), bare)[0]
