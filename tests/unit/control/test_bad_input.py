"""What cannot be right as it is: a condition says field and fix, traffic stays, and mending is enough."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from causal_rollouts.adapters.kube import (
    ARM_LABEL,
    CLAIM,
    DEPLOYMENT,
    HTTP_ROUTE,
    POLICY,
    ROLLOUT,
    SERVICE,
    STATEFUL_SET,
)
from e2e.embedded import shop
from e2e.embedded.patches import clone
from tests.unit.control.stories import Story, during, tell

Json = dict[str, Any]
Change = Callable[[Json], None]


@dataclass(frozen=True)
class Wrong:
    """breaks and mends: what somebody does. says: field, what is wrong, and what to do, in this order."""

    breaks: Callable[[Story], None]
    mends: Callable[[Story], None]
    says: tuple[str, ...]


def edited(kind: Any, change: Change, says: tuple[str, ...]) -> Wrong:
    """An object that is edited, and as it was before."""
    kept: list[Json] = []

    def breaks(story: Story) -> None:
        kept[:] = [clone(story.world.api.find(kind, "shop", "checkout"))]
        story.edit(kind, change)

    def mends(story: Story) -> None:
        def back(obj: Json) -> None:
            if kind == HTTP_ROUTE:
                obj["spec"] = shop.route("checkout")["spec"]
                return
            for key in ("spec", "metadata"):
                obj[key] = {**clone(kept[0][key]), **_versions(obj, key)}

        story.edit(kind, back)

    return Wrong(breaks, mends, says)


def _versions(obj: Json, key: str) -> Json:
    return {"resourceVersion": obj["metadata"]["resourceVersion"]} if key == "metadata" else {}


def missing(kind: Any, says: tuple[str, ...]) -> Wrong:
    """An object that is deleted, and made again."""
    kept: list[Json] = []

    def breaks(story: Story) -> None:
        namespaced = kind != POLICY
        name = "checkout" if namespaced else "short"
        old = story.world.api.find(kind, "shop", name)
        kept[:] = [clone(old)]
        story.world.api.remove(kind, old, "Background", "git")
        story.promises.disturbed = True

    def mends(story: Story) -> None:
        if kind == HTTP_ROUTE:
            story.world.api.add(kind, "shop", shop.route("checkout"), "git")
            return
        made = {
            "metadata": {k: kept[0]["metadata"][k] for k in ("name", "labels") if k in kept[0]["metadata"]}
        }
        story.world.api.add(kind, "" if kind == POLICY else "shop", {**made, "spec": kept[0]["spec"]}, "git")

    return Wrong(breaks, mends, says)


def backend(name: str, **fields: Any) -> Change:
    def change(route: Json) -> None:
        route["spec"]["rules"][0]["backendRefs"] = [{"name": name, "port": 80, **fields}]

    return change


def selector(**labels: str | None) -> Change:
    def change(service: Json) -> None:
        merged = {**service["spec"]["selector"], **labels}
        service["spec"]["selector"] = {k: v for k, v in merged.items() if v is not None}

    return change


def spec(**fields: Any) -> Change:
    return lambda obj: obj["spec"].update(fields)


WRONG = {
    "no Deployment": missing(DEPLOYMENT, ("spec.targetRef.name", "no Deployment", "create it")),
    "no Service": missing(SERVICE, ("spec.traffic.service", "no Service", "create it")),
    "no route": missing(HTTP_ROUTE, ("spec.traffic.httpRoutes[0].name", "no HTTPRoute", "create it")),
    "no policy": missing(POLICY, ("spec.policyRef.name", "no RolloutPolicy", "create it")),
    "route elsewhere": edited(
        HTTP_ROUTE, backend("other"), ("spec.traffic.httpRoutes[0]", "sends nothing to Service", "add it")
    ),
    "no such port": edited(
        HTTP_ROUTE, backend("checkout", port=81), ("rule 0", "names port 81", "correct backendRefs[].port")
    ),
    "backend in another namespace": edited(
        HTTP_ROUTE, backend("checkout", namespace="shop"), ("rule 0", "namespace", "leave")
    ),
    "selector without the arm": edited(
        SERVICE, selector(**{ARM_LABEL: None}), ("spec.traffic.service", "every arm", "add this line")
    ),
    "selector of somebody else": edited(
        SERVICE, selector(app="other"), ("spec.traffic.service", "do not carry", "correct its selector")
    ),
    "one replica": edited(
        DEPLOYMENT, spec(replicas=1), ("spec.replicas", "nothing to compare", "set 2 or more")
    ),
    "recreate": edited(
        DEPLOYMENT, spec(strategy={"type": "Recreate"}), ("spec.strategy.type", "Recreate", "set it to")
    ),
    "a ladder that falls": edited(
        ROLLOUT,
        spec(
            stages=[
                {"weight": 30, "minDuration": "30s", "maxDuration": "15m"},
                {"weight": 10, "minDuration": "30s", "maxDuration": "15m"},
            ]
        ),
        ("spec.stages", "rise strictly", "order"),
    ),
    "a history that is too short": edited(ROLLOUT, spec(history="60s"), ("spec.history", "needed", "use")),
    "a guardrail loosened": edited(ROLLOUT, spec(alphaRevert="2"), ("spec.alphaRevert", "", "")),
}


@pytest.mark.parametrize("what", WRONG)
def test_it_is_said_at_rest_and_mending_is_enough(what: str) -> None:
    wrong = WRONG[what]
    story = tell()
    story.promises.disturbed = True
    wrong.breaks(story)
    story.run(61, until=lambda: story.condition("Supported").get("status") == "False")
    told = story.condition("Supported")
    assert told["status"] == "False"
    at = -1
    for words in wrong.says:
        assert words in told["message"][at + 1 :], told["message"]
        at = told["message"].index(words, at + 1)
    assert story.condition("Stalled")["reason"] == "NotReady"
    assert story.world.records() == []
    assert story.weight == 0
    wrong.mends(story)
    assert story.run(75, until=lambda: story.condition("Supported").get("status") == "True")
    assert story.condition("Stalled") == {}


@pytest.mark.parametrize(
    "what", ["no Service", "no route", "route elsewhere", "no policy", "a ladder that falls"]
)
def test_in_the_middle_of_a_release_it_holds_and_mending_is_enough(what: str) -> None:
    wrong = WRONG[what]
    story = during("Observing", 0)
    wrong.breaks(story)
    story.run(60)
    assert story.condition("Supported")["status"] == "False"
    assert story.weight <= 100
    assert "Harm" not in {d["decision"]["verdict"] for d in story.world.decisions()}
    assert story.phase in {"Observing", "Shifting"}
    wrong.mends(story)
    assert story.reach("Shifting", 1)


def test_a_service_that_is_gone_does_not_keep_an_abort_from_ending() -> None:
    story = during("Observing", 0)
    WRONG["no Service"].breaks(story)
    story.run(5)
    story.ask("abort")
    assert story.end(seconds=60) == "Aborted"
    assert story.weight == 0
    assert story.world.arm_pods() == []


def test_a_template_without_the_arm_label_is_held_back_and_said() -> None:
    story = tell()

    def drop(target: Json) -> None:
        target["spec"]["template"]["metadata"]["labels"] = {"app": "checkout"}

    story.edit(DEPLOYMENT, drop)
    story.run(30)
    assert "do not carry it" in story.condition("Supported")["message"]
    assert story.world.records() == []
    assert story.world.target()["spec"]["paused"] is True
    story.request("good")
    assert story.reach("Observing", 0)


@pytest.mark.parametrize(
    ("pod", "says"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "disk"}}]}, "ReadWriteOnce"),
    ],
)
def test_a_workload_that_cannot_be_gated_is_held_back_and_said(pod: Json, says: str) -> None:
    story = tell()
    claim = {"metadata": {"name": "disk"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    story.world.api.add(CLAIM, "shop", claim, "git")
    story.edit(DEPLOYMENT, lambda target: target["spec"]["template"]["spec"].update(pod))
    story.run(5)
    assert story.condition("Supported")["reason"] == "Unsupported"
    assert says in story.condition("Supported")["message"]
    assert story.world.records() == []
    story.request("v1")
    assert story.run(65, until=lambda: story.condition("Supported")["status"] == "True")
    story.run(3)
    assert not story.world.target()["spec"].get("paused")


def test_a_stateful_set_of_that_name_is_told_apart_from_nothing() -> None:
    story = tell()
    WRONG["no Deployment"].breaks(story)
    story.world.api.add(STATEFUL_SET, "shop", {"metadata": {"name": "checkout"}, "spec": {}}, "git")
    story.run(61)
    assert "is a StatefulSet" in story.condition("Supported")["message"]


def test_pause_in_git_is_told() -> None:
    story = tell()
    story.edit(DEPLOYMENT, lambda target: target["spec"].update(paused=True))
    story.run(3)
    assert "remove spec.paused there" in story.condition("Supported")["message"]
    story.edit(DEPLOYMENT, lambda target: target["spec"].pop("paused"))
    story.run(3)
    assert story.condition("Supported")["status"] == "True"


def test_of_two_rollouts_on_one_target_the_younger_is_refused_and_touches_nothing() -> None:
    from causal_rollouts.control.reconcile import Settings, reconcile
    from causal_rollouts.model.world import Key

    story = during("Observing", 0)
    second = {"metadata": {"name": "again"}, "spec": clone(story.world.rollout()["spec"])}
    story.world.api.add(ROLLOUT, "shop", second, "git")
    before = len(story.world.api.writes)
    for _ in range(3):
        story.world.loop.run_until_complete(
            reconcile(Key("shop", "again"), story.world.ports, Settings(story.world.grid))
        )
    wrote = {(c.kind, c.name) for c in story.world.api.writes[before:]}
    assert wrote == {("CausalRollout", "again")}
    found = story.world.api.find(ROLLOUT, "shop", "again")
    told = next(c for c in found["status"]["conditions"] if c["type"] == "Supported")
    assert 'rollout "checkout" already gates' in told["message"]
    assert story.weight == 100
    assert story.goes_on()
