"""The fleet becomes another size in the middle of a stage."""

import pytest

from causal_rollouts.adapters.kube import DEPLOYMENT
from causal_rollouts.control.rescale import rescaled
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.registration import ArmsPlan
from causal_rollouts.model.traffic import RESCALED
from tests.unit.control.sights import NOW, fleet, registration, release, replica_set, seen, target
from tests.unit.control.stories import Story, during

REG = registration(arms=ArmsPlan(min_pods=1))


def world(replicas: int, ready: int | None = None):
    sets = (replica_set("old", replicas, ready=replicas if ready is None else ready),)
    return seen(fleet=fleet(target=target(replicas=replicas), replica_sets=sets))


@pytest.mark.parametrize("replicas", [10, 11, 12, 8])
def test_a_fleet_of_about_the_same_size_changes_nothing(replicas) -> None:
    before = release(replicas=10)
    assert rescaled(before, REG, world(replicas), NOW) == before


def test_a_fleet_that_is_still_growing_is_waited_for() -> None:
    before = release(replicas=10)
    assert rescaled(before, REG, world(30, ready=12), NOW) == before


def test_more_pods_get_more_slots_and_the_old_ones_are_relieved_first() -> None:
    after = rescaled(release(replicas=10), REG, world(30), NOW)
    assert after.replicas == 30
    slots = [p.slot.arm for p in after.desired.slots]
    assert (slots.count(Arm.CANARY), slots.count(Arm.BASELINE)) == (3, 3)
    assert (after.desired.weights.canary, after.desired.weights.baseline) == (33, 33)
    change = after.timeline[-1]
    assert (change.phase, change.stage, change.weights) == (RESCALED, 0, after.desired.weights)
    assert after.stage_since == release().stage_since


def test_fewer_pods_keep_their_slots_and_weights() -> None:
    before = release(replicas=10)
    after = rescaled(before, REG, world(4), NOW)
    assert (after.replicas, after.phase, after.desired, after.timeline) == (
        4,
        before.phase,
        before.desired,
        before.timeline,
    )


def scale(story: Story, replicas: int) -> None:
    """As an autoscaler writes it."""
    story.promises.disturbed = True
    story.edit(DEPLOYMENT, lambda target: target["spec"].update(replicas=replicas), user="autoscaler")


def test_a_stage_goes_on_with_more_slots_after_an_autoscaler_tripled_the_fleet() -> None:
    story = during("Observing", 1)
    before = len(story.world.arm_pods())
    scale(story, 30)
    assert story.run(60, until=lambda: story.phase == "Shifting"), story.path
    assert 0 < story.weight < 300
    assert story.reach("Observing", 1, seconds=120), story.path
    assert len(story.world.arm_pods()) > before
    assert story.weight == 300
    assert story.end(seconds=1200) == "Promoted"
    assert story.at_home()


def test_a_stage_goes_on_after_the_fleet_shrank() -> None:
    story = during("Observing", 0)
    scale(story, 6)
    assert story.goes_on(seconds=600), story.path
    assert story.end(seconds=1200) == "Promoted"
