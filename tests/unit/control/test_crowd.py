"""Several releases at once in the embedded world, under a policy that bounds them."""

import contextlib
from dataclasses import replace

from causal_rollouts.adapters.crowd import others
from causal_rollouts.adapters.kube import FINALIZER, POD, RECORD, ROLLOUT
from causal_rollouts.adapters.record_form import record_of
from causal_rollouts.cli.standing import Standing, State
from causal_rollouts.cli.tree import tree
from causal_rollouts.control.reconcile import Settings, reconcile
from causal_rollouts.model.crowd import Other
from causal_rollouts.model.world import Key
from causal_rollouts.ports import NotYet, Ports, RolloutStore
from causal_rollouts.runtime.wiring import ports_over
from causal_rollouts.web.report import page
from e2e import rollouts
from e2e.demo.manifests import App
from e2e.embedded import shop
from e2e.embedded.apiserver import OPERATOR
from tests.unit.control.stories import NAMESPACE, EmbeddedWorld, Story, _with_history

ONE = {"namespaceLimit": 1}


def town(**limits: object) -> Story:
    story = Story(EmbeddedWorld.restored(_with_history(10, 1, arms_listed=False)))
    policy = rollouts.policy()
    policy["spec"]["guardrails"] = {"concurrency": limits}
    story.world.apply(policy, rollouts.rollout(App("checkout", "checkout", NAMESPACE)))
    story.run(2)
    return story


def neighbour(story: Story, name: str = "cart", *, runs: bool = True, node: str = "") -> None:
    """Another rollout, whose release another worker carries out."""
    made = rollouts.rollout(App(name, name, NAMESPACE))
    made["metadata"]["finalizers"] = [FINALIZER] if runs else []
    story.world.api.add(ROLLOUT, NAMESPACE, made, "git", "git")
    if node:
        api = story.world.api
        labels = {"causalrollouts.dev/slot": "canary-0", "causalrollouts.dev/rollout": ""}
        pod = {
            "metadata": {"name": f"{name}-canary-0", "labels": labels},
            "spec": {"nodeName": node, "containers": [{"name": "app"}]},
            "status": {"phase": "Pending", "startTime": api.stamp(), "conditions": []},
        }
        api.add(POD, NAMESPACE, pod)


def gone(story: Story, name: str = "cart") -> None:
    del story.world.api.objects[ROLLOUT.plural][NAMESPACE, name]
    story.world.api.objects[POD.plural].pop((NAMESPACE, f"{name}-canary-0"), None)


def test_a_release_waits_without_a_write_and_begins_when_the_other_has_ended() -> None:
    story = town(**ONE)
    neighbour(story)
    story.request("good")
    story.run(15)
    assert story.condition("Ready")["reason"] == "WaitingForOthers"
    assert "1 of 1 releases run in namespace shop: shop/cart" in story.condition("Queued")["message"]
    before = len(story.world.api.writes)
    story.run(60)
    assert [call for call in story.world.api.writes[before:] if call.user == OPERATOR] == []
    gone(story)
    assert story.reach("Observing", 0, seconds=60)
    assert story.condition("Queued") == {}


def test_two_that_are_requested_at_one_moment_do_not_both_take_traffic() -> None:
    story = town(**ONE)
    world = story.world
    shop.open_shop(world.api, name="cart", replicas=4, VERSION="v1")
    world.api.add(ROLLOUT, NAMESPACE, rollouts.rollout(App("cart", "cart", NAMESPACE)), "git", "git")
    world.run(3)
    ports, settings = ports_over(world.api.client(), world.metrics, world.api), Settings(world.grid)
    cart, checkout = Key(NAMESPACE, "cart"), Key(NAMESPACE, "checkout")
    for name in ("cart", "checkout"):
        shop.release(world.api, f"{name}:good", name=name, VERSION="good")
    world.operator_down = True

    unseen = replace(ports, rollouts=Unseen(ports.rollouts))
    for key in (checkout, cart):
        world.loop.run_until_complete(reconcile(key, unseen, settings))
    assert {r["metadata"]["name"] for r in world.api.stored(RECORD)} == {"cart-1", "checkout-1"}
    for _ in range(60):
        world.step()
        for key in (checkout, cart):
            world.loop.run_until_complete(patient(key, ports, settings))
    mine = next(r for r in world.api.stored(RECORD) if r["metadata"]["name"] == "checkout-1")
    assert mine["status"]["release"]["phase"] == "Preparing"
    assert mine["status"]["decisions"][-1]["decision"]["reason"] == "WaitingForOthers"


class Unseen:
    """What a pass reads that looks at the others a moment before one of them begins."""

    def __init__(self, store: RolloutStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def others(self, key: Key) -> tuple[Other, ...]:
        return ()


async def patient(key: Key, ports: Ports, settings: Settings) -> None:
    with contextlib.suppress(NotYet):
        await reconcile(key, ports, settings)


def test_who_runs_beside_it_and_on_which_nodes_is_in_record_report_and_get() -> None:
    story = town(forbidOverlap=False)
    neighbour(story, node="node2")
    story.request("good")
    assert story.reach("Observing", 1)
    record = record_of(story.world.newest())
    assert [(b.stage, b.rollout) for b in record.beside] == [(0, "shop/cart"), (1, "shop/cart")]
    assert record.beside[-1].nodes == ("node2",)
    assert "shop/cart" in page("x", [record])
    seen = Standing("checkout", NAMESPACE, State.RUNNING, "Observing", "", record)
    shown = "\n".join(line.text for line in tree(seen, 0.0, signs=False))
    assert "shop/cart" in shown
    assert "node2" in shown


def test_a_policy_that_forbids_overlap_waits_for_who_stands_on_its_nodes() -> None:
    story = town(forbidOverlap=True)
    neighbour(story, node="node2")
    story.request("good")
    story.run(15)
    assert "shop/cart runs on the same nodes node2" in story.condition("Ready")["message"]
    gone(story)
    neighbour(story, node="elsewhere")
    assert story.reach("Observing", 0, seconds=60)


def test_who_shares_a_route_of_either_kind_is_seen() -> None:
    story = town()
    neighbour(story)
    both = {"httpRoutes": [{"name": "edge"}], "grpcRoutes": [{"name": "calls"}, {"name": "edge"}]}
    story.edit(ROLLOUT, lambda r: r["spec"].update(traffic={"service": "cart", **both}), "cart")
    kube = story.world.api.client()
    (cart,) = story.world.loop.run_until_complete(others(kube, story.world.key))
    assert cart.routes == ("HTTPRoute/edge", "GRPCRoute/calls", "GRPCRoute/edge")
