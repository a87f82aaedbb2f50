"""Puts the real adapters behind the ports."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from causal_rollouts.adapters import kubernetes_api, prometheus, webhooks
from causal_rollouts.adapters.events import KubeRecorder
from causal_rollouts.adapters.kube import Kube
from causal_rollouts.adapters.nodes import Nodes
from causal_rollouts.adapters.postbox import Postbox, nobody
from causal_rollouts.adapters.prometheus import SourceSettings
from causal_rollouts.adapters.prometheus_answer import MEBI
from causal_rollouts.adapters.records import KubeRolloutStore
from causal_rollouts.adapters.router import KubeRouter
from causal_rollouts.adapters.workloads import KubeWorkloads
from causal_rollouts.ports import Clock, MetricsSource, Notifier, Ports
from causal_rollouts.runtime.election import Election
from causal_rollouts.runtime.settings import OperatorSettings


@asynccontextmanager
async def connect(settings: OperatorSettings, clock: Clock) -> AsyncIterator[tuple[Ports, Election | None]]:
    """Connections to the API server and the metrics source for as long as the operator runs.

    The election is None where no Lease is set.
    """
    source = SourceSettings(
        url=settings.prometheus_url,
        token_file=settings.prometheus_token_file,
        pod_label=settings.pod_label,
        namespace_label=settings.namespace_label,
        body=settings.prometheus_body_mib * MEBI,
        networks=settings.networks,
    )
    named = os.environ.get("KUBECONFIG")
    kubeconfig = Path(named) if named else None
    async with (
        kubernetes_api.connect(kubeconfig) as kube,
        prometheus.connect(source) as metrics,
        webhooks.connect(settings.channels_file, settings.channel_networks) as postbox,
    ):
        yield ports_over(kube, metrics, clock, postbox), election_over(kube, settings, clock)


def election_over(kube: Kube, settings: OperatorSettings, clock: Clock) -> Election | None:
    """The candidacy of this process. Its name is new with each process, as the pod's name is not."""
    if not settings.lease:
        return None
    identity = f"{socket.gethostname()}_{uuid.uuid4()}"
    return Election(kube, settings.lease_namespace, settings.lease, identity, time.monotonic, clock.now)


def ports_over(kube: Kube, metrics: MetricsSource, clock: Clock, notifier: Notifier | None = None) -> Ports:
    """All ports over one API server and one metrics source. notifier: without one there is no channel."""
    return Ports(
        rollouts=KubeRolloutStore(kube),
        workloads=KubeWorkloads(kube, Nodes(kube, clock)),
        router=KubeRouter(kube),
        metrics=metrics,
        recorder=KubeRecorder(kube, clock),
        notifier=notifier or Postbox(dict, nobody),
        clock=clock,
    )
