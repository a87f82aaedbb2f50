"""The operator's metrics source behind a proxy that spoils answers, over a stub and a real one."""

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest

from causal_rollouts.adapters import prometheus
from causal_rollouts.adapters.prometheus_settings import SourceSettings
from causal_rollouts.ports import Broken, Refused
from tests.contract.faulty_proxy import FaultyProxy, between, server
from tests.contract.metric_faults import (
    CANARY,
    HARMLESS_SAMPLES,
    NO_ANSWER,
    WRONG_SAMPLES,
    Case,
    huge,
    status,
)
from tests.contract.metrics_servers import T0, real, stub
from tests.contract.test_metrics_source import END, SHOP, metric

ANSWERED = {**WRONG_SAMPLES, **HARMLESS_SAMPLES}


@dataclass
class Asked:
    proxy: FaultyProxy
    source: prometheus.Prometheus

    def fails(self, case: Case | None) -> None:
        self.proxy.fault = case.fault if case else None
        deadline = 0.2 if case and case.slow else 60.0
        self.source._settings = replace(self.source._settings, deadline=deadline)

    async def fetch(self):
        return await self.source.fetch(metric(), SHOP, T0, END)


@pytest.fixture(scope="module")
def real_prometheus():
    with real() as url:
        yield url


@pytest.fixture(params=["stub", pytest.param("real", marks=pytest.mark.cluster)])
async def behind(request) -> AsyncIterator[Asked]:
    async with AsyncExitStack() as stack:
        if request.param == "real":
            url = request.getfixturevalue("real_prometheus")
        else:
            url, _ = await stack.enter_async_context(stub())
        proxy = await stack.enter_async_context(between(await stack.enter_async_context(server(url))))
        settings = SourceSettings(proxy.url, deadline=60.0, piece=1e6)
        yield Asked(proxy, await stack.enter_async_context(prometheus.connect(settings)))


def held(series):
    return {frozenset(s.labels.items()): (list(s.times), list(s.values)) for s in series}


@pytest.mark.parametrize("name", NO_ANSWER)
async def test_no_answer_says_why_and_the_next_question_is_answered(behind, name):
    before = held(await behind.fetch())
    behind.fails(NO_ANSWER[name])
    with pytest.raises((Broken, Refused)) as caught:
        await behind.fetch()
    told = f"the metrics source does not answer: {caught.value}"
    if name == "429 for a while":
        with pytest.raises(Broken, match="overloaded and asked for 1 s of silence"):
            await behind.fetch()
        await asyncio.sleep(1.05)
    elif name != "a body of 200 MB":
        assert NO_ANSWER[name].words in told
    assert CANARY not in told
    behind.fails(None)
    assert held(await behind.fetch()) == before


@pytest.mark.parametrize("name", ANSWERED)
async def test_samples_of_any_kind_are_taken_as_they_are(behind, name):
    before = held(await behind.fetch())
    behind.fails(ANSWERED[name])
    for series in await behind.fetch():
        assert all(T0 < time <= END for time in series.times)
        assert list(series.times) == sorted(series.times)
    behind.fails(None)
    assert held(await behind.fetch()) == before


async def test_a_body_of_200_mb_takes_no_more_than_the_cap():
    async def nothing(form):
        return b""

    async with between(nothing) as proxy:
        proxy.fault = huge
        async with prometheus.connect(SourceSettings(proxy.url, body=8 << 20)) as source:
            tracemalloc.start()
            with pytest.raises(Broken, match="larger than 8 MiB; let the pods export fewer series"):
                await source.fetch(metric(), SHOP, T0, END)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
    assert peak < 24 << 20


async def test_a_server_that_asks_for_silence_is_not_asked_and_no_longer_than_a_minute(behind, monkeypatch):
    behind.proxy.fault = status(503, headers={"Retry-After": "86400"})
    with pytest.raises(Broken, match="503"):
        await behind.fetch()
    asked = behind.proxy.asked
    for _ in range(5):
        with pytest.raises(Broken, match="60 s of silence"):
            await behind.fetch()
    assert behind.proxy.asked == asked


async def test_many_large_answers_are_read_one_at_a_time(behind, monkeypatch):
    under_way, most = 0, 0

    def read(*args, **more):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        time.sleep(0.02)
        under_way -= 1
        return ()

    monkeypatch.setattr(prometheus, "read", read)
    await asyncio.gather(*(behind.fetch() for _ in range(8)))
    assert most == 1
