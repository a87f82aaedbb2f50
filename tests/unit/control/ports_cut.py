"""Something between the operator and its ports: called before and after every single call."""

from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from typing import Any

from causal_rollouts.ports import Ports

Hook = Callable[[str], Awaitable[None]]


async def _nothing(_: str) -> None:
    return


class _Port:
    """A port whose calls all go through two hooks, which are told `port.method`."""

    def __init__(self, name: str, port: Any, before: Hook, after: Hook) -> None:
        self._name, self._port, self._before, self._after = name, port, before, after

    def __getattr__(self, method: str) -> Any:
        call = getattr(self._port, method)
        named = f"{self._name}.{method}"

        async def passed(*args: Any, **kwargs: Any) -> Any:
            await self._before(named)
            found = await call(*args, **kwargs)
            await self._after(named)
            return found

        return passed


def through(ports: Ports, *, before: Hook = _nothing, after: Hook = _nothing) -> Ports:
    """All ports but the clock, with hooks around every call."""
    names = [f.name for f in fields(ports) if f.name != "clock"]
    return replace(ports, **{name: _Port(name, getattr(ports, name), before, after) for name in names})
