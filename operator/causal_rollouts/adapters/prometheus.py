"""MetricsSource over the Prometheus HTTP API, for the operator: async, bounded, suspicious.

Raw samples come from an instant query with a range selector: `rate` and
`increase` extrapolate to window edges, which breaks counts.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from causal_rollouts.adapters.dialling import NotAllowed, dialler
from causal_rollouts.adapters.prometheus_answer import read, refuse, too_large
from causal_rollouts.adapters.prometheus_query import Question, joined, questions
from causal_rollouts.adapters.prometheus_settings import SourceSettings
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Broken, Scope

__all__ = ["Prometheus", "SourceSettings", "connect"]

BUSY = frozenset({429, 503})
LONGEST_SILENCE = 60.0
"""Seconds that a `Retry-After` may keep the operator from asking."""


class Prometheus:
    """`MetricsSource`. Use `connect`."""

    def __init__(self, session: aiohttp.ClientSession, settings: SourceSettings) -> None:
        self._session = session
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.at_once)
        self._reading = asyncio.Lock()
        self._silent_until = 0.0

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
        async with self._slots:
            body = await self._ask(question)
            rename = self._settings.rename
            # JSON takes seven times its size while it is read, so one is read at a time; and in a thread,
            # because tens of megabytes would hold up every watch and probe.
            async with self._reading:
                return await asyncio.to_thread(
                    read, body, start=question.start, end=question.end, rename=rename
                )

    async def _ask(self, question: Question) -> bytes:
        settings = self._settings
        self._mind_silence()
        try:
            async with (
                asyncio.timeout(settings.deadline),
                self._session.post(
                    settings.endpoint,
                    data=question.form(settings.deadline),
                    headers=settings.headers(),
                    allow_redirects=False,
                ) as response,
            ):
                body = await _bounded(response, settings.body)
                status, after = response.status, response.headers.get("Retry-After", "")
        except TimeoutError:
            raise Broken(f"no whole answer within {settings.deadline:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Broken(unreached(error)) from None
        if status in BUSY and after.isdecimal():
            self._silent_until = _now() + min(float(after), LONGEST_SILENCE)
        refuse(status, body)
        return body

    def _mind_silence(self) -> None:
        left = self._silent_until - _now()
        if left > 0:
            raise Broken(f"Prometheus is overloaded and asked for {math.ceil(left)} s of silence")


def _now() -> float:
    return asyncio.get_running_loop().time()


def unreached(error: Exception) -> str:
    """Why there is no answer, never in the words of the other side: those may be anybody's secret."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, NotAllowed):
        return str(cause)
    number = cause.errno if isinstance(cause, OSError) else None
    told = os.strerror(number) if number and number > 0 else ""
    return f"{type(error).__name__}: {told}" if told else type(error).__name__


async def _bounded(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body, refused beyond `most` bytes: a body without end must not take the operator's memory."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(65536):
        size += len(part)
        if size > most:
            raise Broken(too_large(most))
        parts.append(part)
    return b"".join(parts)


@asynccontextmanager
async def connect(settings: SourceSettings) -> AsyncIterator[Prometheus]:
    """A source with its own connections: no proxy, no redirect, and no address outside the allowed ones."""
    timeout = aiohttp.ClientTimeout(total=settings.deadline, sock_connect=min(5.0, settings.deadline))
    connector = aiohttp.TCPConnector(socket_factory=dialler(settings.networks))
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
        yield Prometheus(session, settings)
