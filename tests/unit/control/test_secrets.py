"""Neither the operator's token nor a word of a metrics source ever reaches an object, an event or a log."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from causal_rollouts.adapters import prometheus
from causal_rollouts.adapters.prometheus_settings import SourceSettings
from causal_rollouts.ports import Broken, Refused
from tests.contract.faulty_proxy import Answer, Fault, Form
from tests.contract.metric_faults import CANARY, NO_ANSWER, each, samples, status
from tests.contract.test_metrics_source import END, SHOP, T0, metric
from tests.unit.control.test_metric_faults import Behind

TOKEN = "t0ken-5b1e"  # noqa: S105 - nobody's


async def echo(request: web.Request, form: Form, answer: Answer) -> web.StreamResponse:
    """It tells whoever asks who asked, as a debugging proxy does."""
    said = f"{CANARY} {request.headers.get('Authorization')} {form}"
    return web.json_response({"status": "error", "errorType": "bad_data", "error": said}, status=400)


async def no_http(request: web.Request, form: Form, answer: Answer) -> web.StreamResponse:
    """Something that is no Prometheus at all."""
    request.transport.write(f"-ERR {CANARY} {request.headers.get('Authorization')}\r\n\r\n".encode())
    request.transport.close()
    return web.Response()


def labelled(series: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """It writes into labels, beside samples that are no numbers."""
    return [s | {"metric": {**s["metric"], "instance": CANARY, CANARY: TOKEN}} for s in series]


async def both(request: web.Request, form: Form, answer: Answer) -> web.StreamResponse:
    spoilt = await each(lambda t, v: (t, float("nan")))(request, form, answer)

    async def again() -> bytes:
        return bytes(spoilt.body)

    return await samples(labelled)(request, form, again)


LEAKS: dict[str, Fault] = {
    "its error holds the token": echo,
    "it speaks no HTTP": no_http,
    "it writes into labels": both,
    "its redirect holds the token": status(302, headers={"Location": f"http://{CANARY}/{TOKEN}"}),
    "its warnings": NO_ANSWER["warnings"].fault,
    "its status line": status(503, CANARY),
}


@pytest.mark.parametrize("name", LEAKS)
def test_nothing_is_told(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    behind = Behind("Observing", 0, token_file=secret)
    story = behind.story
    behind.proxy.fault = LEAKS[name]
    story.run(25)
    assert story.condition("EvidenceValid")["status"] == "False"
    whole = json.dumps([list(kind.values()) for kind in story.world.api.objects.values()])
    for text in (TOKEN, CANARY):
        assert text not in whole, f"in an object: {text}"
        assert text not in caplog.text, f"in the log: {text}"
        assert text not in str(story.world.errors)
    behind.close()


@pytest.mark.parametrize("token", ["a\nb-5b1e", "a\x00b-5b1e", "ä-5b1e\r\nX: y"])
async def test_a_token_that_is_no_header_is_not_told(token: str, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text(token)
    async with prometheus.connect(SourceSettings("http://127.0.0.1:1", token_file=secret)) as source:
        with pytest.raises((Broken, Refused)) as caught:
            await source.fetch(metric(), SHOP, T0, END)
    assert "5b1e" not in str(caught.value)
