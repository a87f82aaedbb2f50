"""Which node each slot is asked to run on.

Canaries stand together on a few nodes so that others stay pure (no canary as a
neighbour) and can serve as control; baseline keeps apart from them. Within
that, the draw is random and its seed is in the record, so a randomisation test
can repeat it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from causal_rollouts.model.arms import Arm, Slot
from causal_rollouts.model.release import PlannedSlot

PURE_NODES = 2
"""Nodes that stay free of canaries: with fewer, neighbours cannot be told from the whole service."""


def assign(
    seed: int, nodes: Sequence[str], taken: Sequence[PlannedSlot], wanted: Sequence[Slot]
) -> tuple[PlannedSlot, ...]:
    """Draw a node for each wanted slot; slots already taken keep theirs.

    nodes: names of schedulable nodes, any order. Later cohorts add no new canary node while one is left.
    """
    order = sorted(set(nodes))
    if not order:
        return (*taken, *(PlannedSlot(slot, "") for slot in wanted))
    random.Random(f"causal-rollouts/{seed}").shuffle(order)
    canary_nodes, other_nodes = _blocks(order, taken, sum(slot.arm is Arm.CANARY for slot in wanted))
    planned = list(taken)
    for slot in wanted:
        block = canary_nodes if slot.arm is Arm.CANARY else other_nodes
        load = {node: sum(p.node == node and p.slot.arm is slot.arm for p in planned) for node in block}
        planned.append(PlannedSlot(slot, min(block, key=lambda node: (load[node], block.index(node)))))
    return tuple(planned)


def _blocks(order: list[str], taken: Sequence[PlannedSlot], canaries: int) -> tuple[list[str], list[str]]:
    """Nodes for canaries and nodes for baseline; the same where the cluster is too small to keep apart."""
    if len(order) < PURE_NODES + 2:
        return order, order
    before = [p.node for p in taken if p.slot.arm is Arm.CANARY]
    held = [node for node in order if node in before]
    chosen = held or order[: min(max(canaries, 1), len(order) - PURE_NODES)]
    return chosen, [node for node in order if node not in chosen]
