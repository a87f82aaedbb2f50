"""`get NAME`: one rollout with its arms, its evidence and its last decisions."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from causal_rollouts.adapters.kube import ROLLOUT
from causal_rollouts.adapters.reading import name as name_of
from causal_rollouts.api.plain import to_plain
from causal_rollouts.cli import listing
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.knowledge import Known, known
from causal_rollouts.cli.printing import age, as_json, fields, say, table
from causal_rollouts.cli.standing import Standing, standing
from causal_rollouts.model.arms import Arm, Pod
from causal_rollouts.ports import Record

LAST = 6
"""Decisions shown."""


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """Print it; without a name the only one there is, or all of them."""
    name: str = asked.name or ""
    async with reach() as cluster:
        if not name:
            found = await cluster.kube.list(ROLLOUT, cluster.namespace)
            if len(found) != 1:
                asked.all_namespaces = False
                return await listing.run(asked, reach)
            name = name_of(found[0])
        seen = await standing(cluster, name)
        say(as_json(_plain(seen)) if asked.output == "json" else detail(seen, cluster.time.now()))
    return Exit.OK


def detail(seen: Standing, now: float) -> str:
    """The whole page of text."""
    since = f", for {age(now - seen.since)}" if seen.since else ""
    parts = [
        fields(
            [
                ("rollout", f"{seen.name} in namespace {seen.namespace}"),
                ("release", seen.release),
                ("phase", f"{seen.phase}{f', stage {seen.step}' if seen.step else ''}{since}"),
                ("weights", _weights(seen)),
                ("verdict", seen.verdict),
                ("because", seen.message),
            ]
        )
    ]
    if seen.record is not None:
        parts += [
            _arms(seen.record),
            _beside(seen.record),
            _evidence(known(seen.record)),
            _decisions(seen.record, now),
        ]
    return "\n\n".join(part for part in parts if part)


def _weights(seen: Standing) -> str:
    return f"canary {seen.canary:g}%, baseline {seen.baseline:g}%, stable {seen.stable:g}%"


def _arms(record: Record) -> str:
    pods = _in_slots(record)
    if record.final or not pods:
        return ""
    rows = [(str(p.arm), p.slot, p.name, p.node or "-", "ready" if p.ready else "not ready") for p in pods]
    return table(("ARM", "SLOT", "POD", "NODE", "STATE"), rows)


def _beside(record: Record) -> str:
    """Other releases that ran when the newest stage began."""
    found = [b for b in record.beside if b.stage == record.release.stage]
    rows = [(b.rollout, b.release or "-", ", ".join((*b.nodes, *b.routes)) or "nothing") for b in found]
    return table(("BESIDE", "RELEASE", "SHARES"), rows) if rows else ""


def _in_slots(record: Record) -> list[Pod]:
    there = [pod for pod in record.release.pods if pod.arm is not Arm.STABLE and pod.deleted is None]
    return sorted(there, key=lambda pod: (pod.arm, pod.slot))


def _evidence(metrics: tuple[Known, ...]) -> str:
    rows = [
        (
            m.name,
            m.effect,
            _nats(m.reading.harm),
            f"{_nats(m.reading.safe)} of {m.needed:.1f}",
            m.stick.gating,
        )
        for m in metrics
    ]
    return table(("METRIC", "EFFECT", "FOR HARM", "FOR SAFETY", "GATING"), rows) if rows else ""


def _nats(evidence: float) -> str:
    return f"{evidence:.1f}" if math.isfinite(evidence) else "none"


def _decisions(record: Record, now: float) -> str:
    rows = [
        (age(now - d.time), str(d.decision.act), str(d.decision.reason), d.decision.because)
        for d in record.decisions[-LAST:]
    ]
    return table(("AGO", "DECISION", "REASON", "BECAUSE"), rows) if rows else ""


def _plain(seen: Standing) -> dict[str, object]:
    record = seen.record
    return {
        **seen.plain(),
        "arms": [to_plain(pod) for pod in _in_slots(record)] if record and not record.final else [],
        "beside": to_plain(record.beside) if record else [],
        "evidence": [m.plain() for m in known(record)] if record else [],
        "decisions": [
            {"time": d.time, "stage": d.stage, "weight": d.weight / 10, **_words(d.decision)}
            for d in (record.decisions if record else ())
        ],
    }


def _words(decision: object) -> dict[str, object]:
    plain = to_plain(decision)
    return dict(plain) if isinstance(plain, dict) else {}
