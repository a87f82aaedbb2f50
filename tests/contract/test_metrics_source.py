"""MetricsSource: both adapters, against a stub that misbehaves and against a real Prometheus."""

import asyncio
import gzip
import itertools
import math
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
import re2
from aiohttp import web

from causal_rollouts.adapters import prometheus, prometheus_offline
from causal_rollouts.adapters.prometheus_settings import SourceSettings
from causal_rollouts.adapters.promql import over, selector
from causal_rollouts.model.metrics import Gating, Margins, Matcher, Metric, MetricKind
from causal_rollouts.ports import Broken, Refused, Scope
from tests.contract.metrics_servers import COUNT, STEP, T0, real, stub, success

END = T0 + (COUNT - 1) * STEP
SHOP = Scope("shop", ("web-1",))


@asynccontextmanager
async def offline(settings):
    with prometheus_offline.connect(settings) as source:
        yield source


ADAPTERS = {"aiohttp": prometheus.connect, "prometheus-api-client": offline}


@pytest.fixture(params=list(ADAPTERS))
def adapter(request):
    return ADAPTERS[request.param]


@pytest.fixture(scope="module")
def real_prometheus():
    with real() as url:
        yield url


@pytest.fixture(params=["stub", pytest.param("real", marks=pytest.mark.cluster)])
async def source(request, adapter):
    async with AsyncExitStack() as stack:
        if request.param == "real":
            url = request.getfixturevalue("real_prometheus")
        else:
            url, _ = await stack.enter_async_context(stub())
        made = await stack.enter_async_context(adapter(SourceSettings(url)))
        made.url = url
        yield made


def metric(kind=MetricKind.ERRORS, series="http_server_requests_total", **fields):
    return Metric("m", kind, series, Margins(0.05, 0.1), Gating.BOTH, **fields)


def found(series, *names):
    """Times and values by the labels asked for."""
    return {tuple(s.labels[n] for n in names): (list(s.times), list(s.values)) for s in series}


async def test_samples_come_raw_and_in_order_without_the_first_instant(source):
    series = await source.fetch(metric(), SHOP, T0 + STEP, T0 + 4 * STEP)
    times = [T0 + i * STEP for i in (2, 3, 4)]
    assert found(series, "code") == {("200",): (times, [2.0, 3.0, 4.0]), ("500",): (times, [2.0, 3.0, 4.0])}
    assert {s.labels["__name__"] for s in series} == {"http_server_requests_total"}


async def test_another_namespace_and_pods_that_only_look_alike_stay_out(source):
    series = await source.fetch(metric(), Scope("shop", ("web-1", "web.1")), T0, END)
    assert {(s.labels["namespace"], s.labels["pod"]) for s in series} == {
        ("shop", "web-1"),
        ("shop", "web.1"),
    }


async def test_a_pod_name_that_tries_to_leave_the_query_finds_nothing(source):
    bad = Scope("shop", ('x"} or {__name__=~".+', "web-1|.*"))
    assert await source.fetch(metric(), bad, T0, END) == ()


async def test_each_kind_asks_for_its_own_series(source):
    latency = await source.fetch(
        metric(MetricKind.LATENCY, "http_server_request_duration_seconds"), SHOP, T0, END
    )
    assert {s.labels["le"] for s in latency} == {"0.1", "+Inf"}
    failed = await source.fetch(metric(series="jobs_failed_total", of="jobs_processed_total"), SHOP, T0, END)
    assert {s.labels["__name__"] for s in failed} == {"jobs_failed_total", "jobs_processed_total"}
    restarts = await source.fetch(metric(MetricKind.RESTARTS, ""), SHOP, T0, END)
    assert {s.labels["container"] for s in restarts} == {"web"}


async def test_a_footprint_asks_once_for_use_and_requests_of_its_own_pods(source):
    cpu = metric(MetricKind.FOOTPRINT, "container_cpu_usage_seconds_total", of="http_server_requests_total")
    series = await source.fetch(cpu, SHOP, T0, END)
    assert sorted((s.labels["__name__"], s.labels.get("container", "")) for s in series) == [
        ("container_cpu_usage_seconds_total", "POD"),
        ("container_cpu_usage_seconds_total", "web"),
        ("http_server_requests_total", ""),
        ("http_server_requests_total", ""),
    ]
    assert {(s.labels["namespace"], s.labels["pod"]) for s in series} == {("shop", "web-1")}
    [held] = await source.fetch(
        metric(MetricKind.FOOTPRINT, "container_memory_working_set_bytes"), SHOP, T0, END
    )
    assert list(held.values)[:2] == [1e6, 2e6]


async def test_ignored_labels_still_come_because_the_evidence_filters(source):
    ignoring = metric(ignore=(Matcher((("code", "5.."),)),))
    assert len(await source.fetch(ignoring, SHOP, T0, END)) == 2


async def test_not_a_number_is_kept_for_the_evidence(source):
    [series] = await source.fetch(metric(series="odd_total"), SHOP, T0, END)
    assert [math.isnan(value) for value in series.values].count(True) == 1
    assert series.labels["note"] == 'a "quoted" \\ back'


async def test_nothing_is_nothing_and_no_pods_are_no_question(source):
    assert await source.fetch(metric(series="no_such_total"), SHOP, T0, END) == ()
    assert await source.fetch(metric(), Scope("shop", ()), T0, END) == ()
    assert await source.fetch(metric(), SHOP, T0 - 7200, T0 - 3600) == ()


async def test_a_name_that_is_none_is_refused_before_anybody_is_asked(source):
    with pytest.raises(Refused, match="no metric name"):
        await source.fetch(metric(series='x{y="z"}'), SHOP, T0, END)


async def test_a_long_range_in_pieces_is_the_same(source, adapter):
    whole = await source.fetch(metric(), SHOP, T0, END)
    async with adapter(SourceSettings(source.url, piece=100.0)) as piecewise:
        pieces = await piecewise.fetch(metric(), SHOP, T0, END)
    assert found(pieces, "code") == found(whole, "code")
    assert all(len(s.times) == COUNT - 1 for s in whole)


async def test_labels_of_the_source_come_under_the_names_of_the_gate(source, adapter):
    settings = SourceSettings(source.url, pod_label="container", namespace_label="namespace")
    async with adapter(settings) as renamed:
        [series] = await renamed.fetch(metric(MetricKind.RESTARTS, ""), Scope("shop", ("web",)), T0, END)
    assert series.labels["pod"] == "web"
    assert "container" not in series.labels


@pytest.mark.cluster
async def test_prometheus_itself_reads_the_namespace_and_the_pods_of_any_query(real_prometheus):
    """Its own parser over names that try to leave their strings."""
    nasty = [
        '"} or {__name__=~".+',
        "web-1|.*",
        "\\",
        "\\Q.*",
        "`",
        "a\nb",
        "\u2028",
        "#",
        "ä",
        "{{x}}",
        "sum",
    ]
    async with aiohttp.ClientSession() as session:
        for namespace, pods in itertools.product(nasty, itertools.combinations(nasty, 2)):
            query = over(selector(["sum"], Scope(namespace, pods)), 30.0)
            url = f"{real_prometheus}/api/v1/parse_query"
            async with session.post(url, data={"query": query}) as response:
                read = (await response.json())["data"]
            assert (read["type"], read["offset"], read["timestamp"]) == ("matrixSelector", 0, None)
            name, where, who = sorted(read["matchers"], key=lambda m: m["name"])
            assert (name["type"], name["value"]) == ("=", "sum")
            assert (where["name"], where["type"], where["value"]) == ("namespace", "=", namespace)
            assert (who["name"], who["type"]) == ("pod", "=~")
            assert all(re2.fullmatch(who["value"], pod) for pod in pods)


# How a server fails, which only the stub does on purpose.


@pytest.fixture
async def broken(adapter):
    async with stub() as (url, server):

        async def ask(answer, **settings):
            server.answer = answer
            async with adapter(SourceSettings(url, **settings)) as made:
                return await made.fetch(metric(), SHOP, T0, END)

        ask.server, ask.url = server, url
        yield ask


def says(code=200, text=None, **body):
    async def answer(request, form):
        return web.json_response(body, status=code) if text is None else web.Response(text=text, status=code)

    return answer


ONE = {"metric": {"__name__": "x", "pod": "web-1"}, "values": [[T0 + 2, "2"], [T0 + 1, "1"]]}


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (says(**success([ONE], warnings=["some stores did not answer"])), "partial"),
        (says(503), "503"),
        (says(429), "429"),
        (says(401), "401"),
        (says(302), "302"),
        (says(status="error", errorType="timeout", error="x"), "timed out"),
        (says(text='{"status":"success","data":{"resultType":"ma'), "JSON"),
        (says(text="<html>log in</html>"), "JSON"),
        (says(text="[]"), "JSON"),
        (
            says(
                status="success", data={"resultType": "matrix", "result": [{"metric": {}, "values": [[1]]}]}
            ),
            "series",
        ),
    ],
)
async def test_what_is_no_whole_answer_is_broken(broken, answer, why):
    with pytest.raises(Broken, match=why):
        await broken(answer)


@pytest.mark.parametrize("status", [400, 422])
async def test_a_query_that_the_server_refuses_is_refused_in_our_words(broken, status):
    answer = says(status, status="error", errorType="bad_data", error="parse error: secret")
    with pytest.raises(Refused, match="takes the query for wrong; see its log") as caught:
        await broken(answer)
    assert "secret" not in str(caught.value)


async def test_duplicate_series_stay_two_and_samples_are_put_in_order(broken):
    series = await broken(says(**success([ONE, ONE])), piece=1e6)
    assert [list(s.values) for s in series] == [[1.0, 2.0], [1.0, 2.0]]


async def test_an_endless_body_is_cut_off(broken):
    async def endless(request, form):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(b" " * 65536)
        return response

    with pytest.raises(Broken, match="larger than"):
        await broken(endless, body=1_000_000)


async def test_a_small_body_that_unpacks_to_a_large_one_is_cut_off(broken):
    packed = gzip.compress(b" " * 20_000_000)

    async def bomb(request, form):
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    with pytest.raises(Broken, match="larger than"):
        await broken(bomb, body=1_000_000)


async def test_a_server_that_never_ends_its_answer_is_given_up(broken):
    async def drips(request, form):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(60):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    with pytest.raises(Broken, match=r"within 0\.3 s|Timeout"):
        await broken(drips, deadline=0.3)


async def test_a_redirect_is_not_followed(broken):
    async def elsewhere(request, form):
        raise web.HTTPTemporaryRedirect("/api/v1/query")

    with pytest.raises(Broken, match="307"):
        await broken(elsewhere)
    assert len(broken.server.asked) == 1


async def test_nobody_there_is_broken(adapter):
    async with adapter(SourceSettings("http://127.0.0.1:1")) as made:
        with pytest.raises(Broken):
            await made.fetch(metric(), SHOP, T0, END)


async def test_the_query_is_posted_and_says_who_asks(broken, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("t0ken\n")
    await broken(None, token_file=secret)
    await broken(None, user="me", password_file=secret)
    (form, first, url), (_, second, _) = broken.server.asked[0], broken.server.asked[-1]
    assert url == "/api/v1/query"
    assert 'namespace="shop"' in form["query"]
    assert first["Authorization"] == "Bearer t0ken"
    assert second["Authorization"] == "Basic bWU6dDBrZW4="
    with pytest.raises(Broken, match="cannot be read"):
        await broken(None, token_file=tmp_path / "gone")


async def test_proxies_of_the_environment_are_not_used(broken, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    assert await broken(None)


async def test_the_operators_adapter_can_be_cancelled_in_the_middle():
    """The offline one cannot: a thread is not cancelled, which is one reason why there are two."""
    async with stub() as (url, server):
        over = asyncio.Event()

        async def hangs(request, form):
            await over.wait()
            return web.Response()

        server.answer = hangs
        async with prometheus.connect(SourceSettings(url, deadline=30.0)) as made:
            asking = asyncio.create_task(made.fetch(metric(), SHOP, T0, END))
            await asyncio.sleep(0.1)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        over.set()
