"""The newest records of a rollout: what a pass needs of a ledger that may hold fifty large ones.

The same version is the same record, so what was read is not read again until
it was written; older ones are told by their names alone.
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
"""Records kept at most: the newest few of a thousand rollouts."""


@dataclass(frozen=True, slots=True)
class Known:
    """Records by uid with their version; the longest unused go.

    Of ended ones what no later pass asks for is left out.
    """

    read: OrderedDict[str, tuple[str, Record]] = field(default_factory=OrderedDict)

    def find(self, head: Object) -> Record | None:
        """The record with this metadata, if it is known."""
        found = self.read.get(uid(head))
        if found is None or found[0] != _version(head):
            return None
        self.read.move_to_end(uid(head))
        return found[1]

    def kept(self, obj: Object, record: Record) -> Record:
        """It, as it is remembered from now on."""
        record = _light(record) if record.final else record
        self.read[uid(obj)] = _version(obj), record
        self.read.move_to_end(uid(obj))
        while len(self.read) > KEPT:
            self.read.popitem(last=False)
        return record


async def ledger(kube: Kube, known: Known, key: Key) -> Ledger:
    """Names of all records of a rollout, and the newest themselves."""
    heads = sorted(await kube.heads(RECORD, key.namespace, f"{NAME_LABEL}={key.name}"), key=age)
    names, newest = [name(head) for head in heads], list[Record]()
    for head in reversed(heads):
        if _enough(newest):
            break
        record = known.find(head) or await _read(kube, known, key, name(head))
        if record is None:
            names.remove(name(head))
        else:
            newest.insert(0, record)
    return Ledger(tuple(names), tuple(newest))


def age(obj: Object) -> tuple[float, int, str]:
    """Oldest first; creation is told in whole seconds, so the number decides within one."""
    number = name(obj).rpartition("-")[2]
    return created(obj), int(number) if number.isdigit() else 0, name(obj)


async def _read(kube: Kube, known: Known, key: Key, named: str) -> Record | None:
    """None where it is gone, or its release never began."""
    obj = await kube.get(RECORD, key.namespace, named)
    if obj is None or not begun(obj):
        return None
    return known.kept(obj, record_of(obj))


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


def _version(head: Object) -> str:
    return str(head["metadata"]["resourceVersion"])
