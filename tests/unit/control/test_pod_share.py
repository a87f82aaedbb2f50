"""Whole releases of a Service without a route: the number of pods makes the share."""

import pytest

from causal_rollouts.adapters.kube import DEPLOYMENT, POD, SERVICE, Kind
from causal_rollouts.model.traffic import POD_CONDITION
from e2e.embedded.apiserver import OPERATOR
from e2e.embedded.patches import clone
from e2e.embedded.shop import WORKERS
from tests.unit.cli.town import Town
from tests.unit.control.stories import CLIMB, Story, during, tell

FIRST, SECOND = (1, 1), (5, 2)
"""Pods of canary and baseline beside ten stable ones: nearest to 10%, and to 30% with one more baseline."""


def test_a_good_release_climbs_the_ladder_and_is_promoted() -> None:
    story = tell(routed=POD)
    service = clone(story.world.api.find(SERVICE, "shop", "checkout"))
    seen = []
    story.request("good")

    def over() -> bool:
        if not seen or seen[-1] != story.arms:
            seen.append(story.arms)
        return story.phase == "Done"

    assert story.run(900, until=over), story.path
    assert story.world.release()["outcome"] == "Promoted"
    assert seen == [(0, 0), FIRST, SECOND, (0, 0)]
    assert story.path == CLIMB
    story.run(3)
    assert story.world.versions() == {"good"}
    assert not story.world.arm_pods()
    assert story.world.api.find(SERVICE, "shop", "checkout")["spec"] == service["spec"]
    assert [s["metadata"]["name"] for s in story.world.api.stored(SERVICE, "shop")] == ["checkout"]
    assert not story.world.rollout()["metadata"].get("finalizers")


def test_the_share_on_record_is_the_one_that_pods_make() -> None:
    story = during("Observing", 1, routed=POD)
    weights = story.world.release()["desired"]["weights"]
    canaries, baselines = SECOND
    assert weights == {
        "canary": round(1000 * canaries / 17),
        "baseline": round(1000 * baselines / 17),
        "canaries": canaries,
        "baselines": baselines,
    }
    assert story.world.rollout()["status"]["weight"] == "29.4%"
    assert story.condition("TrafficApplied")["message"].startswith(
        "the pods in the traffic make canary 29.4%"
    )


EITHER = pytest.mark.parametrize("routed", [POD, WORKERS], ids=["behind a Service", "workers"])


@EITHER
@pytest.mark.parametrize(("version", "metric"), [("slow", "latency"), ("failing", "errors")])
def test_harm_is_reverted_by_evidence(version: str, metric: str, routed: Kind) -> None:
    stages = [{"weight": 30, "minDuration": "30s", "maxDuration": "15m"}]
    story = tell(routed=routed, policy={"stages": stages})
    story.request(version)
    assert story.end() == "Reverted"
    assert metric in story.world.release()["why"]
    assert story.arms == (0, 0)
    assert not story.world.arm_pods()
    assert story.world.versions() == {"v1"}
    assert story.world.errors == []


def canary_pods(story: Story) -> list[str]:
    return [name for name in story.world.arm_pods() if "-canary-" in name]


def lose_a_canary(story: Story) -> str:
    name = canary_pods(story)[0]
    story.delete(POD, name)
    return name


def test_a_pod_that_replaces_another_is_let_in_again() -> None:
    story = during("Observing", 1, routed=POD)
    lost = lose_a_canary(story)
    assert story.run(5, until=lambda: story.arms[0] == SECOND[0] - 1)
    assert story.run(20, until=lambda: story.arms == SECOND), story.arms
    assert lost not in canary_pods(story)
    assert story.world.release().get("contested", 0) == 0, "nobody else moved anything"
    assert story.end() == "Promoted"


def test_while_no_operator_runs_a_pod_that_replaces_another_stays_out() -> None:
    story = during("Observing", 1, routed=POD)
    story.world.operator_down = True
    lose_a_canary(story)
    story.run(30)
    assert story.arms == (SECOND[0] - 1, SECOND[1])
    assert len(canary_pods(story)) == SECOND[0]
    story.world.operator_down = False
    assert story.run(20, until=lambda: story.arms == SECOND), story.arms
    assert story.end() == "Promoted"


def test_a_rollout_that_is_deleted_takes_its_pods_out_first() -> None:
    story = during("Observing", 1, routed=POD)
    story.delete()
    assert story.run(60, until=lambda: not story.world.rollout()), story.world.errors[-3:]
    assert story.arms == (0, 0)
    assert story.run(5, until=lambda: not story.world.arm_pods())
    assert story.world.versions() == {"v1"}


def test_a_person_lets_go_of_it_without_the_operator(capsys: pytest.CaptureFixture[str]) -> None:
    town = Town(during("Observing", 1, routed=POD).world.api)
    found = town.run(capsys, "release", "checkout", "--yes")
    assert found.code == 0, found.err
    assert 'Pod "checkout-canary-0-' in found.out
    assert "out of the traffic" in found.out
    assert town.slots() == []
    assert town.record()["status"]["final"] is True
    verbs = [(call.verb, call.kind) for call in town.seen]
    last_out = max(i for i, call in enumerate(verbs) if call == ("status", "Pod"))
    assert last_out < verbs.index(("delete", "ReplicaSet")), "traffic goes first"


def test_a_pod_that_somebody_takes_out_brings_the_traffic_home() -> None:
    story = during("Observing", 1, routed=POD)

    def out(pod):
        pod["status"]["conditions"] = [
            {**c, "status": "False"} if c["type"] == POD_CONDITION else c for c in pod["status"]["conditions"]
        ]

    old = story.world.api.find(POD, "shop", canary_pods(story)[0])
    new = clone(old)
    out(new)
    story.world.api.change(POD, old, new, "somebody", status=True)
    assert story.run(20, until=lambda: story.arms == (0, 0)), story.arms
    assert story.world.release()["contested"] == 1
    assert story.reach("Observing", 1, seconds=300), story.path
    assert story.arms == SECOND
    assert story.end() == "Promoted"


def scale(story: Story, replicas: int) -> None:
    story.promises.disturbed = True
    story.edit(DEPLOYMENT, lambda target: target["spec"].update(replicas=replicas), user="autoscaler")


@pytest.mark.parametrize(("replicas", "pods"), [(9, (5, 2)), (16, (8, 3))])
def test_the_share_on_record_follows_the_size_of_the_fleet(replicas: int, pods: tuple[int, int]) -> None:
    story = during("Observing", 1, routed=POD)
    scale(story, replicas)
    assert story.run(60, until=lambda: story.phase == "Shifting"), story.path
    assert story.reach("Observing", 1, seconds=300), story.path
    assert story.arms == pods
    weights = story.world.release()["desired"]["weights"]
    assert weights["canary"] == round(1000 * pods[0] / (replicas + sum(pods)))
    assert story.end() == "Promoted"


def test_two_stages_of_the_same_pods_are_two_stages() -> None:
    """Beside ten pods 5% and 8% are both one canary; the second stage has its own time and evidence."""
    ladder = [{"weight": weight, "minDuration": "30s", "maxDuration": "15m"} for weight in (5, 8, 30)]
    story = tell(routed=POD, policy={"stages": ladder})
    story.request("good")
    assert story.reach("Observing", 2, seconds=1800), story.path
    moves = [c for c in story.world.release()["timeline"] if c["phase"] == "Shifting"]
    assert [c["stage"] for c in moves] == [0, 1, 2]
    assert moves[0]["weights"] == moves[1]["weights"]
    assert moves[1]["time"] - moves[0]["time"] >= 30
    assert moves[2]["time"] - moves[1]["time"] >= 30


@EITHER
def test_a_converged_object_is_not_written(routed: Kind) -> None:
    story = during("Done", 1, routed=routed)
    story.run(5)
    before = len(story.world.api.writes)
    story.run(200)
    assert [call for call in story.world.api.writes[before:] if call.user == OPERATOR] == []


def test_a_service_that_selects_the_stable_arm_is_told_and_nothing_begins() -> None:
    story = tell(routed=POD)
    story.edit(SERVICE, lambda s: s["spec"]["selector"].update({"causalrollouts.dev/arm": "stable"}))
    story.request("good")
    story.run(20)
    assert story.phase == ""
    assert "take this line out of its spec.selector" in story.condition("Supported")["message"]


def test_a_ladder_above_a_third_is_told_and_nothing_begins() -> None:
    story = tell(routed=POD, policy={"stages": [{"weight": 50, "minDuration": "30s", "maxDuration": "15m"}]})
    story.request("good")
    story.run(20)
    assert story.phase == ""
    message = story.condition("Supported")["message"]
    assert "stages[0].weight: 50 is above 33, the most that podShare can give" in message
