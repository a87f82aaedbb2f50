"""One look of the gate: fetch raw samples once, then assess.

Nothing is computed in a query, and metrics of the same series share one. The
source may fail as a whole (then nobody looks and nothing is blamed) or for one
metric (then that metric says so).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from causal_rollouts.control.roster import names
from causal_rollouts.evidence.assess import assess, needed_since
from causal_rollouts.evidence.codec import StateUnreadable
from causal_rollouts.model.evidence import Evidence
from causal_rollouts.model.metrics import Metric
from causal_rollouts.model.telemetry import Look, Series, Telemetry
from causal_rollouts.ports import Broken, MetricsSource, NotYet, Record, Refused, Scope


@dataclass(frozen=True, slots=True)
class Looked:
    """Result of one pass: evidence is None where no look was due or possible."""

    evidence: Evidence | None = None
    state: bytes | None = None
    bin: int | None = None
    provider_error: str = ""
    unreadable: str = ""


def due(record: Record, now: float) -> bool:
    """A newer look bin is final than the last one that was looked at."""
    release = record.release
    return release.look is None or record.registration.grid.last_look(now) > release.look


async def look(record: Record, metrics: MetricsSource, now: float) -> Looked:
    """Every look that is due, in order; stops at the first that proves harm."""
    reg, release = record.registration, record.release
    newest = reg.grid.last_look(now)
    try:
        since = needed_since(reg, release.timeline, record.state, now)
    except StateUnreadable as error:
        return Looked(bin=newest, unreadable=str(error))
    try:
        telemetry = await _fetch(record, metrics, since, reg.grid.end(newest))
    except (Broken, NotYet) as error:
        return Looked(bin=None, provider_error=f"the metrics source does not answer: {error}")
    first = newest if release.look is None or record.state is None else min(release.look + 2, newest)
    state, found = record.state, None
    for index in range(first, newest + 1, 2):
        late = max(0, newest - index)
        seen = Look(time=now, last_final=index, late_bins=late)
        found = assess(reg, release.pods, release.timeline, telemetry, seen, state)
        state = found.state
        if found.evidence.harm:
            return Looked(found.evidence, state, index)
        # After hours without metrics many looks are due: other rollouts get their turn between them.
        await asyncio.sleep(0)
    return Looked(found.evidence if found else None, state, newest)


async def _fetch(record: Record, metrics: MetricsSource, since: float, end: float) -> Telemetry:
    scope = Scope(record.registration.namespace, names(record.release.pods, since))
    problems: dict[tuple[str, ...], str] = {}

    async def one(metric: Metric) -> tuple[Series, ...]:
        try:
            return await metrics.fetch(metric, scope, since, end)
        except Refused as error:
            problems[metric.reads] = str(error)
            return ()

    asked = {metric.reads: metric for metric in record.registration.metrics}
    found = dict(zip(asked, await asyncio.gather(*map(one, asked.values())), strict=True))
    wanted = {metric.name: metric.reads for metric in record.registration.metrics}
    return Telemetry(
        {name: found[reads] for name, reads in wanted.items()},
        {name: problems[reads] for name, reads in wanted.items() if reads in problems},
    )
