"""The composition root: kopf tells what changed, the queue decides when to look.

No kopf timer, daemon or change handler is used: those write finalizers and
annotations of their own. `on.event` writes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import kopf
from prometheus_client import CollectorRegistry

from causal_rollouts.adapters.postbox import Postbox
from causal_rollouts.control.queue import KeyedQueue, Work
from causal_rollouts.control.reconcile import Settings, reconcile
from causal_rollouts.model.world import Key
from causal_rollouts.ports import Ports
from causal_rollouts.runtime.election import RETRY, Election
from causal_rollouts.runtime.health import Health
from causal_rollouts.runtime.logs import configure
from causal_rollouts.runtime.metrics import MeteredStore, RolloutMetrics
from causal_rollouts.runtime.notice_metrics import NoticeMetrics
from causal_rollouts.runtime.release_metrics import ReleaseMetrics
from causal_rollouts.runtime.settings import BadSettings, OperatorSettings, read_settings
from causal_rollouts.runtime.wiring import connect

GROUP, VERSION = "causalrollouts.dev", "v1alpha1"
log = logging.getLogger("causal_rollouts")


class SystemClock:
    """Wall-clock time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()


@dataclass(slots=True)
class Watches:
    """Turns watch events into keys. `targets` is a hint for waking up, never read for a decision."""

    queue: KeyedQueue
    targets: dict[Key, Key] = field(default_factory=dict)

    def rollout(self, event: kopf.RawEvent) -> None:
        """A CausalRollout appeared, changed or went."""
        meta = event["object"]["metadata"]
        key = Key(str(meta["namespace"]), str(meta["name"]))
        spec = event["object"].get("spec") or {}
        target = (spec.get("targetRef") or {}).get("name")
        if target:
            self.targets[Key(key.namespace, str(target))] = key
        self.queue.tell(key)

    def deployment(self, event: kopf.RawEvent) -> None:
        """A gated Deployment changed: perhaps a release is requested."""
        meta = event["object"]["metadata"]
        key = self.targets.get(Key(str(meta["namespace"]), str(meta["name"])))
        if key is not None:
            self.queue.tell(key)


def registry_of(watches: Watches, *, clusterwide: bool = True) -> kopf.OperatorRegistry:
    """Two watches, nothing else.

    clusterwide: else kopf is kept from asking what comes and goes in the cluster, which it then may not.
    """
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def tune(settings: kopf.OperatorSettings, **_: object) -> None:
        settings.posting.enabled = False
        settings.networking.connect_timeout = 5
        settings.networking.request_timeout = 30
        settings.watching.server_timeout = 300
        settings.scanning.disabled = not clusterwide

    @kopf.on.login(registry=registry)
    async def login(settings: kopf.OperatorSettings, **_: object) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(settings=settings) or kopf.login_with_kubeconfig(
            settings=settings
        )

    @kopf.on.event(GROUP, VERSION, "causalrollouts", registry=registry)
    async def rollout(event: kopf.RawEvent, **_: object) -> None:
        watches.rollout(event)

    @kopf.on.event("apps", "v1", "deployments", labels={f"{GROUP}/gate": "enabled"}, registry=registry)
    async def deployment(event: kopf.RawEvent, **_: object) -> None:
        watches.deployment(event)

    return registry


def working(
    ports: Ports, settings: Settings, election: Election | None, forget: Callable[[Key], None]
) -> Work:
    """A pass for whoever leads; the others only remember what there is to do.

    forget: drops what was shown of a rollout: a copy that led once must not hold alerts that another ended.
    """

    async def work(key: Key) -> float | None:
        if election is not None and not election.leads:
            forget(key)
            return RETRY
        return await reconcile(key, ports, settings)

    return work


async def operate(
    settings: OperatorSettings, ports: Ports, stop: asyncio.Event, election: Election | None = None
) -> None:
    """Run until `stop`, then finish the passes under way, and only then let another one lead."""
    registry = CollectorRegistry()
    metrics = RolloutMetrics(registry)
    if isinstance(ports.notifier, Postbox):
        registry.register(NoticeMetrics(ports.notifier))
    store = MeteredStore(ports.rollouts, metrics, ReleaseMetrics(registry))
    chosen = Settings(grid=settings.grid, prices=settings.prices)
    work = working(replace(ports, rollouts=store), chosen, election, store.forget)
    queue = KeyedQueue(metrics.counting(work), workers=settings.workers)
    health = Health(queue, registry, leads=lambda: election is None or election.leads)
    campaign = asyncio.create_task(election.run(stop)) if election is not None else None
    await health.start(settings.health_host, settings.health_port)
    watching = asyncio.create_task(
        kopf.operator(
            registry=registry_of(Watches(queue), clusterwide=not settings.watched),
            standalone=True,
            clusterwide=not settings.watched,
            namespaces=settings.watched,
            stop_flag=stop,
            ready_flag=health.ready,
        )
    )
    # Without its watches the operator is blind: it ends, and says why, in place of serving on.
    watching.add_done_callback(lambda _: stop.set())
    try:
        await queue.run(stop)
    finally:
        stop.set()
        if election is not None and campaign is not None:
            await campaign
            await election.resign()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await health.stop()


async def serve(settings: OperatorSettings) -> None:
    """Connect, run, and stop on SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with connect(settings, SystemClock()) as (ports, election):
        log.info("watching %s", ", ".join(settings.watched) or "all namespaces")
        await operate(settings, ports, stop, election)


def main() -> int:
    """Entry point `causal-rollouts-operator`."""
    try:
        settings = read_settings()
    except BadSettings as error:
        print(error, file=sys.stderr)  # noqa: T201 - logs are not configured yet
        return 2
    configure(settings.log_level)
    # kopf would ask for the user's name, and the user of an image has none.
    os.environ.setdefault("POD_ID", socket.gethostname())
    asyncio.run(serve(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
