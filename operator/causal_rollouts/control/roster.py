"""Who took part: the pods of a release, kept after they are gone.

The API server forgets a pod when it is deleted; the evidence must not, because
a slot's numbers are the sum over all the pods it had.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from causal_rollouts.model.arms import Pod


def merge(known: Iterable[Pod], seen: Iterable[Pod], now: float) -> tuple[Pod, ...]:
    """The roster after one pass: first readiness is kept, a pod that vanished is marked deleted."""
    present = {pod.uid: pod for pod in seen}
    merged = {pod.uid: _keep(pod, present.get(pod.uid), now) for pod in known}
    for uid, pod in present.items():
        merged.setdefault(uid, pod)
    return tuple(merged.values())


def names(pods: Iterable[Pod], since: float) -> tuple[str, ...]:
    """Pods that can have samples after `since`."""
    return tuple(sorted(pod.name for pod in pods if pod.deleted is None or pod.deleted >= since))


def _keep(known: Pod, seen: Pod | None, now: float) -> Pod:
    if seen is None:
        return known if known.deleted is not None else replace(known, deleted=now)
    return replace(
        known,
        ready=known.ready if known.ready is not None else seen.ready,
        deleted=known.deleted if known.deleted is not None else seen.deleted,
        node=seen.node or known.node,
        zone=seen.zone or known.zone,
        machine=seen.machine or known.machine,
    )
