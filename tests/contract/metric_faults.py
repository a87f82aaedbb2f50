"""What goes wrong with metrics: answers that are none, and answers that hold the wrong samples."""

import asyncio
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.contract.faulty_proxy import Answer, Fault, Form

Json = dict[str, Any]
HUGE = 200 * 1024 * 1024
HOUR = 3600.0
CANARY = "canary-9f31c2"
"""Text of the other side, which nobody may ever read in a status, an event or a log."""


@dataclass(frozen=True)
class Case:
    """fault: what is done. words: what a person reads meanwhile, "" where the window stays valid.

    slow: it is the deadline that ends it.
    """

    fault: Fault
    words: str = ""
    slow: bool = False


async def silent(request: web.Request, form: Form, answer: Answer) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


def status(code: int, text: str = "", headers: dict[str, str] | None = None) -> Fault:
    async def fault(request: web.Request, form: Form, answer: Answer) -> web.StreamResponse:
        kinds = {400: "bad_data", 422: "execution"}
        body = {"status": "error", "errorType": kinds.get(code, "unavailable"), "error": text}
        return web.json_response(body, status=code, headers=headers)

    return fault


async def redirected(request: web.Request, form: Form, answer: Answer) -> web.StreamResponse:
    raise web.HTTPTemporaryRedirect("http://169.254.169.254/latest/meta-data")


async def truncated(request: web.Request, form: Form, answer: Answer) -> web.StreamResponse:
    whole = await answer()
    return web.Response(body=whole[: len(whole) // 2], content_type="application/json")


async def cut_off(request: web.Request, form: Form, answer: Answer) -> web.StreamResponse:
    """The connection ends before the body does."""
    response = web.StreamResponse(headers={"Content-Length": "100000"})
    await response.prepare(request)
    await response.write((await answer())[:50])
    request.transport.abort()
    return response


async def dripping(request: web.Request, form: Form, answer: Answer) -> web.StreamResponse:
    """One byte a second."""
    response = web.StreamResponse()
    await response.prepare(request)
    for byte in await answer():
        await response.write(bytes([byte]))
        await asyncio.sleep(1)
    return response


async def huge(request: web.Request, form: Form, answer: Answer) -> web.StreamResponse:
    """200 MB of white space before an answer."""
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(HUGE // (1 << 20)):
        await response.write(b" " * (1 << 20))
    await response.write(await answer())
    return response


def changed(change: Callable[[Json], Json]) -> Fault:
    async def fault(request: web.Request, form: Form, answer: Answer) -> web.StreamResponse:
        return web.json_response(change(json.loads(await answer())))

    return fault


def samples(change: Callable[[list[Json]], list[Json]]) -> Fault:
    """Another list of series."""

    def in_it(whole: Json) -> Json:
        return whole | {"data": whole["data"] | {"result": change(whole["data"]["result"])}}

    return changed(in_it)


def each(change: Callable[[float, float], tuple[float, float]]) -> Fault:
    """Other samples, by time and value."""

    def in_them(series: list[Json]) -> list[Json]:
        return [
            one | {"values": [_pair(*change(float(t), float(v))) for t, v in one["values"]]} for one in series
        ]

    return samples(in_them)


def _pair(time: float, value: float) -> list[Any]:
    return [time, "NaN" if math.isnan(value) else repr(value)]


def twice(series: list[Json]) -> list[Json]:
    """Another target with the same pod, as two jobs that scrape one port make it."""
    return [*series, *(s | {"metric": s["metric"] | {"instance": "other:8080", "job": "b"}} for s in series)]


class Flip:
    """Two servers of one service behind a load balancer: they scrape at other instants, and take turns."""

    def __init__(self, named: bool = False) -> None:
        self.turn, self.named = 0, named

    def __call__(self, series: list[Json]) -> list[Json]:
        self.turn += 1
        labels = {"prometheus_replica": f"prometheus-{self.turn % 2}"} if self.named else {}
        late = 0.9 * (self.turn % 2)
        return [
            s | {"metric": s["metric"] | labels, "values": [[float(t) + late, v] for t, v in s["values"]]}
            for s in series
        ]


class Reset:
    """Counters of all canary pods begin anew, once."""

    def __init__(self) -> None:
        self.base: dict[str, tuple[float, float]] = {}

    def __call__(self, series: list[Json]) -> list[Json]:
        return [self._anew(s) if "-canary-" in s["metric"].get("pod", "") else s for s in series]

    def _anew(self, series: Json) -> Json:
        if not series["values"]:
            return series
        name = json.dumps(series["metric"], sort_keys=True)
        time, value = map(float, series["values"][-1])
        since, base = self.base.setdefault(name, (time, value))
        return series | {
            "values": [[t, repr(float(v) - base) if float(t) > since else v] for t, v in series["values"]]
        }


class Emptied:
    """A server that lost all it had when it was first asked."""

    def __init__(self) -> None:
        self.since = 0.0

    def __call__(self, series: list[Json]) -> list[Json]:
        self.since = self.since or max((float(s["values"][-1][0]) for s in series), default=0.0)
        kept = [s | {"values": [p for p in s["values"] if float(p[0]) > self.since]} for s in series]
        return [s for s in kept if s["values"]]


def from_the_future(series: list[Json]) -> list[Json]:
    """A sample an hour ahead of each series' last."""
    return [s | {"values": [*s["values"], [float(s["values"][-1][0]) + HOUR, "1e12"]]} for s in series]


def gaps(time: float) -> bool:
    """Every third scrape is missing for all."""
    return int(time / 2.5) % 3 == 0


def with_gaps(series: list[Json]) -> list[Json]:
    kept = [s | {"values": [p for p in s["values"] if not gaps(float(p[0]))]} for s in series]
    return [s for s in kept if s["values"]]


def without_canary(series: list[Json]) -> list[Json]:
    """The scrape of one arm is lost."""
    return [s for s in series if "-canary-" not in s["metric"].get("pod", "")]


def others(series: list[Json]) -> list[Json]:
    """Pods that came and went under other names, beside those asked for."""
    return [*series, *(s | {"metric": s["metric"] | {"pod": s["metric"]["pod"] + "-old"}} for s in series)]


def nobody_said(**more: Any) -> Callable[[Json], Json]:
    return lambda whole: whole | more


NO_ANSWER = {
    "time-out": Case(silent, "no whole answer within", slow=True),
    "400": Case(status(400, CANARY), "status 400: it takes the query for wrong"),
    "422": Case(status(422, CANARY), "status 422: the query needs more than it allows"),
    "429": Case(status(429, CANARY), "429"),
    "429 for a while": Case(status(429, headers={"Retry-After": "1"}), "overloaded"),
    "503": Case(status(503, CANARY), "503"),
    "warnings": Case(changed(nobody_said(warnings=[CANARY])), "partial"),
    "an error with status 200": Case(
        changed(lambda _: {"status": "error", "errorType": "timeout", "error": CANARY}),
        "the query timed out",
    ),
    "truncated JSON": Case(truncated, "no JSON"),
    "a connection that is cut": Case(cut_off, "the metrics source does not answer"),
    "a body of 200 MB": Case(huge, "larger than"),
    "a redirect": Case(redirected, "redirect"),
    "a byte a second": Case(dripping, "no whole answer within", slow=True),
}

WRONG_SAMPLES = {
    "not a number": Case(each(lambda t, v: (t, float("nan"))), "not a number"),
    "duplicate series": Case(samples(twice), "scraped by two targets"),
    "one arm is not scraped": Case(samples(without_canary), "arrived"),
    "nothing was scraped": Case(samples(lambda _: []), "nothing arrived"),
    "an hour behind": Case(each(lambda t, v: (t - HOUR, v)), "nothing arrived"),
    "an hour ahead": Case(each(lambda t, v: (t + HOUR, v)), "nothing arrived"),
}

HARMLESS_SAMPLES = {
    "a sample from the future": Case(samples(from_the_future)),
    "pods of others": Case(samples(others)),
    "missed scrapes": Case(samples(with_gaps)),
    "counters of the canary begin anew": Case(samples(Reset())),
    "a server that lost all it had": Case(samples(Emptied())),
    "two servers in turn": Case(samples(Flip())),
    "two named servers in turn": Case(samples(Flip(named=True))),
}
