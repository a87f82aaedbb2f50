"""The API server as adapters see it: versions, conflicts, patches, admission, finalizers. Deterministic.

One `ApiServer` holds the objects and the only clock of its world; `client(user)`
gives the verbs of `Kube` to somebody. Controllers read and write the same
objects through `stored` and `change`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from causal_rollouts.adapters.kube import DEPLOYMENT, FIELD_MANAGER, NODE, POD, Kind, Kube
from causal_rollouts.ports import NotYet
from e2e.embedded import ownership
from e2e.embedded.admission import OPERATOR, fill_in, gate, validate
from e2e.embedded.patches import clone

Object = dict[str, Any]
NO_STATUS = frozenset({"services", "endpointslices", "events", "configmaps"})
SYSTEM = "system:kube-controller-manager"
TERMINATION = 2.0
"""Seconds from the deletion of a running pod to its end."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as `ApiServer.before` and `ApiServer.writes` see it."""

    user: str
    verb: str
    kind: str
    namespace: str
    name: str


@dataclass(slots=True)
class ApiServer:
    """time: the one clock, moved by whoever tells the story.

    bypass: people with the verb `bypass`. writes: every write that changed something, oldest first.
    before: called with each request of a client, before it; what it raises, the client gets.
    """

    time: float = 1_800_000_000.0
    bypass: set[str] = field(default_factory=set)
    writes: list[Call] = field(default_factory=list)
    before: Callable[[Call], None] | None = None
    version: int = 1000
    objects: dict[str, dict[tuple[str, str], Object]] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)

    def now(self) -> float:
        """Seconds since the epoch: the server is its world's Clock."""
        return self.time

    def stamp(self, time: float | None = None) -> str:
        """A time as the API writes it."""
        return datetime.fromtimestamp(self.time if time is None else time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def client(self, user: str = OPERATOR, manager: str = "") -> Kube:
        """The API for one user. manager: name in managedFields, by default as the operator and kubectl do."""
        from e2e.embedded.client import Client  # it needs this module

        return Client(self, user, manager or (FIELD_MANAGER if user == OPERATOR else "kubectl-edit"))

    def stored(self, kind: Kind, namespace: str = "") -> list[Object]:
        """All objects of a kind, by namespace and name. Not copies: only to read."""
        found = self.objects.get(kind.plural, {})
        return [found[key] for key in sorted(found) if not namespace or key[0] == namespace]

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """One object or None. Not a copy: only to read."""
        return self.objects.get(kind.plural, {}).get((namespace if kind.namespaced else "", name))

    def add(self, kind: Kind, namespace: str, obj: Object, user: str = SYSTEM, manager: str = "") -> Object:
        """Create."""
        new: Object = clone(obj)
        new["apiVersion"], new["kind"] = kind.api_version, kind.kind
        meta = new.setdefault("metadata", {})
        if kind.namespaced:
            meta["namespace"] = namespace
        if not meta.get("name"):
            meta["name"] = f"{meta.get('generateName', 'unnamed-')}{self.version:x}"
        if self.find(kind, namespace, meta["name"]) is not None:
            raise NotYet(f'{kind.plural} "{meta["name"]}" already exists')
        if kind not in (NODE, POD) or user != SYSTEM:
            new.pop("status", None)
        fill_in(kind, new)
        validate(kind, None, new)
        meta["uid"] = self._uid(kind, namespace, meta["name"])
        meta["creationTimestamp"] = self.stamp()
        if "spec" in new:
            meta["generation"] = 1
        if kind == DEPLOYMENT:
            ownership.updated(None, new, manager or "kubectl-create")
        self._keep(kind, new, user, "create")
        return new

    def change(
        self,
        kind: Kind,
        old: Object,
        new: Object,
        user: str = SYSTEM,
        *,
        status: bool = False,
        manager: str = "kube-controller-manager",
    ) -> Object:
        """Replace `old`, which must be what is stored, by `new`: the end of every update and patch."""
        served = kind.plural not in NO_STATUS
        if served and status:
            new = {**old, "metadata": dict(old["metadata"]), "status": new.get("status", {})}
        elif served:
            new = {k: v for k, v in new.items() if k != "status"} | _only(old, "status")
        new["metadata"] = {
            **new["metadata"],
            **{k: old["metadata"][k] for k in _FIXED & old["metadata"].keys()},
        }
        if not new["metadata"].get("finalizers"):
            new["metadata"].pop("finalizers", None)
        if kind == DEPLOYMENT and not status:
            self._admit(old, new, user, manager)
        if not status:
            fill_in(kind, new)
        validate(kind, old, new)
        if _changes_generation(kind, old, new):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if _plain(new) == _plain(old):
            return old
        self._keep(kind, new, user, "status" if status else "update")
        if new["metadata"].get("deletionTimestamp") and not new["metadata"].get("finalizers") and kind != POD:
            self.forget(kind, new)
        return new

    def _admit(self, old: Object, new: Object, user: str, manager: str) -> None:
        if not new["spec"].get("paused"):
            # The typed object drops a false value, and with it whoever owned the field.
            new["spec"] = {k: v for k, v in new["spec"].items() if k != "paused"}
        if manager:
            ownership.updated(old, new, manager)
        gate(old, new, user, bypass=user in self.bypass)

    def remove(self, kind: Kind, obj: Object, propagation: str, user: str = SYSTEM) -> None:
        """Delete, or mark as being deleted while a finalizer or a running pod holds it."""
        meta = obj["metadata"]
        running = kind == POD and bool(obj["spec"].get("nodeName"))
        if propagation == "Orphan":
            self._orphan(meta["uid"])
        finalizers = list(meta.get("finalizers", []))
        if propagation == "Foreground" and "foregroundDeletion" not in finalizers:
            finalizers.append("foregroundDeletion")
        if not running and not finalizers:
            self.writes.append(_call(user, "delete", obj))
            self.forget(kind, obj)
            return
        if meta.get("deletionTimestamp"):
            return
        grace = int(TERMINATION) if running else 0
        end = self.stamp(self.time + grace)
        marked = {
            **meta,
            "deletionTimestamp": end,
            "deletionGracePeriodSeconds": grace,
            "finalizers": finalizers,
        }
        if not finalizers:
            del marked["finalizers"]
        self._keep(kind, {**obj, "metadata": marked}, user, "delete")

    def forget(self, kind: Kind, obj: Object) -> None:
        """Take it out of the store."""
        self.version += 1
        del self.objects[kind.plural][obj["metadata"].get("namespace", ""), obj["metadata"]["name"]]

    def _keep(self, kind: Kind, obj: Object, user: str, verb: str) -> None:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        key = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        self.kinds[kind.plural] = kind
        self.objects.setdefault(kind.plural, {})[key] = obj
        self.writes.append(_call(user, verb, obj))

    def _uid(self, kind: Kind, namespace: str, name: str) -> str:
        digest = hashlib.sha256(f"{kind.plural}/{namespace}/{name}/{self.version}".encode()).hexdigest()
        return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))

    def _orphan(self, uid: str) -> None:
        for plural, kind in list(self.kinds.items()):
            for obj in list(self.objects.get(plural, {}).values()):
                owners = obj["metadata"].get("ownerReferences", [])
                left = [owner for owner in owners if owner["uid"] != uid]
                if len(left) < len(owners):
                    meta = {k: v for k, v in obj["metadata"].items() if k != "ownerReferences"}
                    if left:
                        meta["ownerReferences"] = left
                    self._keep(kind, {**obj, "metadata": meta}, SYSTEM, "update")


_FIXED = frozenset(
    {
        "uid",
        "creationTimestamp",
        "namespace",
        "name",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    }
)


def _only(obj: Object, key: str) -> Object:
    return {key: obj[key]} if key in obj else {}


def _plain(obj: Object) -> Object:
    meta = {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}
    return {**obj, "metadata": meta}


def _changes_generation(kind: Kind, old: Object, new: Object) -> bool:
    if old.get("spec") != new.get("spec"):
        return True
    # Deployments alone count annotations too, which is why nothing may rely on their generation.
    notes = [obj["metadata"].get("annotations", {}) for obj in (old, new)]
    return kind == DEPLOYMENT and notes[0] != notes[1]


def _call(user: str, verb: str, obj: Object) -> Call:
    meta = obj["metadata"]
    return Call(user, verb, obj["kind"], meta.get("namespace", ""), meta["name"])


__all__ = ["OPERATOR", "SYSTEM", "ApiServer", "Call"]
