"""MetricsSource over the Prometheus HTTP API, for the operator: async, bounded, suspicious.

Raw samples come from an instant query with a range selector: `rate` and
`increase` extrapolate to window edges, which breaks counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from causal_rollouts.adapters.prometheus_answer import read, refuse
from causal_rollouts.adapters.prometheus_query import Question, joined, questions
from causal_rollouts.adapters.prometheus_settings import SourceSettings
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Broken, Scope

__all__ = ["Prometheus", "SourceSettings", "connect"]


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
        pieces = [
            await self._piece(question) for question in questions(metric, scope, start, end, self._settings)
        ]
        return joined(pieces)

    async def _piece(self, question: Question) -> tuple[Series, ...]:
        body = await self._ask(question)
        rename = self._settings.rename
        # In a thread: tens of megabytes of JSON would hold up every watch and probe.
        return await asyncio.to_thread(read, body, start=question.start, end=question.end, rename=rename)

    async def _ask(self, question: Question) -> bytes:
        settings = self._settings
        try:
            async with (
                self._slots,
                asyncio.timeout(settings.deadline),
                self._session.post(
                    settings.endpoint,
                    data=question.form(settings.deadline),
                    headers=settings.headers(),
                    allow_redirects=False,
                ) as response,
            ):
                body = await _bounded(response, settings.body)
                status = response.status
        except TimeoutError:
            raise Broken(f"no whole answer within {settings.deadline:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Broken(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from None
        refuse(status, body)
        return body


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


@asynccontextmanager
async def connect(settings: SourceSettings) -> AsyncIterator[Prometheus]:
    """A source with its own connections; no proxy and no redirect is ever followed."""
    timeout = aiohttp.ClientTimeout(total=settings.deadline, sock_connect=min(5.0, settings.deadline))
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
        yield Prometheus(session, settings)
