"""One attempt to send one notice over HTTP: bounded, without redirects, to allowed addresses only.

Only the status line of the answer counts. Its body is never read: it is the
other side's, it may be anybody's secret, and it may have no end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp

from causal_rollouts.adapters import cloudevents, slack
from causal_rollouts.adapters.channels import Channel, Kind, read_channels
from causal_rollouts.adapters.dialling import Network, NotAllowed, dialler
from causal_rollouts.adapters.postbox import Answer, Pace, Postbox
from causal_rollouts.model.notices import Notice
from causal_rollouts.model.reasons import Delivery

DEADLINE = 10.0
"""Seconds for one attempt, from the name to the status line."""

Form = Callable[[Notice], tuple[dict[str, str], bytes]]
FORMS: Mapping[Kind, Form] = {
    Kind.CLOUD_EVENTS: cloudevents.structured,
    Kind.CLOUD_EVENTS_BINARY: cloudevents.binary,
    Kind.SLACK: slack.message,
}


@asynccontextmanager
async def connect(
    file: Path | None, networks: Sequence[Network], *, pace: Pace | None = None, deadline: float = DEADLINE
) -> AsyncIterator[Postbox]:
    """A postbox with its own connections: no proxy, no cookie, no address outside the allowed ones."""
    connector = aiohttp.TCPConnector(socket_factory=dialler(networks, "channel"))
    async with aiohttp.ClientSession(
        connector=connector, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        send = partial(attempt, session, deadline)
        postbox = Postbox(partial(read_channels, file), send, pace or Pace())
        try:
            yield postbox
        finally:
            await postbox.close()


async def attempt(
    session: aiohttp.ClientSession, deadline: float, channel: Channel, notice: Notice
) -> Answer:
    """Send once."""
    headers, body = FORMS[channel.kind](notice)
    headers["User-Agent"] = "causal-rollouts"
    if channel.token:
        headers["Authorization"] = f"Bearer {channel.token}"
    try:
        async with (
            asyncio.timeout(deadline),
            session.post(channel.url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            return _answer(response.status, response.headers.get("Retry-After", ""))
    except TimeoutError:
        return Answer(Delivery.LATE)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(_unreached(error))


def _answer(status: int, after: str) -> Answer:
    if status // 100 == 2:
        return Answer(Delivery.DELIVERED)
    if status in {429, 503}:
        # A date is not read: it would have to be compared with a clock that is not ours.
        return Answer(Delivery.BUSY, float(after[:6]) if after.isdecimal() else 0.0)
    if status // 100 == 3:
        return Answer(Delivery.REDIRECTED)
    # 408 and 425 ask for another attempt, as 5xx do; other refusals would be repeated.
    again = status in {408, 425} or status // 100 != 4
    return Answer(Delivery.BROKEN if again else Delivery.REJECTED)


def _unreached(error: Exception) -> Delivery:
    if isinstance(getattr(error, "os_error", error), NotAllowed):
        return Delivery.NOT_ALLOWED
    return Delivery.NOT_TRUSTED if isinstance(error, aiohttp.ClientSSLError) else Delivery.UNREACHED
