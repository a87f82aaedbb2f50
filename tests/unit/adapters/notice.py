"""A notice to send, and an endpoint that misbehaves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aiohttp import web

from causal_rollouts.model.notices import Notice
from causal_rollouts.model.reasons import Act, Phase, Severity, Verdict

NOW = 1_760_000_000.25
PLAIN = Notice(
    channel="team",
    namespace="shop",
    rollout="checkout",
    release="checkout-7",
    record_uid="6b1e",
    seq=12,
    time=NOW,
    phase=Phase.REVERTING,
    act=Act.REVERT,
    cause="HarmProven",
    severity=Severity.TICKET,
    verdict=Verdict.HARM,
    because="the candidate causes harm: latency +52.0%",
    step=1,
    steps=3,
    weight=50,
)


def notice(**changes: Any) -> Notice:
    return replace(PLAIN, **changes)


def channels(folder: Path, url: str, kind: str = "CloudEvents", name: str = "team", more: str = "") -> Path:
    """A file of one channel."""
    file = folder / "channels.yaml"
    file.write_text(f"{name}: {{kind: {kind}, url: '{url}'{more}}}\n")
    return file


Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def ok(_: web.Request) -> web.StreamResponse:
    return web.Response(text="ok")


@dataclass
class Endpoint:
    """Keeps what it was sent. faults: answers in turn, the last one for ever."""

    faults: list[Fault] = field(default_factory=lambda: [ok])
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.got.append((dict(request.headers), await request.read()))
        fault = self.faults.pop(0) if len(self.faults) > 1 else self.faults[0]
        return await fault(request)


@asynccontextmanager
async def endpoint(*faults: Fault) -> AsyncIterator[Endpoint]:
    """A real server on this machine."""
    made = Endpoint(list(faults) or [ok])
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    made.url = f"http://127.0.0.1:{port}/hook"
    try:
        yield made
    finally:
        await runner.cleanup()


async def settle(postbox: Any, *notices: Notice, now: float = NOW) -> dict[str, str]:
    """Post until all are settled: id -> fate."""
    for _ in range(400):
        found = await postbox.post(notices, now)
        if len(found) == len(notices):
            return {n.id: str(fate) for n, fate in found.items()}
        await asyncio.sleep(0.01)
    raise AssertionError("it was never settled")
