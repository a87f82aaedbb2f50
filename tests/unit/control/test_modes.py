"""Observe only tells; AlwaysPaused gates without an admission policy."""

from causal_rollouts.adapters.kube import EVENT, GATE_LABEL
from e2e.embedded.apiserver import OPERATOR
from tests.unit.control.stories import DEPLOYMENT, tell

OBSERVE = {"mode": "Observe", "bake": "5s"}


def test_in_observe_mode_stages_move_by_time_and_harm_is_only_told() -> None:
    story = tell(policy=OBSERVE)
    story.request("slow")
    assert story.end() == "Promoted"
    assert story.canary == [0, 100, 300, 0]
    assert story.reasons().count("TimePassed") == 2
    harms = [d["decision"] for d in story.world.decisions() if d["decision"]["verdict"] == "Harm"]
    assert harms
    watched = [d for d in harms if d["reason"] in {"StageTooYoung", "TimePassed"}]
    said = "mode Observe: the gate would revert now, since the candidate causes harm: latency +"
    assert watched
    assert all(said in d["because"] for d in watched)
    assert any(said in event["note"] for event in story.world.api.stored(EVENT))


def test_in_observe_mode_a_tripwire_acts() -> None:
    story = tell(policy=OBSERVE)
    story.request("good", CRASH_AFTER="3")
    assert story.end(seconds=60) == "Reverted"
    assert "CrashLoop" in story.reasons()


def test_in_observe_mode_nothing_moves_without_metrics() -> None:
    story = tell(policy=OBSERVE)
    story.request("good")
    assert story.reach("Observing", 0)
    story.world.metrics.away = "gone"
    story.run(150)
    assert (story.phase, story.stage, story.weight) == ("Observing", 0, 100)
    story.world.metrics.away = ""
    assert story.end() == "Promoted"


def test_always_paused_holds_back_a_template_without_an_admission_policy() -> None:
    story = tell(policy={"gate": "AlwaysPaused"})
    assert story.world.target()["spec"]["paused"] is True
    story.world.api.bypass.add("ann")
    story.edit(DEPLOYMENT, lambda t: t["metadata"]["labels"].update({GATE_LABEL: "disabled"}), user="ann")
    story.request("good")
    assert story.end() == "Promoted"
    assert story.world.versions() == {"good"}
    story.run(5)
    assert story.world.target()["spec"]["paused"] is True
    assert story.condition("Ready")["status"] == "True"
    before = len(story.world.api.writes)
    story.run(130)
    assert [call for call in story.world.api.writes[before:] if call.user == OPERATOR] == []


def test_always_paused_lets_a_template_go_back() -> None:
    story = tell(policy={"gate": "AlwaysPaused"})
    story.request("good")
    assert story.end() == "Promoted"
    story.run(5)
    story.request("v1")
    assert story.run(60, until=lambda: story.world.versions() == {"v1"})
    story.run(10)
    assert len(story.world.records()) == 1
    assert story.world.target()["spec"]["paused"] is True


def test_a_deployment_without_the_label_of_the_gate_gets_it() -> None:
    story = tell()
    story.world.api.bypass.add("ann")
    story.edit(DEPLOYMENT, lambda t: t["metadata"]["labels"].update({GATE_LABEL: "disabled"}), user="ann")
    story.run(3)
    assert story.world.target()["metadata"]["labels"][GATE_LABEL] == "enabled"
