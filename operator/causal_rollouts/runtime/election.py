"""Which copy of the operator works: the one that holds a Lease.

It saves work and noise and is no lock: whoever acts on an old view loses by
resourceVersion, with a leader or without. No clock is compared with another
one: a lease has run out when *this* process has seen it unchanged for its whole
time, and a leader trusts it for less than that since before it last asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from causal_rollouts.adapters.kube import LEASE, Kube, Object
from causal_rollouts.adapters.reading import section
from causal_rollouts.ports import Broken, NotYet, Refused

DURATION = 15
"""Seconds that a lease holds without being renewed."""

TRUST = 10.0
"""Seconds that its holder relies on a renewal: less than the others wait."""

RETRY = 2.0
"""Seconds between two attempts, to renew as to take."""

log = logging.getLogger("causal_rollouts.election")


@dataclass(slots=True)
class Election:
    """One candidate. identity: of this process, never used again. monotonic, wall: its clocks in seconds."""

    kube: Kube
    namespace: str
    name: str
    identity: str
    monotonic: Callable[[], float]
    wall: Callable[[], float]
    _renewed: float = -math.inf
    _version: str = ""
    _since: float = -math.inf

    @property
    def leads(self) -> bool:
        """May this process work? False at once for one that was stopped for a while and wakes."""
        return self.monotonic() - self._renewed < TRUST

    async def campaign(self) -> None:
        """Take the lease if it is free or has run out, or renew it. Never raises."""
        before = self.leads
        began = self.monotonic()
        try:
            if await self._take(began):
                self._renewed = began
        except NotYet:
            log.info("%s: somebody else wrote the lease %s first", self.identity, self.name)
        except (Refused, Broken) as error:
            log.warning("lease %s/%s: %s", self.namespace, self.name, error)
        if self.leads != before:
            log.info("%s %s", self.identity, "leads" if self.leads else "does not lead any more")

    async def resign(self) -> None:
        """Give the lease back, so that another one need not wait. Never raises."""
        led, self._renewed = self.leads, -math.inf
        with contextlib.suppress(NotYet, Refused, Broken):
            found = await self.kube.get(LEASE, self.namespace, self.name) if led else None
            if found is not None and _holder(found) == self.identity:
                await self._write(found, {"holderIdentity": ""})

    async def run(self, stop: asyncio.Event) -> None:
        """Campaign until `stop`; whoever stops the work resigns after it."""
        while not stop.is_set():
            await self.campaign()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RETRY)

    async def _take(self, began: float) -> bool:
        found = await self.kube.get(LEASE, self.namespace, self.name)
        if found is None:
            held = {"metadata": {"name": self.name, "namespace": self.namespace}, "spec": self._spec(0)}
            await self.kube.create(LEASE, self.namespace, held)
            return True
        holder = _holder(found)
        if holder not in ("", self.identity) and not self._run_out(found, began):
            return False
        changes = int(section(found, "spec").get("leaseTransitions") or 0) + (holder != self.identity)
        await self._write(found, self._spec(changes, acquired=holder != self.identity))
        return True

    def _run_out(self, found: Object, now: float) -> bool:
        version = str(found["metadata"]["resourceVersion"])
        if version != self._version:
            self._version, self._since = version, now
        lasts = max(DURATION, int(section(found, "spec").get("leaseDurationSeconds") or 0))
        return now - self._since >= lasts

    def _spec(self, transitions: int, *, acquired: bool = True) -> Object:
        stamp = datetime.fromtimestamp(self.wall(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": DURATION,
            "renewTime": stamp,
            "leaseTransitions": transitions,
        }
        return spec | {"acquireTime": stamp} if acquired else spec

    async def _write(self, found: Object, spec: Object) -> None:
        seen = {"resourceVersion": found["metadata"]["resourceVersion"]}
        await self.kube.merge(LEASE, self.namespace, self.name, {"metadata": seen, "spec": spec})


def _holder(found: Object) -> str:
    return str(section(found, "spec").get("holderIdentity") or "")
