"""Footprints as users meet them: a condition, one event for each warning, a line in the record."""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.adapters.kube import EVENT
from causal_rollouts.analysis.simulation.climate import Climate, Consumption, Harm
from causal_rollouts.control import view
from causal_rollouts.control.footprints import untold
from causal_rollouts.control.ledger import log_decision
from causal_rollouts.control.look import Looked
from causal_rollouts.model.decision import Decision
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from causal_rollouts.model.reasons import Act, Reason, Verdict
from e2e import rollouts
from e2e.embedded.world import EmbeddedWorld
from tests.unit.control.promises import WatchedApi
from tests.unit.control.sights import NOW, record, registration, rollout, seen
from tests.unit.control.stories import HISTORY, Story
from tests.unit.decision.situations import LATENCY, evidence, footprint

GATHERING = Decision(Verdict.INCONCLUSIVE, Act.HOLD, Reason.GATHERING_EVIDENCE, "1.0 of 2.5")
BETWEEN = Decision(Verdict.INCONCLUSIVE, Act.HOLD, Reason.BETWEEN_LOOKS, "the next look is not due yet")
CPU = Metric("cpu", MetricKind.FOOTPRINT, "cpu_total", Margins(0.1, 0.3), Gating.REPORT_ONLY, of="http_total")
MEASURED = replace(record(), registration=registration(metrics=(LATENCY, CPU)))
GREW = Looked(evidence(footprints=(footprint(),)))


def steady(looked: Looked, state=MEASURED, decision: Decision = GATHERING, **changes):
    status = view.running(seen(**changes), state, decision, looked, NOW)
    found = [c for c in status["conditions"] if c["type"] == "FootprintSteady"]
    return (found[0]["status"], found[0]["reason"], found[0]["message"], status) if found else None


def test_the_condition_says_what_grew_and_stands_between_looks() -> None:
    holds, reason, message, status = steady(GREW)
    assert (holds, reason) == ("False", "OverHeadroom")
    assert "cpu +50.0%" in message
    assert steady(Looked(), decision=BETWEEN, rollout=rollout(status=status))[:3] == (holds, reason, message)
    calm = steady(Looked(evidence(footprints=(footprint(log_e=0.0, headroom=1.0),))))
    assert calm[:2] == ("True", "Ok")
    assert "the headroom of +100% suffices" in calm[2]


def test_a_release_without_footprints_has_no_such_condition() -> None:
    assert steady(Looked(evidence()), record()) is None


def test_each_warning_is_logged_and_told_once_also_when_it_comes_and_goes() -> None:
    first = log_decision(MEASURED, GATHERING, Looked(evidence()), NOW)
    warned = log_decision(first, GATHERING, GREW, NOW + 30)
    assert len(warned.decisions) == len(first.decisions) + 1
    assert warned.decisions[-1].evidence["footprints"][0]["name"] == "cpu"
    assert warned.release.warned == ("cpu/OverHeadroom",)
    calm = log_decision(warned, GATHERING, Looked(evidence()), NOW + 60)
    again = log_decision(calm, GATHERING, GREW, NOW + 90)
    assert again.decisions == warned.decisions
    assert list(untold(again.release, GREW.evidence)) == []
    assert [reason for _, reason, _ in untold(first.release, GREW.evidence)] == [Reason.OVER_HEADROOM]


def _hungry(room: str, *, hold: bool) -> Story:
    consumption = Consumption(calls=1.0, pods=0.02, nodes=0.02)
    climate = Climate(consumption=consumption)
    world = EmbeddedWorld(climate, {"greedy": Harm(calls=3.0)}, api=WatchedApi(), replicas=10, seed=1)
    world.run(HISTORY)
    story = Story(world)
    calls = {
        "name": "calls",
        "footprint": {
            "counter": "backend_requests_total",
            "per": "http_server_requests_total",
            "headroom": room,
            **({"overHeadroom": "Hold"} if hold else {}),
        },
    }
    story.apply({"metrics": [*rollouts.metrics(), calls]}, {})
    story.run(2)
    return story


def test_three_calls_for_one_are_told_in_the_first_stage_and_held_where_asked() -> None:
    story = _hungry("50%", hold=True)
    story.request("greedy")
    assert story.run(600, until=lambda: story.condition("FootprintSteady").get("reason") == "OverHeadroom")
    assert story.stage == 0
    assert "backend" not in story.condition("FootprintSteady")["message"]
    assert "calls +" in story.condition("FootprintSteady")["message"]
    events = [e for e in story.world.api.stored(EVENT) if e["reason"] == "OverHeadroom"]
    assert [e["type"] for e in events][:1] == ["Warning"]
    assert story.run(300, until=lambda: "OverHeadroom" in story.reasons())
    story.run(60)
    assert (story.stage, story.acts()) == (0, [])
