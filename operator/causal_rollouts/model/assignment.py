"""Which node each slot is asked to run on.

Canaries stand together on a few nodes so that others stay pure (no canary as a
neighbour) and can serve as control; baseline keeps apart from them. Both arms
go round the blocks (zone and kind of machine), so that neither is the only one
in a place. Within that, the draw is random and its seed is in the record, so a
randomisation test can repeat it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest

from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.release import PlannedSlot

PURE_NODES = 2
"""Nodes that stay free of canaries: with fewer, neighbours cannot be told from the whole service."""


def block_of(zone: str, machine: str) -> str:
    """What a node shares with others that a slot could as well have stood on."""
    return f"{zone}/{machine}"


def assign(
    seed: int, nodes: Mapping[str, str], taken: Sequence[PlannedSlot], wanted: Sequence[Slot]
) -> tuple[PlannedSlot, ...]:
    """Draw a node for each wanted slot; slots already taken keep theirs.

    nodes: block of each schedulable node, in any order. Later cohorts add no new canary node while one is
    left. Nodes of one block are exchangeable: their order in it is uniform, whatever the rest.
    """
    order = _order(random.Random(f"causal-rollouts/{seed}"), nodes)
    if not order:
        return (*taken, *(PlannedSlot(slot, "") for slot in wanted))
    canary_nodes, other_nodes = _apart(order, taken, sum(slot.arm is Arm.CANARY for slot in wanted))
    planned = list(taken)
    for slot in wanted:
        places = canary_nodes if slot.arm is Arm.CANARY else other_nodes
        load = {node: sum(p.node == node and p.slot.arm is slot.arm for p in planned) for node in places}
        planned.append(PlannedSlot(slot, min(places, key=lambda node: (load[node], places.index(node)))))
    return tuple(planned)


def _order(luck: random.Random, nodes: Mapping[str, str]) -> list[str]:
    """Blocks in random order, one node of each in turn, the nodes of a block in random order."""
    blocks = sorted(set(nodes.values()))
    luck.shuffle(blocks)
    rows = []
    for block in blocks:
        mine = sorted(node for node, of in nodes.items() if of == block)
        luck.shuffle(mine)
        rows.append(mine)
    return [node for node in chain.from_iterable(zip_longest(*rows)) if node is not None]


def _apart(order: list[str], taken: Sequence[PlannedSlot], canaries: int) -> tuple[list[str], list[str]]:
    """Nodes for canaries and nodes for baseline; the same where the cluster is too small to keep apart."""
    if len(order) < PURE_NODES + 2:
        return order, order
    before = [p.node for p in taken if p.slot.arm is Arm.CANARY]
    held = [node for node in order if node in before]
    chosen = held or order[: min(max(canaries, 1), len(order) - PURE_NODES)]
    return chosen, [node for node in order if node not in chosen]
