"""Owner references: who controls an object, who may adopt it, and what goes with its owner."""

from typing import Any

from causal_rollouts.adapters.kube import Kind
from e2e.embedded.apiserver import ApiServer, Object
from e2e.embedded.selectors import matches, of


def owner_of(kind: Kind, obj: Object) -> Object:
    """The reference of a controller."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "name": obj["metadata"]["name"],
        "uid": obj["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controlled_by(obj: Object, owner: Object) -> bool:
    """The owner is the object's controller."""
    return bool(_controller(obj) == owner["metadata"]["uid"])


def adopt(
    api: ApiServer, kind: Kind, obj: Object, owner: Object, owner_kind: Kind, selector: dict[str, Any]
) -> None:
    """Take an object that nobody controls and whose labels match; let go of one that matches no more."""
    meta = obj["metadata"]
    if meta.get("deletionTimestamp") or _controller(obj):
        return
    if matches(of(selector), meta.get("labels", {})):
        owners = [*meta.get("ownerReferences", []), owner_of(owner_kind, owner)]
        api.change(kind, obj, {**obj, "metadata": {**meta, "ownerReferences": owners}})


def collect_garbage(api: ApiServer) -> None:
    """Delete what lost its last owner, and finish foreground deletions."""
    alive = {obj["metadata"]["uid"] for kind in api.kinds.values() for obj in api.stored(kind)}
    waiting = {
        obj["metadata"]["uid"]
        for kind in api.kinds.values()
        for obj in api.stored(kind)
        if "foregroundDeletion" in obj["metadata"].get("finalizers", [])
    }
    blocked: set[str] = set()
    for kind in list(api.kinds.values()):
        for obj in list(api.stored(kind)):
            owners = [owner["uid"] for owner in obj["metadata"].get("ownerReferences", [])]
            if owners and not any(uid in alive and uid not in waiting for uid in owners):
                blocked.update(owners)
                if not obj["metadata"].get("deletionTimestamp"):
                    api.remove(kind, obj, "Foreground" if waiting & set(owners) else "Background")
    _finish(api, waiting - blocked)


def _finish(api: ApiServer, done: set[str]) -> None:
    for kind in list(api.kinds.values()):
        for obj in list(api.stored(kind)):
            meta = obj["metadata"]
            if meta["uid"] in done:
                left = [name for name in meta["finalizers"] if name != "foregroundDeletion"]
                api.change(kind, obj, {**obj, "metadata": {**meta, "finalizers": left}})


def _controller(obj: Object) -> str:
    owners = obj["metadata"].get("ownerReferences", [])
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")
