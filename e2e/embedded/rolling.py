"""The Deployment controller: which ReplicaSet has how many replicas.

Follows the real one where a release depends on it: a paused Deployment makes no
ReplicaSet for a new template but still scales those it has, the only active
ReplicaSet is brought to full, and several are scaled in proportion.
"""

import hashlib
import json
import math
from typing import Any

from causal_rollouts.adapters.kube import DEPLOYMENT, REPLICA_SET
from e2e.embedded.apiserver import ApiServer, Object
from e2e.embedded.owners import adopt, controlled_by, owner_of
from e2e.embedded.patches import clone

HASH = "pod-template-hash"
MAX = "deployment.kubernetes.io/max-replicas"
REVISION = "deployment.kubernetes.io/revision"


def reconcile_deployments(api: ApiServer) -> None:
    """One pass over all Deployments."""
    for deployment in list(api.stored(DEPLOYMENT)):
        if not deployment["metadata"].get("deletionTimestamp"):
            _reconcile(api, deployment)


def _reconcile(api: ApiServer, deployment: Object) -> None:
    namespace = deployment["metadata"]["namespace"]
    for rs in api.stored(REPLICA_SET, namespace):
        adopt(api, REPLICA_SET, rs, deployment, DEPLOYMENT, deployment["spec"]["selector"])
    sets = sorted(
        (rs for rs in api.stored(REPLICA_SET, namespace) if controlled_by(rs, deployment)),
        key=lambda rs: (rs["metadata"]["creationTimestamp"], int(_revision(rs)), rs["metadata"]["name"]),
    )
    wanted = deployment["spec"]["template"]
    new = next((rs for rs in sets if _essence(rs["spec"]["template"]) == wanted), None)
    old = [rs for rs in sets if rs is not new]
    if deployment["spec"].get("paused"):
        _scale(api, deployment, new, old)
    elif new is None:
        new = _create(api, deployment, sets)
    elif not _only_size_changed(api, deployment, new, old):
        _bring_up_to_date(api, new, old)
        _roll(api, deployment, new, old)
    _status(api, deployment, new)


def _only_size_changed(api: ApiServer, deployment: Object, new: Object, old: list[Object]) -> bool:
    """A scaling event: replicas were written and no roll is to be advanced in this pass."""
    wanted = str(_replicas(deployment) + surge(deployment))
    stale = [rs for rs in (new, *old) if size(rs) > 0 and _most(rs) not in ("", wanted)]
    if stale:
        _scale(api, deployment, new, old)
    return bool(stale)


def _scale(api: ApiServer, deployment: Object, new: Object | None, old: list[Object]) -> None:
    everyone = [*old, *([new] if new else [])]
    active = [rs for rs in everyone if size(rs) > 0]
    if len(active) <= 1:
        chosen = active[0] if active else new or (old[-1] if old else None)
        if chosen is not None:
            _resize(api, deployment, chosen, _replicas(deployment))
        return
    if new is not None and size(new) == _replicas(deployment) == _ready(new):
        for rs in old:
            _resize(api, deployment, rs, 0)
        return
    _in_proportion(api, deployment, active)


def _in_proportion(api: ApiServer, deployment: Object, active: list[Object]) -> None:
    allowed = _replicas(deployment) + surge(deployment) if _replicas(deployment) else 0
    to_add = allowed - sum(size(rs) for rs in active)
    added = 0
    sizes: dict[str, int] = {}
    for rs in sorted(active, key=size, reverse=True):
        before = int(_most(rs) or 0) or _replicas(deployment)
        fraction = round(size(rs) * allowed / before) - size(rs)
        left = to_add - added
        change = min(fraction, left) if to_add > 0 else max(fraction, left)
        change = 0 if to_add == 0 or (change > 0) != (to_add > 0) else change
        sizes[rs["metadata"]["name"]] = size(rs) + change
        added += change
    largest = max(active, key=size)["metadata"]["name"]
    sizes[largest] = max(0, sizes[largest] + to_add - added)
    for rs in active:
        _resize(api, deployment, rs, sizes[rs["metadata"]["name"]])


def _bring_up_to_date(api: ApiServer, new: Object, old: list[Object]) -> None:
    """An old template that is wanted again gets the newest revision."""
    newest = max((int(_revision(rs)) for rs in old), default=0)
    if int(_revision(new)) <= newest:
        _annotate(api, new, {REVISION: str(newest + 1)})


def _create(api: ApiServer, deployment: Object, sets: list[Object]) -> Object:
    spec, meta = deployment["spec"], deployment["metadata"]
    template = clone(spec["template"])
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
    labels = {**template.get("metadata", {}).get("labels", {}), HASH: digest}
    template.setdefault("metadata", {})["labels"] = labels
    revision = max((int(_revision(rs)) for rs in sets), default=0) + 1
    room = _replicas(deployment) + surge(deployment) - sum(size(rs) for rs in sets)
    first = not any(size(rs) for rs in sets)
    return api.add(
        REPLICA_SET,
        meta["namespace"],
        {
            "metadata": {
                "name": f"{meta['name']}-{digest}",
                "labels": labels,
                "annotations": {
                    REVISION: str(revision),
                    MAX: str(_replicas(deployment) + surge(deployment)),
                },
                "ownerReferences": [owner_of(DEPLOYMENT, deployment)],
            },
            "spec": {
                "replicas": _replicas(deployment) if first else max(0, min(room, _replicas(deployment))),
                "selector": {"matchLabels": {**spec["selector"]["matchLabels"], HASH: digest}},
                "template": template,
            },
        },
    )


def _roll(api: ApiServer, deployment: Object, new: Object, old: list[Object]) -> None:
    wanted = _replicas(deployment)
    total = size(new) + sum(size(rs) for rs in old)
    recreate = deployment["spec"].get("strategy", {}).get("type") == "Recreate"
    if recreate and any(size(rs) for rs in old):
        for rs in old:
            _resize(api, deployment, rs, 0)
        return
    room = wanted + (0 if recreate else surge(deployment)) - total
    if size(new) != wanted and (room > 0 or size(new) > wanted):
        _resize(api, deployment, new, min(wanted, size(new) + max(room, 0)))
        return
    if any(size(rs) for rs in old):
        _shrink(api, deployment, new, old, total)
    elif _ready(new) >= wanted:
        _prune(api, deployment, old)


def _shrink(api: ApiServer, deployment: Object, new: Object, old: list[Object], total: int) -> None:
    least = _replicas(deployment) - unavailable(deployment)
    may_go = total - least - (size(new) - _available(new))
    for rs in old:
        # Pods that do not serve go first and cost no availability.
        idle = min(size(rs) - _available(rs), max(may_go, 0))
        if idle > 0:
            _resize(api, deployment, rs, size(rs) - idle)
            return
    spare = sum(_available(rs) for rs in (new, *old)) - least
    for rs in old:
        gone = min(size(rs), max(spare, 0))
        if gone > 0:
            _resize(api, deployment, rs, size(rs) - gone)
            return


def _prune(api: ApiServer, deployment: Object, old: list[Object]) -> None:
    keep = deployment["spec"].get("revisionHistoryLimit", 10)
    empty = [rs for rs in old if size(rs) == 0 and rs.get("status", {}).get("replicas", 0) == 0]
    for rs in empty[: max(0, len(empty) - keep)]:
        api.remove(REPLICA_SET, rs, "Background")


def _resize(api: ApiServer, deployment: Object, rs: Object, replicas: int) -> None:
    most = str(_replicas(deployment) + surge(deployment))
    if size(rs) == replicas and _most(rs) == most:
        return
    new = {**rs, "spec": {**rs["spec"], "replicas": replicas}, "metadata": _noted(rs, {MAX: most})}
    api.change(REPLICA_SET, rs, new)


def _annotate(api: ApiServer, rs: Object, notes: dict[str, str]) -> None:
    api.change(REPLICA_SET, rs, {**rs, "metadata": _noted(rs, notes)})


def _noted(rs: Object, notes: dict[str, str]) -> Object:
    meta = rs["metadata"]
    return {**meta, "annotations": {**meta.get("annotations", {}), **notes}}


def _status(api: ApiServer, deployment: Object, new: Object | None) -> None:
    namespace = deployment["metadata"]["namespace"]
    sets = [rs for rs in api.stored(REPLICA_SET, namespace) if controlled_by(rs, deployment)]
    counts = {key: sum(rs.get("status", {}).get(key, 0) for rs in sets) for key in _COUNTS}
    fresh = api.find(REPLICA_SET, namespace, new["metadata"]["name"]) if new else None
    status = {
        "observedGeneration": deployment["metadata"]["generation"],
        "updatedReplicas": fresh.get("status", {}).get("replicas", 0) if fresh else 0,
        "unavailableReplicas": max(0, _replicas(deployment) - counts["availableReplicas"]),
        **counts,
    }
    api.change(DEPLOYMENT, deployment, {**deployment, "status": status}, status=True)


_COUNTS = ("replicas", "readyReplicas", "availableReplicas")


def size(rs: Object) -> int:
    """Replicas a ReplicaSet is told to have."""
    found: int = rs["spec"].get("replicas", 1)
    return found


def surge(deployment: Object) -> int:
    """Pods above replicas that a roll may have."""
    if deployment["spec"].get("strategy", {}).get("type") == "Recreate":
        return 0
    up = math.ceil(_share(deployment, "maxSurge"))
    return up or (0 if unavailable(deployment) else 1)


def unavailable(deployment: Object) -> int:
    """Pods below replicas that a roll may leave."""
    down = math.floor(_share(deployment, "maxUnavailable"))
    # Both zero would never move: the API takes one pod then.
    return down or (0 if math.ceil(_share(deployment, "maxSurge")) else 1)


def _share(deployment: Object, key: str) -> float:
    value: Any = deployment["spec"].get("strategy", {}).get("rollingUpdate", {}).get(key, "25%")
    return int(value.rstrip("%")) * _replicas(deployment) / 100 if isinstance(value, str) else float(value)


def _replicas(deployment: Object) -> int:
    found: int = deployment["spec"].get("replicas", 1)
    return found


def _ready(rs: Object) -> int:
    found: int = rs.get("status", {}).get("readyReplicas", 0)
    return found


def _available(rs: Object) -> int:
    found: int = rs.get("status", {}).get("availableReplicas", 0)
    return found


def _most(rs: Object) -> str:
    found: str = rs["metadata"].get("annotations", {}).get(MAX, "")
    return found


def _revision(rs: Object) -> str:
    found: str = rs["metadata"].get("annotations", {}).get(REVISION, "0")
    return found


def _essence(template: Object) -> Object:
    meta = template.get("metadata", {})
    labels = {k: v for k, v in meta.get("labels", {}).items() if k != HASH}
    return {**template, "metadata": {**meta, "labels": labels}}
