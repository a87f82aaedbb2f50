"""A rollout at rest is cheap for the API server: hundreds of them share it with everybody else."""

from collections import Counter

from causal_rollouts.control.reconcile import IDLE, Settings, reconcile
from e2e.embedded.apiserver import Call
from tests.unit.control.stories import Story, tell

OF_ONE_PASS = {
    ("get", "CausalRollout"): 1,
    ("get", "Deployment"): 3,
    ("get", "HTTPRoute"): 1,
    ("get", "Namespace"): 1,
    ("get", "RolloutPolicy"): 1,
    ("get", "Service"): 3,
    ("list", "CausalRollout"): 1,
    ("list", "EndpointSlice"): 1,
    ("list", "Node"): 1,
    ("list", "Pod"): 1,
    ("list", "ReplicaSet"): 2,
    ("list", "RolloutRecord"): 1,
}
"""Sixteen; the operator reads the nodes once for all passes of ten seconds."""


def one_pass(story: Story) -> tuple[float | None, list[Call]]:
    """(seconds until the next, what was asked of the API server)."""
    world, asked = story.world, list[Call]()
    world.api.before = asked.append
    again = world.loop.run_until_complete(reconcile(world.key, world.ports, Settings(world.grid)))
    world.api.before = None
    return again, asked


def test_a_pass_at_rest_writes_nothing_and_asks_little() -> None:
    story = tell()
    story.run(10)
    again, asked = one_pass(story)
    assert again == IDLE
    assert Counter((call.verb, call.kind) for call in asked) == OF_ONE_PASS
