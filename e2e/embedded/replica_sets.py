"""The ReplicaSet controller: as many pods as asked for, made from the template."""

import hashlib
from collections.abc import Callable

from causal_rollouts.adapters.kube import POD, REPLICA_SET
from e2e.embedded.apiserver import ApiServer, Object
from e2e.embedded.owners import adopt, controlled_by, owner_of
from e2e.embedded.patches import clone
from e2e.embedded.pods import ready_since

Refusal = Callable[[Object], str]
"""What the quota says to a new pod, "" when it lets it in."""


def reconcile_replica_sets(api: ApiServer, refuse: Refusal) -> None:
    """One pass over all ReplicaSets."""
    pods = api.stored(POD)
    for rs in list(api.stored(REPLICA_SET)):
        if rs["metadata"].get("deletionTimestamp"):
            continue
        namespace = rs["metadata"]["namespace"]
        for pod in pods:
            if pod["metadata"]["namespace"] == namespace:
                adopt(api, POD, pod, rs, REPLICA_SET, rs["spec"]["selector"])
        mine = [pod for pod in api.stored(POD, namespace) if controlled_by(pod, rs)]
        live = [pod for pod in mine if not pod["metadata"].get("deletionTimestamp")]
        failure = _resize(api, rs, live, refuse)
        _status(api, rs, failure)


def _resize(api: ApiServer, rs: Object, live: list[Object], refuse: Refusal) -> str:
    wanted = rs["spec"].get("replicas", 1)
    for _ in range(wanted - len(live)):
        pod = _pod(api, rs)
        failure = refuse(pod)
        if failure:
            return failure
        api.add(POD, rs["metadata"]["namespace"], pod)
    # Pods that are not ready go first, then the youngest: the order of the real controller.
    order = sorted(live, key=lambda pod: (ready_since(pod) is not None, -_since(pod)))
    for pod in order[: max(0, len(live) - wanted)]:
        api.remove(POD, pod, "Background")
    return ""


def _since(pod: Object) -> float:
    since = ready_since(pod)
    return 0.0 if since is None else since


def _pod(api: ApiServer, rs: Object) -> Object:
    template = clone(rs["spec"]["template"])
    name = rs["metadata"]["name"]
    ending = hashlib.sha256(f"{name}/{api.version}".encode()).hexdigest()[:5]
    meta = template.get("metadata", {})
    return {
        "metadata": {
            "name": f"{name}-{ending}",
            "labels": meta.get("labels", {}),
            "annotations": meta.get("annotations", {}),
            "ownerReferences": [owner_of(REPLICA_SET, rs)],
        },
        "spec": template["spec"],
        "status": {"phase": "Pending"},
    }


def _status(api: ApiServer, rs: Object, failure: str) -> None:
    fresh = api.find(REPLICA_SET, rs["metadata"]["namespace"], rs["metadata"]["name"])
    if fresh is None:
        return
    pods = [pod for pod in api.stored(POD, rs["metadata"]["namespace"]) if controlled_by(pod, rs)]
    live = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    ready = sum(ready_since(pod) is not None for pod in live)
    status = {
        "replicas": len(live),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "observedGeneration": fresh["metadata"]["generation"],
    }
    if failure:
        status["conditions"] = [
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": failure}
        ]
    api.change(REPLICA_SET, fresh, {**fresh, "status": status}, status=True)
