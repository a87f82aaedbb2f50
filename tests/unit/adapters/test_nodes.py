"""Nodes are listed once for many passes, and never older than ten seconds."""

from causal_rollouts.adapters.kube import NODE
from causal_rollouts.adapters.nodes import FRESH, Nodes
from causal_rollouts.adapters.reading import name
from causal_rollouts.adapters.room import nodes_for
from e2e.embedded.apiserver import ApiServer
from e2e.embedded.controllers import add_nodes


class Stopwatch:
    time = 1000.0

    def now(self):
        return self.time


class Counts:
    def __init__(self, kube):
        self.kube, self.lists = kube, 0

    async def list(self, kind):
        self.lists += 1
        return await self.kube.list(kind)


async def test_many_passes_share_a_list_until_it_is_old():
    server, clock = ApiServer(), Stopwatch()
    add_nodes(server, "node1", "node2")
    counts = Counts(server.client())
    nodes = Nodes(counts, clock)
    assert [name(node) for node in await nodes.seen()] == ["node1", "node2"]
    add_nodes(server, "node3")
    clock.time += FRESH - 0.1
    assert len(await nodes.seen()) == 2
    assert counts.lists == 1
    clock.time += 0.2
    assert len(await nodes.seen()) == 3
    clock.time -= 3600.0
    await nodes.seen()
    assert counts.lists == 3


async def test_what_is_kept_says_where_pods_may_go_as_the_whole_does():
    server = ApiServer()
    add_nodes(server, "node1", "node2", "node3")
    admin = server.client("admin")
    await admin.merge(NODE, "", "node1", {"spec": {"unschedulable": True}})
    taint = {"key": "gpu", "effect": "NoSchedule"}
    await admin.merge(NODE, "", "node2", {"spec": {"taints": [taint]}, "status": {"images": [{}] * 50}})
    whole = await admin.list(NODE)
    kept = await Nodes(admin, Stopwatch()).seen()
    template = {"spec": {}}
    assert nodes_for(template, kept) == nodes_for(template, whole)
    assert [node.schedulable for node in nodes_for(template, kept)] == [False, False, True]
    assert "images" not in kept[1]["status"]
