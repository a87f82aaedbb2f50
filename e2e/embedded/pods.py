"""The scheduler and the kubelets: where a pod runs, when it is ready, and how it fails.

Every time is computed from when a thing began, not from when somebody looked,
so long and short steps tell the same story.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from causal_rollouts.adapters.kube import HOSTNAME, NODE, POD
from e2e.embedded.apiserver import ApiServer, Object

FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 300.0
OF_KUBELETS = frozenset({"PodScheduled", "ContainersReady", "Ready"})
"""Conditions of a pod that are the kubelet's to write; others stand beside them."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a pod of a template lives. Seconds from the start of its container.

    start: until it is ready. crash_after: until it exits, 0 never. image_error: why it never starts.
    """

    start: float = 2.0
    crash_after: float = 0.0
    image_error: str = ""


BehaviourOf = Callable[[Object], Behaviour]


def by_environment(pod: Object) -> Behaviour:
    """START_SECONDS and CRASH_AFTER of the first container; an image named `missing` is not there."""
    container = pod["spec"]["containers"][0]
    env = {entry["name"]: entry.get("value", "") for entry in container.get("env", [])}
    return Behaviour(
        start=float(env.get("START_SECONDS") or 2.0),
        crash_after=float(env.get("CRASH_AFTER") or 0.0),
        image_error="ErrImagePull" if "missing" in container.get("image", "") else "",
    )


def schedule(api: ApiServer) -> None:
    """Bind each pod without a node: required affinity filters, preferred and then emptiness choose."""
    nodes = [node for node in api.stored(NODE) if not node.get("spec", {}).get("unschedulable")]
    load: dict[str, int] = {}
    waiting = []
    for pod in api.stored(POD):
        where = pod["spec"].get("nodeName")
        if where:
            load[where] = load.get(where, 0) + 1
        elif not pod["metadata"].get("deletionTimestamp"):
            waiting.append(pod)
    for pod in sorted(waiting, key=_arrival):
        fitting = [node for node in nodes if _allowed(pod, node)]
        if not fitting:
            _unschedulable(api, pod)
            continue
        best = min(fitting, key=lambda node: (-_preference(pod, node), load.get(_name(node), 0), _name(node)))
        load[_name(best)] = load.get(_name(best), 0) + 1
        bound = {**pod, "spec": {**pod["spec"], "nodeName": _name(best)}}
        bound = api.change(POD, pod, bound)
        began = {"type": "PodScheduled", "status": "True", "lastTransitionTime": api.stamp()}
        status = {"phase": "Pending", "startTime": api.stamp(), "conditions": [began]}
        api.change(POD, bound, {**bound, "status": status}, status=True)


def run_kubelets(api: ApiServer, behaviour_of: BehaviourOf) -> None:
    """Bring every bound pod's status up to now; take away those whose termination is over."""
    for pod in list(api.stored(POD)):
        deleted = pod["metadata"].get("deletionTimestamp")
        if deleted and not pod["metadata"].get("finalizers"):
            if not pod["spec"].get("nodeName") or api.now() >= seconds(deleted):
                api.forget(POD, pod)
            elif ready_since(pod) is not None:
                api.change(POD, pod, {**pod, "status": _not_ready(api, pod)}, status=True)
        elif pod["spec"].get("nodeName"):
            api.change(POD, pod, {**pod, "status": _lived(api, pod, behaviour_of(pod))}, status=True)


def ready_since(pod: Object) -> float | None:
    """When it became ready, None when it is not."""
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready" and condition["status"] == "True":
            return seconds(condition["lastTransitionTime"])
    return None


def seconds(stamp: str) -> float:
    """A time of the API as seconds since the epoch."""
    return datetime.fromisoformat(stamp).timestamp()


def _lived(api: ApiServer, pod: Object, behaviour: Behaviour) -> Object:
    born = seconds(pod["status"]["startTime"])
    if behaviour.image_error:
        message = f'Back-off pulling image "{pod["spec"]["containers"][0].get("image", "")}"'
        return _status(api, pod, born, ready=None, restarts=0, waiting=(behaviour.image_error, message))
    restarts, began, waiting = 0, born, ("", "")
    while behaviour.crash_after and began + behaviour.crash_after <= api.now():
        pause = min(FIRST_BACKOFF * 2.0**restarts, LONGEST_BACKOFF)
        crashed = began + behaviour.crash_after
        if crashed + pause > api.now():
            waiting = ("CrashLoopBackOff", f"back-off {pause:.0f}s restarting failed container")
            began = crashed
            break
        began, restarts = crashed + pause, restarts + 1
    up = not waiting[0] and api.now() >= began + behaviour.start
    return _status(
        api, pod, began, ready=began + behaviour.start if up else None, restarts=restarts, waiting=waiting
    )


def _status(
    api: ApiServer, pod: Object, since: float, *, ready: float | None, restarts: int, waiting: tuple[str, str]
) -> Object:
    crashed = waiting[0] == "CrashLoopBackOff" or restarts > 0
    state = (
        {"waiting": {"reason": waiting[0], "message": waiting[1]}}
        if waiting[0]
        else {"running": {"startedAt": api.stamp(since)}}
    )
    last = {"terminated": {"exitCode": 1, "reason": "Error"}} if crashed else {}
    containers = [
        {
            "name": container["name"],
            "ready": ready is not None,
            "restartCount": restarts,
            "state": state,
            "lastState": last,
        }
        for container in pod["spec"]["containers"]
    ]
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": pod["status"]["startTime"]}
    containers_ready = {
        "type": "ContainersReady",
        "status": "True" if ready is not None else "False",
        "lastTransitionTime": api.stamp(since if ready is None else ready),
    }
    others = [c for c in pod["status"].get("conditions", []) if c["type"] not in OF_KUBELETS]
    return {
        "phase": "Pending" if waiting[0] not in ("", "CrashLoopBackOff") else "Running",
        "startTime": pod["status"]["startTime"],
        "conditions": [scheduled, containers_ready, _ready(api, pod, containers_ready), *others],
        "containerStatuses": containers,
    }


def _ready(api: ApiServer, pod: Object, containers: Object) -> Object:
    """Ready as its containers are, once every gate that its spec names is open."""
    gates = {gate["conditionType"] for gate in pod["spec"].get("readinessGates") or ()}
    if not gates:
        return {**containers, "type": "Ready"}
    said = {c["type"]: c for c in pod["status"].get("conditions", [])}
    is_open = all(said.get(gate, {}).get("status") == "True" for gate in gates)
    status = containers["status"] if is_open else "False"
    before = said.get("Ready", {})
    if before.get("status") == status:
        return dict(before)
    return {"type": "Ready", "status": status, "lastTransitionTime": api.stamp()}


def _not_ready(api: ApiServer, pod: Object) -> Object:
    gone = {"type": "Ready", "status": "False", "lastTransitionTime": api.stamp()}
    kept = [c for c in pod["status"]["conditions"] if c["type"] not in ("Ready", "ContainersReady")]
    return {**pod["status"], "conditions": [*kept, {**gone, "type": "ContainersReady"}, gone]}


def _unschedulable(api: ApiServer, pod: Object) -> None:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "no node fits the pod's affinity",
    }
    api.change(POD, pod, {**pod, "status": {"phase": "Pending", "conditions": [condition]}}, status=True)


def _arrival(pod: Object) -> tuple[str, str]:
    return pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]


def _name(node: Object) -> str:
    found: str = node["metadata"]["name"]
    return found


def _labels(node: Object) -> dict[str, str]:
    return {"metadata.name": _name(node), HOSTNAME: _name(node), **node["metadata"].get("labels", {})}


def _affinity(pod: Object) -> Object:
    found: Object = pod["spec"].get("affinity", {}).get("nodeAffinity", {})
    return found


def _allowed(pod: Object, node: Object) -> bool:
    labels = _labels(node)
    wanted = pod["spec"].get("nodeSelector", {})
    if any(labels.get(k) != v for k, v in wanted.items()):
        return False
    required = _affinity(pod).get("requiredDuringSchedulingIgnoredDuringExecution", {})
    terms = required.get("nodeSelectorTerms", [])
    return not terms or any(_fits(term, labels) for term in terms)


def _preference(pod: Object, node: Object) -> int:
    labels = _labels(node)
    preferred = _affinity(pod).get("preferredDuringSchedulingIgnoredDuringExecution", [])
    return sum(entry["weight"] for entry in preferred if _fits(entry["preference"], labels))


def _fits(term: Object, labels: dict[str, str]) -> bool:
    wanted = [*term.get("matchExpressions", []), *term.get("matchFields", [])]
    return all((labels.get(e["key"]) in e["values"]) == (e["operator"] == "In") for e in wanted)
