"""The newest past of a service out of its Prometheus, as far back as nothing was released."""

from __future__ import annotations

import argparse
import time

from causal_rollouts.analysis.past import Past, past
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.offline_source import offline_connect, source_settings
from causal_rollouts.model.registration import Registration
from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Broken, Refused, Scope


async def own_past(asked: argparse.Namespace, reg: Registration, window: float) -> Past:
    """The past of the target's stable pods.

    Raises:
        Stopped: Prometheus does not answer, or not with what is needed. NoPast: it is not enough.
    """
    connect = offline_connect()
    # It builds on the client, so it comes after.
    from causal_rollouts.adapters.prometheus_fleet import stable_pods

    if asked.scrape <= 0 or asked.ingest_lag < 0:
        raise Stopped("--scrape, --ingest-lag: give seconds, the first of them above 0", Exit.USAGE)
    settings = source_settings(asked)
    grid = reg.grid
    last = grid.last_final(time.time() if asked.end is None else asked.end)
    end = grid.end(last)
    series: dict[str, tuple[Series, ...]] = {}
    try:
        with connect(settings) as source:
            still = await stable_pods(source, settings, reg.namespace, reg.target, end - window, end)
            scope = Scope(reg.namespace, tuple(sorted(pod.name for pod in still.pods)))
            fetched: dict[tuple[str, ...], tuple[Series, ...]] = {}
            for metric in reg.metrics:
                if metric.reads not in fetched:
                    fetched[metric.reads] = await source.fetch(metric, scope, still.since, end)
                series[metric.name] = fetched[metric.reads]
    except (Broken, Refused) as error:
        raise Stopped(f"--prometheus: {error}", Exit.UNAVAILABLE) from error
    return past(reg, still.pods, series, grid.index(still.since) + 1, last)
