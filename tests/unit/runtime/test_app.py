"""The operator as a process: it ends when it can no longer see what happens."""

import asyncio
from typing import Any

import kopf
import pytest

from causal_rollouts.ports import Ports
from causal_rollouts.runtime import app
from causal_rollouts.runtime.settings import OperatorSettings

NOTHING = Ports(*[None] * 7)  # type: ignore[arg-type]
SETTINGS = OperatorSettings(prometheus_url="http://127.0.0.1:9", health_port=0)


async def test_it_ends_with_the_reason_when_its_watches_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_off(**_: Any) -> None:
        raise KeyError("uid not found: 65532")

    monkeypatch.setattr(kopf, "operator", break_off)
    operating = asyncio.create_task(app.operate(SETTINGS, NOTHING, asyncio.Event()))
    ended, _ = await asyncio.wait({operating}, timeout=20)
    assert ended, "it goes on without its watches"
    with pytest.raises(KeyError, match="65532"):
        await operating


@pytest.mark.parametrize(("namespaces", "asks"), [("", True), ("shop,pay", False)])
async def test_in_named_namespaces_it_does_not_ask_what_comes_and_goes_in_the_cluster(
    monkeypatch: pytest.MonkeyPatch, namespaces: str, asks: bool
) -> None:
    seen: list[bool] = []

    async def look(registry: kopf.OperatorRegistry, clusterwide: bool, **_: Any) -> None:
        settings = kopf.OperatorSettings()
        for handler in registry._activities.get_all_handlers():
            if handler.id.endswith("tune"):
                await handler.fn(settings=settings)  # type: ignore[call-arg]
        seen.append(not settings.scanning.disabled)
        assert clusterwide is asks

    monkeypatch.setattr(kopf, "operator", look)
    settings = SETTINGS.model_copy(update={"namespaces": namespaces})
    await asyncio.wait_for(app.operate(settings, NOTHING, asyncio.Event()), 20)
    assert seen == [asks]
