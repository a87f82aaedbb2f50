"""CausalRollouts, policies and records, through the API server.

The record is the write-ahead log: it is written under the version that was
read, so whoever decided on an older one gets NotYet and never acts.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace

from causal_rollouts.adapters.crowd import others
from causal_rollouts.adapters.kube import (
    FINALIZER,
    GROUP,
    NAME_LABEL,
    NAMESPACE,
    POLICY,
    POLICY_LABEL,
    RECORD,
    ROLLOUT,
    Gone,
    Kube,
    Object,
)
from causal_rollouts.adapters.ledger import Known, age, ledger
from causal_rollouts.adapters.reading import created, labels, name, notes, section, uid
from causal_rollouts.adapters.record_form import (
    abandoned,
    begun,
    digest,
    manifest,
    record_of,
    same_beginning,
    status_of,
)
from causal_rollouts.api.v1alpha1 import TARGET_NAME
from causal_rollouts.model import actions as act
from causal_rollouts.model.actions import Action
from causal_rollouts.model.crowd import Other
from causal_rollouts.model.world import Json, Key
from causal_rollouts.ports import VERBS, Ledger, NotYet, Record, Requests, Rollout


@dataclass(frozen=True, slots=True)
class KubeRolloutStore:
    """RolloutStore over the API server."""

    kube: Kube
    known: Known = field(default_factory=Known)

    async def rollout(self, key: Key) -> Rollout | None:
        """The rollout, or None when it is gone."""
        found = await self.kube.get(ROLLOUT, key.namespace, key.name)
        return _rollout(found) if found is not None else None

    async def rollouts_on(self, namespace: str, target: str) -> tuple[Key, ...]:
        """All rollouts of a namespace that name this target, oldest first."""
        found = await self.kube.list(ROLLOUT, namespace, fields=f"{TARGET_NAME}={target}")
        ordered = sorted(found, key=lambda obj: (created(obj), name(obj)))
        return tuple(Key(namespace, name(obj)) for obj in ordered)

    async def others(self, key: Key) -> tuple[Other, ...]:
        """All other rollouts whose release runs or waits for its turn."""
        return await others(self.kube, key)

    async def policy(self, name: str) -> Json | None:
        """Spec of a RolloutPolicy, or None."""
        found = await self.kube.get(POLICY, "", name)
        return section(found, "spec") if found is not None else None

    async def bound_policy(self, namespace: str) -> str:
        """The policy that the namespace's label names, "" where it names none."""
        found = await self.kube.get(NAMESPACE, "", namespace)
        return labels(found).get(POLICY_LABEL, "") if found is not None else ""

    async def ledger(self, key: Key) -> Ledger:
        """The newest records."""
        return await ledger(self.kube, self.known, key)

    async def records(self, key: Key) -> tuple[Record, ...]:
        """All records of a rollout, oldest first; one whose release never began is none yet."""
        found = await self.kube.list(RECORD, key.namespace, f"{NAME_LABEL}={key.name}")
        return tuple(record_of(obj) for obj in sorted(found, key=age) if begun(obj))

    async def open(self, record: Record) -> Record:
        """Create the record with its first status. NotYet when it exists already."""
        made = manifest(record, await self._link(record))
        try:
            obj = await self.kube.create(RECORD, record.key.namespace, made)
        except NotYet:
            obj = await self._half_made(record, made)
        opened = replace(record, previous=str(section(obj, "spec").get("previous") or ""))
        return await self._write(opened, str(obj["metadata"]["resourceVersion"]), status_of(record))

    async def write_ahead(self, record: Record) -> Record:
        """Write state and intent under `record.version`."""
        status = status_of(record)
        if record.final:
            found = await self.kube.get(RECORD, record.key.namespace, record.name)
            if found is None:
                raise Gone(f'RolloutRecord "{record.name}" is not there')
            status["digest"] = digest(section(found, "spec"), status)
        return await self._write(record, record.version, status)

    async def publish(self, rollout: Rollout, status: Json) -> None:
        """Write the rollout's status if it differs."""
        if rollout.status == status:
            return
        gone = dict.fromkeys(rollout.status.keys() - status.keys())
        patch = {"metadata": {"resourceVersion": rollout.version}, "status": {**gone, **status}}
        await self.kube.merge(ROLLOUT, rollout.key.namespace, rollout.key.name, patch, status=True)

    async def perform(self, rollout: Rollout, action: Action) -> None:
        """AddFinalizer, RemoveFinalizer, ClearRequest, DeleteRecord."""
        if isinstance(action, act.DeleteRecord):
            with contextlib.suppress(Gone):
                await self.kube.delete(RECORD, rollout.key.namespace, action.name, uid=action.uid)
            return
        found = await self.kube.get(ROLLOUT, rollout.key.namespace, rollout.key.name)
        if found is None or uid(found) != rollout.uid:
            # With the rollout its finalizer and its annotations are gone too.
            return
        match action:
            case act.AddFinalizer():
                await self._finalizers(found, {*_finalizers(found), FINALIZER})
            case act.RemoveFinalizer():
                await self._finalizers(found, {*_finalizers(found)} - {FINALIZER})
            case act.ClearRequest():
                await self._clear(found, action)
            case _:
                raise TypeError(f"{type(action).__name__} is not for the rollout")

    async def _link(self, record: Record) -> str:
        """The record before this one with its digest, which makes the records a chain."""
        if not record.previous:
            return ""
        before = await self.kube.get(RECORD, record.key.namespace, record.previous)
        found = str(section(before, "status").get("digest") or "") if before else ""
        return f"{record.previous}@sha256:{found}" if found else record.previous

    async def _half_made(self, record: Record, made: Object) -> Object:
        """A record whose writer stopped between creation and first status, if it is this very one.

        Another one is ended as withdrawn, so that the ledger keeps it and the next number is free.
        """
        there = await self.kube.get(RECORD, record.key.namespace, record.name)
        if there is not None and not begun(there):
            if same_beginning(there, made):
                return there
            await self.write_ahead(abandoned(there))
        raise NotYet(f'RolloutRecord "{record.name}" exists already')

    async def _write(self, record: Record, version: str, status: Object) -> Record:
        patch = {"metadata": {"resourceVersion": version}, "status": status}
        obj = await self.kube.merge(RECORD, record.key.namespace, record.name, patch, status=True)
        return replace(record, uid=uid(obj), version=str(obj["metadata"]["resourceVersion"]))

    async def _finalizers(self, found: Object, wanted: set[str]) -> None:
        if wanted == _finalizers(found):
            return
        kept = [f for f in found["metadata"].get("finalizers") or () if f in wanted]
        meta = {
            "resourceVersion": found["metadata"]["resourceVersion"],
            "finalizers": [*kept, *sorted(wanted.difference(kept))] or None,
        }
        await self.kube.merge(ROLLOUT, found["metadata"]["namespace"], name(found), {"metadata": meta})

    async def _clear(self, found: Object, action: act.ClearRequest) -> None:
        if notes(found).get(action.annotation) != action.value:
            # Removed already, or asked anew: a new request is not the one that was carried out.
            return
        path = "/metadata/annotations/" + action.annotation.replace("~", "~0").replace("/", "~1")
        ops = [
            {"op": "test", "path": path, "value": action.value},
            {"op": "remove", "path": path},
        ]
        await self.kube.json_patch(ROLLOUT, found["metadata"]["namespace"], name(found), ops)


def _rollout(obj: Object) -> Rollout:
    meta, asked = obj["metadata"], notes(obj)
    return Rollout(
        key=Key(str(meta["namespace"]), name(obj)),
        uid=uid(obj),
        version=str(meta["resourceVersion"]),
        generation=int(meta.get("generation") or 0),
        deleting=bool(meta.get("deletionTimestamp")),
        held=FINALIZER in _finalizers(obj),
        requests=Requests(**{verb: str(asked.get(f"{GROUP}/{verb}", "")) for verb in VERBS}),
        spec=section(obj, "spec"),
        status=section(obj, "status"),
    )


def _finalizers(obj: Object) -> set[str]:
    return set(obj["metadata"].get("finalizers") or ())
