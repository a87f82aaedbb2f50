"""Which pods a Deployment had, told by Prometheus alone: for what runs without a cluster.

kube-state-metrics says of every pod its node and its ReplicaSet, for as long
as it was there. Only the pods of one ReplicaSet are of use, from the time on
when no other one's and no arm's pods were beside them: before that something
was being released.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from causal_rollouts.adapters.prometheus_offline import OfflinePrometheus
from causal_rollouts.adapters.prometheus_query import joined, pieces
from causal_rollouts.adapters.prometheus_settings import SourceSettings
from causal_rollouts.adapters.promql import quoted
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Broken

PODS = "kube_pod_info"
OWNER = "created_by_name"

MISSED = 180.0
"""Seconds without a sample, at the end, after which a pod is gone."""


@dataclass(frozen=True, slots=True)
class Still:
    """Pods of the newest ReplicaSet, and since when nothing else was beside them."""

    pods: tuple[Pod, ...]
    since: float


async def stable_pods(
    source: OfflinePrometheus,
    settings: SourceSettings,
    namespace: str,
    target: str,
    start: float,
    end: float,
) -> Still:
    """The stable fleet of a Deployment at `end`, as far back as it stood alone.

    A pod that was there at `start` is taken to be that old, no older.

    Raises:
        Broken: no answer, or no pod of this Deployment in it. Refused: the query is wrong.
    """
    owner = rf"{re.escape(target)}-([a-z0-9]+|(canary|baseline)-[0-9]+)"
    matchers = f'{settings.namespace_label}={quoted(namespace)},created_by_kind="ReplicaSet"'
    instant = f"{PODS}{{{matchers},{OWNER}=~{quoted(owner)}}}"
    asked = pieces(instant, start, end, settings)
    found = joined([await asyncio.to_thread(source.piece, question) for question in asked])
    if not found:
        raise Broken(
            f"holds no {PODS} of Deployment {namespace}/{target}; is kube-state-metrics scraped there?"
        )
    return _still(found, target, start, end)


def _still(found: Sequence[Series], target: str, start: float, end: float) -> Still:
    by_owner: dict[str, list[Series]] = {}
    for series in found:
        by_owner.setdefault(series.labels[OWNER], []).append(series)
    sets = [name for name in by_owner if "-" not in name.removeprefix(f"{target}-")]
    if not sets:
        raise Broken(f"holds pods of the arms of {target} only; ask for a time before its release")
    # While a Deployment rolls two sets are there at the end; the one with more pods is the fleet.
    fleet = max(sets, key=lambda name: (sum(end - s.times[-1] < MISSED for s in by_owner[name]), name))
    others = [s.times[-1] for name, group in by_owner.items() if name != fleet for s in group]
    since = max(start, *others) if others else start
    there: dict[str, list[Series]] = {}
    for series in by_owner[fleet]:
        there.setdefault(series.labels.get("pod", ""), []).append(series)
    return Still(tuple(_pod(name, group, end) for name, group in sorted(there.items()) if name), since)


def _pod(name: str, group: Sequence[Series], end: float) -> Pod:
    """One pod. Its node does not change; other labels may, and then it has several series."""
    begin, last = min(s.times[0] for s in group), max(s.times[-1] for s in group)
    gone = last if end - last >= MISSED else None
    node = next((s.labels["node"] for s in group if s.labels.get("node")), "")
    return Pod(name, name, Arm.STABLE, name, node, "", begin, begin, gone)
