"""MetricsSource over prometheus-api-client, for what runs on a workstation: recording and replay.

The library by itself waits without end, follows redirects and proxies, retries
in the call, drops warnings of partial answers and reads bodies of any size. The
session below takes all of that from it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.util.retry import Retry

from causal_rollouts.adapters.prometheus_answer import refuse, series_of, too_large, whole
from causal_rollouts.adapters.prometheus_query import Question, joined, questions
from causal_rollouts.adapters.prometheus_settings import SourceSettings
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.telemetry import Series
from causal_rollouts.ports import Broken, Scope


class OfflinePrometheus:
    """`MetricsSource`. Use `connect`."""

    def __init__(self, client: PrometheusConnect, settings: SourceSettings) -> None:
        self._client = client
        self._settings = settings

    async def fetch(self, metric: Metric, scope: Scope, start: float, end: float) -> tuple[Series, ...]:
        """Samples in (start, end].

        Raises:
            Broken: no answer, a late, partial, oversized or senseless one. Refused: the query is wrong.
        """
        if not scope.pods:
            return ()
        asked = list(questions(metric, scope, start, end, self._settings))
        return joined([await asyncio.to_thread(self.piece, question) for question in asked])

    def piece(self, question: Question) -> tuple[Series, ...]:
        """The answer to one question; blocks.

        Raises:
            Broken, Refused: as `fetch`.
        """
        form = question.form(self._settings.deadline)
        query = form.pop("query")
        try:
            result = self._client.custom_query(query, params=form)
        except (requests.RequestException, PrometheusApiClientException, OSError) as error:
            raise Broken(f"{type(error).__name__}: {str(error)[:200]}") from None
        except (KeyError, TypeError, ValueError) as error:
            raise Broken(f"the answer holds no raw samples: {type(error).__name__}") from None
        return series_of(result, start=question.start, end=question.end, rename=self._settings.rename)


class _Wary(requests.Session):
    """A session that sends no query in a URL, follows nothing, and reads no more than it was told to."""

    def __init__(self, settings: SourceSettings) -> None:
        super().__init__()
        self._settings = settings
        self.trust_env = False

    def request(  # type: ignore[override]
        self, method: str, url: str, params: dict[str, str] | None = None, **options: Any
    ) -> requests.Response:
        options |= {
            "allow_redirects": False,
            "stream": True,
            "auth": None,
            "headers": self._settings.headers(),
        }
        began = time.monotonic()
        response = super().request(method, url, data=params, **options)
        with response:
            body = self._bounded(response, began)
        refuse(response.status_code, body)
        whole(body)
        response._content = body  # noqa: SLF001 - what the library reads next
        return response

    def _bounded(self, response: requests.Response, began: float) -> bytes:
        """The body; the library's timeout counts between two bytes, ours from the first to the last."""
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(65536):
            size += len(part)
            if size > self._settings.body:
                raise Broken(too_large(self._settings.body))
            if time.monotonic() - began > self._settings.deadline:
                raise Broken(f"no whole answer within {self._settings.deadline:g} s")
            parts.append(part)
        return b"".join(parts)


@contextmanager
def connect(settings: SourceSettings) -> Iterator[OfflinePrometheus]:
    """A source for as long as a command runs."""
    with PrometheusConnect(
        url=settings.url.rstrip("/"),
        retry=Retry(total=0, redirect=False),
        session=_Wary(settings),
        timeout=settings.deadline,
        method="POST",
    ) as client:
        yield OfflinePrometheus(client, settings)
