"""`Notifier`: a line for each channel, tried with patience, and with an end to it.

Nothing is kept here that the ledger does not hold. A line that is full takes no
more, so the notice stays owed and is offered again; a process that dies forgets
its lines, and the next one is offered all that was not settled.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from causal_rollouts.adapters.channels import BadChannels, Channel
from causal_rollouts.model.notices import Notice
from causal_rollouts.model.reasons import Delivery

FINAL = frozenset({Delivery.DELIVERED, Delivery.REJECTED, Delivery.REDIRECTED, Delivery.NOT_ALLOWED})
"""What another attempt would not change."""

REMEMBERED = 10_000
"""Settled notices that are remembered until the status holds them; one that is forgotten is sent again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """attempts: in all. first, most: seconds between two, doubled each time.

    line: notices that one channel holds. expires: seconds after which a notice is no news any more.
    """

    attempts: int = 8
    first: float = 2.0
    most: float = 60.0
    line: int = 100
    expires: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one attempt. wait: seconds that the other side asks for."""

    fate: Delivery
    wait: float = 0.0


Send = Callable[[Channel, Notice], Awaitable[Answer]]
Key = tuple[str, str, str]


@dataclass(slots=True)
class Postbox:
    """channels: as the file has them now; may raise BadChannels. send: one attempt; never raises.

    attempts: by channel, those that failed. settled: by channel, how each notice ended.
    """

    channels: Callable[[], Mapping[str, Channel]]
    send: Send
    pace: Pace = Pace()
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    attempts: Counter[tuple[str, Delivery]] = field(default_factory=Counter)
    settled: Counter[tuple[str, Delivery]] = field(default_factory=Counter)
    _fates: dict[Key, Delivery] = field(default_factory=dict)
    _lines: dict[str, deque[Notice]] = field(default_factory=dict)
    _workers: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def post(self, owed: Sequence[Notice], now: float) -> Mapping[Notice, Delivery]:
        """Take what is owed, and tell of those that are settled."""
        try:
            known = self.channels()
        except BadChannels as error:
            log.warning("notices wait: the file of channels: %s", error)
            known = None
        for notice in owed:
            if key(notice) not in self._fates:
                self._take(notice, known, now)
        return {notice: self._fates[key(notice)] for notice in owed if key(notice) in self._fates}

    def waiting(self, channel: str) -> int:
        """Notices in line."""
        return len(self._lines.get(channel, ()))

    async def close(self) -> None:
        """Stop; what is not settled stays owed."""
        workers = list(self._workers.values())
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _take(self, notice: Notice, known: Mapping[str, Channel] | None, now: float) -> None:
        line = self._lines.setdefault(notice.channel, deque())
        if any(key(waiting) == key(notice) for waiting in line):
            return
        if now - notice.time > self.pace.expires:
            self._settle(notice, Delivery.EXPIRED)
        elif known is not None and notice.channel not in known:
            self._settle(notice, Delivery.UNKNOWN_CHANNEL)
        elif known is not None and len(line) < self.pace.line:
            line.append(notice)
            if notice.channel not in self._workers:
                self._workers[notice.channel] = asyncio.create_task(self._work(notice.channel))

    async def _work(self, channel: str) -> None:
        """One after the other, so that a channel hears them in order."""
        line = self._lines[channel]
        try:
            while line:
                self._settle(line[0], await self._delivered(line[0]))
                line.popleft()
        finally:
            del self._workers[channel]

    async def _delivered(self, notice: Notice) -> Delivery:
        pause = self.pace.first
        for attempt in range(1, self.pace.attempts + 1):
            answer = await self._attempt(notice)
            if answer.fate is not Delivery.DELIVERED:
                self.attempts[notice.channel, answer.fate] += 1
                log.warning(
                    "notice %s: channel %s: attempt %d of %d: %s",
                    notice.id,
                    notice.channel,
                    attempt,
                    self.pace.attempts,
                    answer.fate,
                    extra={"rollout": f"{notice.namespace}/{notice.rollout}", "release": notice.release},
                )
            if answer.fate in FINAL or attempt == self.pace.attempts:
                break
            await self.sleep(min(max(pause, answer.wait), self.pace.most))
            pause *= 2
        return answer.fate

    async def _attempt(self, notice: Notice) -> Answer:
        try:
            channel = self.channels().get(notice.channel)
        except BadChannels:
            return Answer(Delivery.UNREADABLE)
        if channel is None:
            return Answer(Delivery.UNKNOWN_CHANNEL)
        try:
            return await self.send(channel, notice)
        except Exception as error:  # noqa: BLE001 - a line that dies would be silent for ever
            # Its text could hold the URL.
            log.warning("notice %s: channel %s: %s", notice.id, notice.channel, type(error).__name__)
            return Answer(Delivery.BROKEN)

    def _settle(self, notice: Notice, fate: Delivery) -> None:
        self.settled[notice.channel, fate] += 1
        self._fates[key(notice)] = fate
        while len(self._fates) > REMEMBERED:
            del self._fates[next(iter(self._fates))]
        if fate is not Delivery.DELIVERED:
            log.error("notice %s: channel %s: given up: %s", notice.id, notice.channel, fate)


def key(notice: Notice) -> Key:
    """The same notice for the same channel."""
    return notice.channel, notice.record_uid, notice.id


async def nobody(channel: Channel, notice: Notice) -> Answer:
    """Where no channel is set there is nobody to send to."""
    del channel, notice
    return Answer(Delivery.UNKNOWN_CHANNEL)
