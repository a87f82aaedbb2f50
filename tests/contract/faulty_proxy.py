"""Something between the operator and its Prometheus that spoils answers on purpose, one fault at a time."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from causal_rollouts.analysis.simulation.source import SimulatedSource
from causal_rollouts.model.metrics import Gating, Margins, Metric, MetricKind
from causal_rollouts.ports import Scope
from tests.contract.metrics_servers import free_port, success

Form = Mapping[str, str]
Upstream = Callable[[Form], Awaitable[bytes]]
Answer = Callable[[], Awaitable[bytes]]
Fault = Callable[[web.Request, Form, Answer], Awaitable[web.StreamResponse]]


@dataclass
class FaultyProxy:
    """fault: what is done to answers, None for nothing. asked: questions so far."""

    url: str
    upstream: Upstream
    fault: Fault | None = None
    asked: int = 0

    async def query(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked += 1

        async def answer() -> bytes:
            return await self.upstream(form)

        if self.fault is not None:
            return await self.fault(request, form, answer)
        return web.Response(body=await answer(), content_type="application/json")


@asynccontextmanager
async def between(upstream: Upstream) -> AsyncIterator[FaultyProxy]:
    """A proxy that listens."""
    port = free_port()
    proxy = FaultyProxy(f"http://127.0.0.1:{port}", upstream)
    app = web.Application()
    app.router.add_post("/api/v1/query", proxy.query)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield proxy
    finally:
        await runner.cleanup()


@asynccontextmanager
async def server(url: str) -> AsyncIterator[Upstream]:
    """A server that speaks the query API."""
    async with aiohttp.ClientSession() as session:

        async def ask(form: Form) -> bytes:
            async with session.post(f"{url}/api/v1/query", data=dict(form)) as response:
                return await response.read()

        yield ask


def simulated(source: SimulatedSource) -> Upstream:
    """A simulated service, behind the query API."""

    async def ask(form: Form) -> bytes:
        end, width = float(form["time"]), int(form["query"].rpartition("[")[2].removesuffix("ms]")) / 1000
        named = re.search(r'__name__=~?"([^"]*)"', form["query"])
        names = named[1].replace("\\", "").split("|")
        wanted = {
            "namespace": re.search(r'namespace="([^"]*)"', form["query"])[1],
            "pods": re.search(r'pod=~"([^"]*)"', form["query"])[1].replace("\\", "").split("|"),
        }
        result: list[dict[str, Any]] = []
        for name in names:
            metric = Metric("m", MetricKind.ERRORS, name, Margins(0.05, 0.1), Gating.BOTH)
            scope = Scope(wanted["namespace"], tuple(wanted["pods"]))
            for series in source.fetch(metric, scope, end - width, end):
                pairs = zip(series.times, series.values, strict=True)
                result.append({"metric": dict(series.labels), "values": [[t, repr(v)] for t, v in pairs]})
        return json.dumps(success(result)).encode()

    return ask
