"""The nodes of the cluster, listed once for all rollouts that ask within a few seconds.

The largest list of all in a large cluster, and the same for everybody. A node
may be cordoned right after any look at it, so nothing may rest on a fresh one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from causal_rollouts.adapters.kube import NODE, Kube, Object
from causal_rollouts.adapters.reading import labels, name, section
from causal_rollouts.ports import Clock

FRESH = 10.0
"""Seconds for which a list serves."""


@dataclass(slots=True)
class Nodes:
    """Names, labels, taints and conditions of all nodes."""

    kube: Kube
    clock: Clock
    _seen: list[Object] = field(default_factory=list)
    _at: float = -math.inf

    async def seen(self) -> list[Object]:
        """As they were at most `FRESH` seconds ago. Raises Broken."""
        now = self.clock.now()
        if not 0.0 <= now - self._at < FRESH:
            self._seen, self._at = [_head(node) for node in await self.kube.list(NODE)], now
        return self._seen


def _head(node: Object) -> Object:
    """Without images and addresses, which make most of its size."""
    spec = section(node, "spec")
    return {
        "metadata": {"name": name(node), "labels": dict(labels(node))},
        "spec": {key: spec[key] for key in ("unschedulable", "taints") if key in spec},
        "status": {"conditions": section(node, "status").get("conditions") or []},
    }
