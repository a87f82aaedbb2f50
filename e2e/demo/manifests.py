"""The demo's objects as a user of the product would keep them in Git, rendered as plain dicts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from e2e.demo.noise_settings import USUAL, Noise
from e2e.demo.versions import Version

Manifest = dict[str, Any]

ARM = "causalrollouts.dev/arm"
GATE = "causalrollouts.dev/gate"
PORT = 8080
GATEWAY = {"name": "edge", "namespace": "edge"}
WHOLE = 1000


class RouteForm(StrEnum):
    """Who lists the backends of the arms: Git at weight 0, or the operator when a release runs."""

    WEIGHTS = "Weights"
    INJECT = "Inject"


@dataclass(frozen=True, slots=True)
class App:
    """One demo service.

    extra: environment for all versions, such as BACKEND_URL. avoid: a node that its pods keep off.
    labelled: its template says that its pods are stable, as a Service of the stable arm needs it.
    """

    image: str
    name: str = "checkout"
    namespace: str = "shop"
    replicas: int = 10
    noise: Noise = USUAL
    world_url: str = ""
    memory_limit: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    avoid: str = ""
    labelled: bool = True

    @property
    def host(self) -> str:
        """Host header that the gateway routes to this app; two namespaces may each have one of its name."""
        return f"{self.name}.{self.namespace}.test"

    def labels(self, arm: str) -> dict[str, str]:
        """Of its pods."""
        named = self.labelled or arm != "stable"
        return {"app": self.name, **({ARM: arm} if named else {})}

    def arm_name(self, arm: str) -> str:
        return self.name if arm == "stable" else f"{self.name}-{arm}"


def arm_of(pod: Manifest) -> str:
    """A pod without the label is of the target itself."""
    return str(pod["metadata"]["labels"].get(ARM, "stable"))


def namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def deployment(app: App, version: Version, arm: str = "stable", replicas: int | None = None) -> Manifest:
    """The target (arm stable), or a hand-made arm beside it for trials without the operator."""
    labels = app.labels(arm)
    gate = {GATE: "enabled"} if arm == "stable" else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": app.arm_name(arm),
            "namespace": app.namespace,
            "labels": {"app": app.name, **gate},
        },
        "spec": {
            "replicas": app.replicas if replicas is None else replicas,
            "revisionHistoryLimit": 3,
            # Stable can carry all traffic at every instant, also in the middle of a promotion.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}},
            # Without the arm label: pods of the arms belong to the target too, for its HPA and budgets.
            "selector": {"matchLabels": {"app": app.name} if arm == "stable" else labels},
            "template": {
                "metadata": {
                    "labels": labels,
                    "annotations": {
                        "prometheus.io/scrape": "true",
                        "prometheus.io/port": str(PORT),
                        "prometheus.io/path": "/metrics",
                    },
                },
                "spec": _pod(app, version, labels),
            },
        },
    }


def _pod(app: App, version: Version, labels: Mapping[str, str]) -> Manifest:
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        # The service itself goes on serving for four of these seconds: on a busy machine it takes
        # the gateway longer than two to learn that a pod leaves.
        "terminationGracePeriodSeconds": 8,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532},
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": dict(labels)},
            }
        ],
        **({"affinity": _elsewhere(app.avoid)} if app.avoid else {}),
        "containers": [_container(app, version)],
    }


def _elsewhere(node: str) -> Manifest:
    other = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [node]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [other]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def _container(app: App, version: Version) -> Manifest:
    resources: Manifest = {"requests": {"cpu": "10m", "memory": "16Mi"}}
    limit = version.memory or app.memory_limit
    if limit:
        resources["limits"] = {"memory": limit}
    return {
        "name": app.name,
        "image": app.image,
        "imagePullPolicy": "Never",
        "env": [
            *_variables(app, version),
            _downward("POD_NAME", "metadata.name"),
            _downward("NODE_NAME", "spec.nodeName"),
            _downward("ARM", f"metadata.labels['{ARM}']"),
        ],
        "ports": [{"name": "http", "containerPort": PORT}],
        "readinessProbe": {
            "httpGet": {"path": "/healthz", "port": "http"},
            # A first probe missed on a busy node must not cost ten seconds.
            "periodSeconds": 1,
            "failureThreshold": 3,
        },
        "resources": resources,
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True},
    }


def _variables(app: App, version: Version) -> list[Manifest]:
    values = {"VERSION": version.name, **app.noise.env(), **app.extra, **version.env}
    if app.world_url:
        values["WORLD_URL"] = app.world_url
    return [{"name": name, "value": value} for name, value in values.items()]


def _downward(name: str, path: str) -> Manifest:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def service(app: App, arm: str = "stable") -> Manifest:
    """Of the stable arm, as in Git; of another arm only in trials without the operator."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": app.arm_name(arm), "namespace": app.namespace, "labels": {"app": app.name}},
        "spec": {
            "selector": {"app": app.name, ARM: arm},
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }


def http_route(app: App, form: RouteForm = RouteForm.WEIGHTS, canary: int = 0, baseline: int = 0) -> Manifest:
    """Weights in thousandths. The Inject form has the stable backend alone and takes no weights of arms."""
    if canary < 0 or baseline < 0 or canary + baseline > WHOLE:
        raise ValueError(
            f"weights {canary} and {baseline} of {WHOLE}: give two of 0 and more that fit together"
        )
    weights = {"stable": WHOLE - canary - baseline, "canary": canary, "baseline": baseline}
    if form is RouteForm.INJECT:
        if canary or baseline:
            raise ValueError(
                "in the Inject form the operator brings the backends of the arms; give no weights"
            )
        weights = {"stable": WHOLE}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": app.name, "namespace": app.namespace, "labels": {"app": app.name}},
        "spec": {
            "parentRefs": [dict(GATEWAY)],
            "hostnames": [app.host],
            "rules": [
                {
                    "backendRefs": [
                        {"name": app.arm_name(arm), "port": 80, "weight": w} for arm, w in weights.items()
                    ]
                }
            ],
        },
    }
