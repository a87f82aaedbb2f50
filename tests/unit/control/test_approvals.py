"""People who approve, in the embedded world: counted once each, for one step, and on record."""

from causal_rollouts.adapters.record_form import record_of
from causal_rollouts.analysis.recording import read, write
from causal_rollouts.analysis.replay import replay
from causal_rollouts.web.report import page
from tests.unit.analysis.live_releases import recorded
from tests.unit.control.stories import Story, tell


def ladder(required: int) -> dict[str, object]:
    stages = [{"weight": w, "minDuration": "30s", "maxDuration": "15m"} for w in (10, 30)]
    return {"stages": [{**stages[0], "approval": {"required": required}}, stages[1]]}


def waiting(story: Story) -> bool:
    return story.reach("AwaitingApproval", seconds=200)


def test_two_people_let_a_stage_go_on_and_the_replay_says_the_same(tmp_path) -> None:
    story = tell(policy=ladder(2))
    story.request("good")
    assert waiting(story)
    story.ask("approve", "ann:checkout-1/1 looks fine")
    story.run(40)
    assert (story.phase, story.weight) == ("AwaitingApproval", 100)
    assert story.world.rollout()["metadata"].get("annotations", {}) == {}
    assert "waits for 1 more of 2 approvals (ann did)" in story.condition("Ready")["message"]
    story.ask("approve", "ann:checkout-1/1 once more")
    story.run(40)
    assert story.phase == "AwaitingApproval"
    story.ask("approve", "bob:checkout-1/1")
    assert story.end() == "Promoted"
    record, recording = recorded(story.world)
    heard = [(r.verb, r.user, r.reason) for r in record.requests]
    assert heard == [
        ("approve", "ann", "looks fine"),
        ("approve", "ann", "once more"),
        ("approve", "bob", ""),
    ]
    (advance,) = [d for d in record.decisions if d.decision.act == "Advance"]
    assert "approved by ann, bob" in advance.decision.because
    assert "looks fine" in page("x", [record])
    write(recording, tmp_path)
    lines = {line.time: line for line in replay(read(tmp_path))}
    asked = [d for d in record.decisions if d.decision.reason in {"AwaitingApproval", "SafetyProven"}]
    assert [lines[d.time].because for d in asked] == [d.decision.because for d in asked]


def test_an_approval_for_another_step_for_nobody_or_too_early_does_nothing() -> None:
    story = tell(policy=ladder(1))
    story.request("good")
    assert story.reach("Observing", 0)
    for value in ("true", "ann:checkout-1/1"):
        story.ask("approve", value)
        story.run(2)
    assert waiting(story)
    for value in ("ann:checkout-1/2", "ann:checkout-7/1", "ann:checkout-1", "checkout-1/1", "true"):
        story.ask("approve", value)
        story.run(12)
        assert story.world.rollout()["metadata"].get("annotations", {}) == {}, value
        assert story.phase == "AwaitingApproval", value
    assert record_of(story.world.newest()).requests == ()


def test_harm_that_shows_while_people_think_reverts() -> None:
    story = tell(policy=ladder(1))
    story.request("late")
    assert waiting(story)
    assert story.end() == "Reverted"
    assert story.canary == [0, 100, 0]


def test_in_recommend_a_person_decides_also_about_a_revert() -> None:
    story = tell(policy={"mode": "Recommend"})
    story.request("slow")
    assert waiting(story)
    assert "Revert is due" in story.condition("Ready")["message"]
    story.run(40)
    assert story.weight == 100
    story.ask("approve", "ann:checkout-1/1")
    assert story.end() == "Reverted"


def test_a_pause_while_it_waits_goes_on_where_it_was_and_every_request_is_kept_with_its_reason() -> None:
    story = tell(policy=ladder(1))
    story.request("good")
    assert waiting(story)
    story.ask("pause", "ann:checkout-1 lunch")
    story.run(3)
    assert story.phase == "Paused"
    story.ask("resume", "ann:checkout-1 back")
    story.run(20)
    assert waiting(story)
    story.ask("abort", "bob:checkout-1 wrong branch")
    assert story.end(90) == "Aborted"
    record = record_of(story.world.newest())
    assert record.release.why == "aborted by bob (wrong branch)"
    assert [(r.verb, r.reason) for r in record.requests] == [
        ("pause", "lunch"),
        ("resume", "back"),
        ("abort", "wrong branch"),
    ]
    story.ask("retry", "ann:checkout-1 right branch now")
    story.run(5)
    assert [(r.verb, r.reason) for r in record_of(story.world.newest()).requests] == [
        ("retry", "right branch now")
    ]
