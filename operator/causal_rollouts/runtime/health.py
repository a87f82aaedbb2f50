"""Liveness that measures progress, and the operator's own metrics, on one port.

An operator that answers HTTP but no longer works through its queue is worse
than a dead one: nobody restarts it. `/livez` therefore looks at overdue keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from causal_rollouts.control.queue import KeyedQueue

OVERDUE = 180.0
"""Seconds a key may be late before the operator counts as stuck: three idle intervals."""


@dataclass(slots=True)
class Health:
    """Serves `/livez`, `/readyz` and `/metrics` for one queue."""

    queue: KeyedQueue
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    leads: Callable[[], bool] = lambda: True
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    def __post_init__(self) -> None:
        depth = Gauge("causal_rollouts_queue_depth", "Rollouts known to the queue", registry=self.registry)
        late = Gauge("causal_rollouts_queue_oldest_seconds", "Most overdue key", registry=self.registry)
        done = Gauge("causal_rollouts_passes", "Passes finished since the start", registry=self.registry)
        leader = Gauge("causal_rollouts_leader", "1 where this copy works", registry=self.registry)
        leader.set_function(lambda: float(self.leads()))
        depth.set_function(lambda: self.queue.depth)
        late.set_function(self.queue.oldest_due)
        done.set_function(lambda: self.queue.done)

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 switches it off."""
        if port == 0:
            return
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _livez(self, _: web.Request) -> web.Response:
        late = self.queue.oldest_due()
        stuck = late > OVERDUE
        return web.Response(status=500 if stuck else 200, text=f"oldest due key is {late:.0f} s late\n")

    async def _readyz(self, _: web.Request) -> web.Response:
        ready = self.ready.is_set()
        return web.Response(status=200 if ready else 503, text="ready\n" if ready else "starting\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self.registry), content_type="text/plain")
