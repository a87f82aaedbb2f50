"""MetricsSource over the Prometheus HTTP API, for the operator: async, bounded, suspicious.

Raw samples come from an instant query with a range selector: `rate` and
`increase` extrapolate to window edges, which breaks counts.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from causal_rollouts.adapters.prometheus_answer import read
from causal_rollouts.adapters.promql import over, selector, series_names
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Broken, Refused, Scope

REFUSALS = frozenset({400, 422})


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One metrics source. deadline in seconds; body in bytes; at_once: queries under way."""

    url: str
    token_file: Path | None = None
    pod_label: str = "pod"
    namespace_label: str = "namespace"
    deadline: float = 10.0
    body: int = 64 * 1024 * 1024
    at_once: int = 4

    @property
    def rename(self) -> dict[str, str]:
        """Labels of the source -> labels of the gate."""
        return {self.pod_label: "pod", self.namespace_label: "namespace"}


class Prometheus:
    """`MetricsSource`. Use `connect`."""

    def __init__(self, session: aiohttp.ClientSession, settings: SourceSettings) -> None:
        self._session = session
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.at_once)

    async def fetch(self, metric: Metric, scope: Scope, start: float, end: float) -> tuple[Series, ...]:
        """Samples in (start, end].

        Raises:
            Broken: no answer, a late, partial, oversized or senseless one. Refused: the query is wrong.
        """
        if not scope.pods:
            return ()
        s = self._settings
        instant = selector(
            series_names(metric), scope, pod_label=s.pod_label, namespace_label=s.namespace_label
        )
        answer = await self._ask(over(instant, end - start), end)
        return await asyncio.to_thread(read, answer, start=start, end=end, rename=s.rename)

    async def _ask(self, query: str, time: float) -> Any:
        form = {"query": query, "time": f"{time:.3f}", "timeout": f"{self._settings.deadline:g}s"}
        try:
            async with (
                self._slots,
                asyncio.timeout(self._settings.deadline),
                self._session.post(
                    f"{self._settings.url.rstrip('/')}/api/v1/query",
                    data=form,
                    headers=self._headers(),
                    allow_redirects=False,
                ) as response,
            ):
                body = await _bounded(response, self._settings.body)
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Broken(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from None
        if status in REFUSALS:
            raise Refused(f"Prometheus refused the query with status {status}: {_reason(body)}")
        if status != 200:
            raise Broken(f"Prometheus answered with status {status}")
        try:
            return json.loads(body)
        except ValueError as error:
            raise Broken(f"the answer is no JSON: {error}") from None

    def _headers(self) -> dict[str, str]:
        if self._settings.token_file is None:
            return {}
        try:
            return {"Authorization": f"Bearer {self._settings.token_file.read_text().strip()}"}
        except OSError as error:
            raise Broken(f"the token file cannot be read: {error.strerror}") from None


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body, refused beyond `most` bytes: a body without end must not take the operator's memory."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(65536):
        size += len(part)
        if size > most:
            raise Broken(f"the answer is larger than {most} bytes")
        parts.append(part)
    return b"".join(parts)


def _reason(body: bytes) -> str:
    """What Prometheus says of a refused query; never more than a line of it."""
    try:
        return str(json.loads(body).get("error", ""))[:200]
    except (ValueError, AttributeError):
        return "no reason given"


@asynccontextmanager
async def connect(settings: SourceSettings) -> AsyncIterator[Prometheus]:
    """A source with its own connections; no proxy and no redirect is ever followed."""
    timeout = aiohttp.ClientTimeout(total=settings.deadline, sock_connect=5.0)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
        yield Prometheus(session, settings)
