"""Endpoints that fail in every way: the notice arrives or is given up, and the gate never waits."""

import asyncio
import ipaddress
import json
import logging
import socket
import time
from pathlib import Path

import pytest
from aiohttp import web

from causal_rollouts.adapters import webhooks
from causal_rollouts.adapters.channels import Channel, Kind
from causal_rollouts.adapters.postbox import Pace
from tests.unit.adapters.notice import NOW, Endpoint, Fault, channels, endpoint, notice, ok, settle

QUICK = Pace(attempts=3, first=0.01, most=0.05)
SECRET = "s3cret-5b1e"  # noqa: S105 - nobody's


def status(code: int, **headers: str) -> Fault:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(
            status=code, text=SECRET, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    return answer


async def slow(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response()


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        for _ in range(10_000):
            await response.write(b"x" * 65536)
    except (ConnectionError, asyncio.CancelledError):
        pass
    return response


async def closes_in_mid_body(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"half")
    request.transport.close()  # type: ignore[union-attr]
    return response


async def closes_before_a_word(request: web.Request) -> web.StreamResponse:
    request.transport.close()  # type: ignore[union-attr]
    return web.Response()


async def no_http(request: web.Request) -> web.StreamResponse:
    request.transport.write(b"-ERR " + SECRET.encode() + b"\r\n\r\n")  # type: ignore[union-attr]
    request.transport.close()  # type: ignore[union-attr]
    return web.Response()


FAULTS: dict[str, tuple[list[Fault], str, int]] = {
    "500, then 200": ([status(500), ok], "Delivered", 2),
    "500 for ever": ([status(500)], "ServerError", 3),
    "429 with Retry-After": ([status(429, Retry_After="1"), ok], "Delivered", 2),
    "503 for ever": ([status(503)], "Busy", 3),
    "404": ([status(404)], "Rejected", 1),
    "408, then 200": ([status(408), ok], "Delivered", 2),
    "redirect": ([status(307, Location="http://127.0.0.1:1/" + SECRET)], "Redirected", 1),
    "slow": ([slow], "Late", 3),
    "slow once": ([slow, ok], "Delivered", 2),
    "a body without end": ([endless], "Delivered", 1),
    "closes in mid-body": ([closes_in_mid_body], "Delivered", 1),
    "closes before a word": ([closes_before_a_word, ok], "Delivered", 2),
    "no HTTP": ([no_http], "Unreached", 3),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_it_arrives_or_is_given_up(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    faults, fate, asked = FAULTS[name]
    async with endpoint(*faults) as there:
        file = channels(tmp_path, f"{there.url}?key={SECRET}")
        async with webhooks.connect(file, (), pace=QUICK, deadline=0.3) as postbox:
            assert await settle(postbox, notice()) == {"checkout-7.12": fate}
            assert len(there.got) == asked
            assert len({body for _, body in there.got}) == 1, "what is sent again is another thing"
    assert SECRET not in caplog.text
    assert there.url not in caplog.text
    assert ("given up" in caplog.text) == (fate != "Delivered")


async def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        file = channels(tmp_path, f"http://127.0.0.1:{taken.getsockname()[1]}/")
        async with webhooks.connect(file, (), pace=QUICK) as postbox:
            assert await settle(postbox, notice()) == {"checkout-7.12": "Unreached"}


async def test_without_the_tls_that_was_asked_for_nothing_is_said(tmp_path: Path) -> None:
    async with endpoint() as there:
        file = channels(tmp_path, there.url.replace("http:", "https:"), more=f", token: {SECRET}")
        async with webhooks.connect(file, (), pace=QUICK) as postbox:
            assert await settle(postbox, notice()) == {"checkout-7.12": "NotTrusted"}
        assert there.got == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_an_address_outside_the_networks_is_never_dialled(host: str, tmp_path: Path) -> None:
    ten = (ipaddress.ip_network("10.0.0.0/8"),)
    async with endpoint() as there:
        file = channels(tmp_path, there.url.replace("127.0.0.1", host))
        async with webhooks.connect(file, ten, pace=QUICK) as postbox:
            assert await settle(postbox, notice()) == {"checkout-7.12": "AddressNotAllowed"}
        assert there.got == []


async def test_metadata_of_clouds_is_never_dialled(tmp_path: Path) -> None:
    file = channels(tmp_path, "http://169.254.169.254/latest/meta-data/")
    async with webhooks.connect(file, (), pace=QUICK) as postbox:
        assert await settle(postbox, notice()) == {"checkout-7.12": "AddressNotAllowed"}


async def test_retry_after_is_minded_and_only_for_a_while(tmp_path: Path) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    asked = [status(429, Retry_After=after) for after in ("7", "999999", "never")]
    async with endpoint(*asked, ok) as there, webhooks.connect(channels(tmp_path, there.url), ()) as postbox:
        postbox.sleep = sleep
        assert await settle(postbox, notice()) == {"checkout-7.12": "Delivered"}
    assert pauses == [7.0, 60.0, 8.0]


async def test_a_token_goes_as_a_header_and_nothing_of_the_answer_is_kept(tmp_path: Path) -> None:
    async with (
        endpoint(status(200, Set_Cookie="a=b")) as there,
        webhooks.connect(channels(tmp_path, there.url), ()) as postbox,
    ):
        # By a name: of an address no client keeps cookies anyway.
        url = there.url.replace("127.0.0.1", "localhost")
        named = Channel("team", Kind.CLOUD_EVENTS, url, SECRET)
        postbox.channels = lambda: {"team": named}
        await settle(postbox, notice(), notice(seq=13))
        assert SECRET not in repr(named)
        assert url not in repr(named)
    assert [headers["Authorization"] for headers, _ in there.got] == [f"Bearer {SECRET}"] * 2
    assert not any("Cookie" in headers for headers, _ in there.got)


async def test_posting_waits_for_no_endpoint(tmp_path: Path) -> None:
    async with endpoint(slow) as there, webhooks.connect(channels(tmp_path, there.url), ()) as postbox:
        begin = time.perf_counter()
        for seq in range(200):
            assert await postbox.post((notice(seq=seq),), NOW) == {}
        assert time.perf_counter() - begin < 1.0
        assert postbox.waiting("team") == 100, "a line without end"
        await asyncio.sleep(0.05)
        assert len(there.got) == 1


def in_order(there: Endpoint) -> list[str]:
    return [json.loads(body)["id"] for _, body in there.got]


async def test_notices_arrive_in_order_also_after_trouble(tmp_path: Path) -> None:
    async with (
        endpoint(status(500), ok) as there,
        webhooks.connect(channels(tmp_path, there.url), (), pace=QUICK) as postbox,
    ):
        await settle(postbox, notice(seq=1), notice(seq=2), notice(seq=3))
        assert in_order(there) == ["checkout-7.1", "checkout-7.1", "checkout-7.2", "checkout-7.3"]
