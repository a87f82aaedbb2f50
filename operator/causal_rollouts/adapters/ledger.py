"""The newest records of a rollout: what a pass needs of a ledger that may hold fifty large ones.

A record that is final never changes, so one that was read is not read again;
the rest is told by names alone.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace

from causal_rollouts.adapters.kube import NAME_LABEL, RECORD, Kube, Object
from causal_rollouts.adapters.reading import created, name, uid
from causal_rollouts.adapters.record_form import begun, record_of
from causal_rollouts.model.reasons import Outcome
from causal_rollouts.model.release import Desired, Templates
from causal_rollouts.model.world import Key
from causal_rollouts.ports import RECENT, Ledger, Record

KEPT = 4000
"""Ended records kept at most: the newest few of a thousand rollouts."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Final records by uid and version, without what no later pass asks of them; the longest unused go."""

    known: OrderedDict[tuple[str, str], Record] = field(default_factory=OrderedDict)

    def find(self, head: Object) -> Record | None:
        """The record with this metadata, if it is known."""
        found = self.known.get(_version(head))
        if found is not None:
            self.known.move_to_end(_version(head))
        return found

    def kept(self, head: Object, record: Record) -> Record:
        """It, as it is remembered from now on."""
        light = self.known[_version(head)] = _light(record)
        while len(self.known) > KEPT:
            self.known.popitem(last=False)
        return light


async def ledger(kube: Kube, ended: Ended, key: Key) -> Ledger:
    """Names of all records of a rollout, and the newest themselves."""
    heads = sorted(await kube.heads(RECORD, key.namespace, f"{NAME_LABEL}={key.name}"), key=age)
    names, newest = [name(head) for head in heads], list[Record]()
    for head in reversed(heads):
        if _enough(newest):
            break
        record = ended.find(head) or await _read(kube, ended, key, name(head))
        if record is None:
            names.remove(name(head))
        else:
            newest.insert(0, record)
    return Ledger(tuple(names), tuple(newest))


def age(obj: Object) -> tuple[float, int, str]:
    """Oldest first; creation is told in whole seconds, so the number decides within one."""
    number = name(obj).rpartition("-")[2]
    return created(obj), int(number) if number.isdigit() else 0, name(obj)


async def _read(kube: Kube, ended: Ended, key: Key, named: str) -> Record | None:
    """None where it is gone, or its release never began."""
    obj = await kube.get(RECORD, key.namespace, named)
    if obj is None or not begun(obj):
        return None
    record = record_of(obj)
    return ended.kept(obj, record) if record.final else record


def _enough(newest: list[Record]) -> bool:
    final = [record for record in newest if record.final]
    promoted = any(record.release.outcome is Outcome.PROMOTED for record in final)
    return len(final) >= RECENT and promoted


def _light(record: Record) -> Record:
    release = replace(record.release, desired=Desired(), timeline=(), pods=(), approvals=())
    told = tuple(replace(line, evidence={}) for line in record.decisions)
    return replace(
        record,
        templates=Templates({}, {}),
        release=release,
        decisions=told if record.registration.notifications else (),
        effective=None,
        trace=(),
        glances=(),
        beside=(),
        requests=(),
        moments=(),
    )


def _version(head: Object) -> tuple[str, str]:
    return uid(head), str(head["metadata"]["resourceVersion"])
