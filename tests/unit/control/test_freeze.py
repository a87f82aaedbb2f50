"""A freeze in the embedded world: a release waits for its end, one that runs holds, harm still reverts."""

from causal_rollouts.analysis.replay import replay
from causal_rollouts.decision.freeze import instant
from e2e.embedded.apiserver import OPERATOR
from tests.unit.analysis.live_releases import recorded
from tests.unit.control.stories import Story, tell

BEGIN = 1_800_000_000.0
"""Of the embedded world; its history is over after 640 s."""


def frozen(start: float, end: float) -> dict[str, object]:
    return {"freeze": [{"from": instant(BEGIN + start), "to": instant(BEGIN + end)}]}


def until(story: Story, seconds: float) -> None:
    story.run(BEGIN + seconds - story.world.api.time)


def test_a_frozen_release_does_not_start_and_waiting_writes_nothing() -> None:
    story = tell(policy=frozen(0, 900))
    story.request("good")
    story.run(20)
    ready = story.condition("Ready")
    assert (ready["status"], ready["reason"]) == ("Unknown", "Frozen")
    assert f"frozen until {instant(BEGIN + 900)}" in ready["message"]
    before = len(story.world.api.writes)
    until(story, 899)
    assert [call for call in story.world.api.writes[before:] if call.user == OPERATOR] == []
    assert story.world.records() == []
    assert story.run(65, until=lambda: bool(story.world.records()))
    assert story.end() == "Promoted"


def test_going_back_is_never_frozen() -> None:
    story = tell(policy=frozen(1400, 9000))
    story.request("good")
    assert story.end(700) == "Promoted"
    until(story, 1401)
    story.request("v1")
    assert story.run(90, until=lambda: story.world.versions() == {"v1"})


def test_a_running_release_holds_in_a_freeze_and_its_replay_says_the_same() -> None:
    story = tell(policy=frozen(680, 800))
    story.request("good")
    until(story, 680)
    assert (story.phase, story.stage) == ("Observing", 0)
    until(story, 799)
    assert (story.phase, story.stage, story.weight) == ("Observing", 0, 100)
    assert story.condition("Ready")["reason"] == "Frozen"
    assert story.end() == "Promoted"
    record, recording = recorded(story.world)
    held = [d for d in record.decisions if d.decision.reason == "Frozen"]
    lines = {line.time: line for line in replay(recording)}
    assert held
    for decision in held:
        again = lines[decision.time]
        assert (again.reason, again.because) == ("Frozen", decision.decision.because)


def test_harm_reverts_in_a_freeze_and_an_abort_works() -> None:
    story = tell(policy=frozen(680, 9000))
    story.request("slow")
    until(story, 680)
    assert story.end() == "Reverted"
    other = tell(policy=frozen(680, 9000))
    other.request("good")
    until(other, 700)
    other.ask("abort", "ann:checkout-1")
    assert other.end(90) == "Aborted"


def test_a_policy_that_is_changed_meanwhile_freezes_no_running_release() -> None:
    from causal_rollouts.adapters.kube import POLICY

    story = tell()
    story.request("good")
    assert story.reach("Observing", 0)
    old = story.world.api.stored(POLICY)[0]
    new = {**old, "spec": {**old["spec"], "guardrails": frozen(0, 9000)}}
    story.world.api.change(POLICY, old, new, "git", manager="git")
    story.run(2)
    assert story.world.rollout()["status"]["pendingSpec"] is True
    assert story.end() == "Promoted"
