"""The reference of a recorded release: its pods and samples over the same time, as a recording of its own.

A recording without it is a whole one, so whatever is missing is said and nothing stops.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from causal_rollouts.adapters.behind import deployments_behind
from causal_rollouts.analysis.from_record import each_once
from causal_rollouts.analysis.manifest import registration
from causal_rollouts.analysis.recording import Recording
from causal_rollouts.cli.exits import Stopped
from causal_rollouts.cli.offline_source import offline_connect, source_settings
from causal_rollouts.cli.past_release import Reach
from causal_rollouts.cli.printing import say
from causal_rollouts.model.arms import Pod
from causal_rollouts.model.reference import Reference, ReferenceKind
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Broken, Refused, Scope


class _MissingError(Exception):
    """Why there is no reference."""


async def with_reference(asked: argparse.Namespace, reach: Reach, recording: Recording) -> Recording:
    """The recording with that of its reference, where one is named and its samples can be had."""
    reg = registration(recording)
    if reg.reference is None:
        return recording
    try:
        deployments = await _deployments(asked, reach, reg, reg.reference)
        pods, series = await _samples(asked, reg, deployments, _span(recording))
    except (_MissingError, Broken, Refused, Stopped) as why:
        say(f"recorded without its reference, {reg.reference}: {why}", aside=True)
        return recording
    other = replace(recording, pods=pods, timeline=(), series=series, looks=None, approvals=())
    return replace(recording, reference=other)


async def _deployments(
    asked: argparse.Namespace, reach: Reach, reg: Registration, named: Reference
) -> Sequence[str]:
    if asked.from_file is not None:
        if named.kind is not ReferenceKind.DEPLOYMENT:
            raise _MissingError("what it sends to is known to the cluster only; record without --from-file")
        return (named.name,)
    async with reach() as cluster:
        found = await deployments_behind(cluster.kube, reg.namespace, named)
    if not found:
        raise _MissingError(f'it is not in namespace "{reg.namespace}", or sends to no Deployment there')
    if reg.target in found:
        raise _MissingError(f'it sends to "{reg.target}", which is released; name another in spec.reference')
    return found


async def _samples(
    asked: argparse.Namespace, reg: Registration, deployments: Sequence[str], span: tuple[float, float]
) -> tuple[tuple[Pod, ...], tuple[Series, ...]]:
    """Pods and series of all of them, as far back as none of them was being released."""
    connect = offline_connect()
    # It builds on the client, so it comes after.
    from causal_rollouts.adapters.prometheus_fleet import stable_pods

    settings, (start, end) = source_settings(asked), span
    with connect(settings) as source:
        fleets = [await stable_pods(source, settings, reg.namespace, one, start, end) for one in deployments]
        pods = tuple(pod for fleet in fleets for pod in fleet.pods)
        scope = Scope(reg.namespace, tuple(sorted(pod.name for pod in pods)))
        since = max(fleet.since for fleet in fleets)
        metrics = {metric.reads: metric for metric in reg.metrics}
        fetched = {reads: await source.fetch(one, scope, since, end) for reads, one in metrics.items()}
    series = each_once(fetched)
    if not series:
        raise _MissingError("Prometheus holds none of the metrics of the release for its pods")
    return pods, series


def _span(recording: Recording) -> tuple[float, float]:
    """From the first sample to the last."""
    times = [(series.times[0], series.times[-1]) for series in recording.series if len(series.times)]
    return min(first for first, _ in times), max(last for _, last in times)
