"""All other rollouts whose release runs or waits, from what stands on the CausalRollouts themselves.

Records are not read: there are many, and they are large. The finalizer says
that a release runs, the condition Queued since when one waits.
"""

from __future__ import annotations

from collections import defaultdict

from causal_rollouts.adapters.kube import FINALIZER, POD, ROLLOUT, ROLLOUT_LABEL, SLOT_LABEL, Kube, Object
from causal_rollouts.adapters.reading import condition, labels, name, routes_named, seconds, section
from causal_rollouts.model.crowd import Other
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.world import Key

QUEUED = "Queued"
BEGUN = frozenset(str(phase) for phase in Phase) - {str(Phase.PREPARING), str(Phase.DONE)}


async def others(kube: Kube, key: Key) -> tuple[Other, ...]:
    """Of every namespace, but for `key` itself."""
    nodes = await _nodes(kube)
    found = []
    for obj in await kube.list(ROLLOUT):
        held = FINALIZER in (obj["metadata"].get("finalizers") or ())
        queued = condition(obj, QUEUED)
        mine = Key(str(obj["metadata"]["namespace"]), name(obj))
        if mine == key or not (held or queued.get("status") == "True"):
            continue
        release = str(section(obj, "status").get("release") or "") if held else ""
        found.append(
            Other(
                key=mine,
                waiting=None if held else seconds(str(queued["lastTransitionTime"])),
                begun=str(section(obj, "status").get("phase") or "") in BEGUN,
                release=release,
                routes=_routes(obj),
                nodes=tuple(sorted(nodes[mine.namespace, release])),
            )
        )
    return tuple(found)


def _routes(obj: Object) -> tuple[str, ...]:
    return tuple(f"{kind}/{named}" for kind, named in routes_named(section(obj, "spec", "traffic")))


async def _nodes(kube: Kube) -> defaultdict[tuple[str, str], set[str]]:
    """Nodes of the arms of each release."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for pod in await kube.list(POD, "", SLOT_LABEL):
        if node := section(pod, "spec").get("nodeName"):
            found[str(pod["metadata"]["namespace"]), labels(pod).get(ROLLOUT_LABEL, "")].add(str(node))
    return found
