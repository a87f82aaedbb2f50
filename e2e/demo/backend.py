"""The backend that demo services share: its objects, its capacity, and a load on it from outside.

Its capacity is CPU time: what its pod may use in a second over what a request
burns. So it saturates at the same rate on a fast machine as on a slow one, and
what queues there is real.
"""

from dataclasses import dataclass
from typing import Any

from e2e.cluster.kubectl import apply, get
from e2e.cluster.progress import say, wait_for
from e2e.cluster.settings import SERVICE_RANGE
from e2e.cluster.state import Cluster
from e2e.demo import manifests
from e2e.demo.build import Binaries
from e2e.demo.manifests import PORT
from e2e.demo.traffic import Load

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Backend:
    """One pod behind a Service. cores: its CPU limit. cpu_ms: CPU time that a request burns."""

    image: str
    name: str = "backend"
    namespace: str = "shop"
    cores: float = 0.4
    cpu_ms: float = 4.0
    workers: int = 2

    @property
    def url(self) -> str:
        """As pods of the cluster reach it."""
        return f"http://{self.name}.{self.namespace}:80/"

    @property
    def capacity(self) -> float:
        """Requests a second at most; the HTTP around a request takes some percent of it."""
        return 1000 * self.cores / self.cpu_ms

    def deployment(self) -> Manifest:
        labels = {"app": self.name}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": labels},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {
                        "labels": labels,
                        "annotations": {
                            "prometheus.io/scrape": "true",
                            "prometheus.io/port": str(PORT),
                            "prometheus.io/path": "/metrics",
                        },
                    },
                    "spec": self._pod(),
                },
            },
        }

    def service(self) -> Manifest:
        return {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": {"app": self.name}},
            "spec": {
                "selector": {"app": self.name},
                "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
            },
        }

    def _pod(self) -> Manifest:
        cpu = f"{round(1000 * self.cores)}m"
        return {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 3,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532},
            "containers": [
                {
                    "name": self.name,
                    "image": self.image,
                    "imagePullPolicy": "Never",
                    "args": ["-workers", str(self.workers), "-cpu", f"{self.cpu_ms:g}ms"],
                    "ports": [{"name": "http", "containerPort": PORT}],
                    "readinessProbe": {
                        "httpGet": {"path": "/healthz", "port": "http"},
                        "periodSeconds": 1,
                        # Its limit is meant to be reached; a probe that waits is no sign of death.
                        "failureThreshold": 30,
                        "timeoutSeconds": 5,
                    },
                    "resources": {
                        "requests": {"cpu": cpu, "memory": "16Mi"},
                        "limits": {"cpu": cpu},
                    },
                    "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True},
                }
            ],
        }


def deploy(cluster: Cluster, backend: Backend) -> None:
    """Bring it up, or change its capacity, and wait until it serves."""
    say(
        f"{backend.name}: {backend.workers} workers, {backend.cpu_ms:g} ms of CPU a request, "
        f"{backend.cores:g} core: at most {backend.capacity:.0f} requests a second"
    )
    apply(cluster, [manifests.namespace(backend.namespace)])
    apply(cluster, [backend.deployment(), backend.service()])

    def serves() -> bool:
        found = get(cluster, "-n", backend.namespace, "deployment", backend.name)
        status = found.get("status", {})
        seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
        return bool(seen and status.get("updatedReplicas") == status.get("availableReplicas") == 1)

    wait_for(f"{backend.name} to serve", serves, 60)


def outside_load(
    cluster: Cluster, binaries: Binaries, backend: Backend, rate: float, seconds: float, in_flight: int
) -> Load:
    """A load on the backend that is no service's: `with` switches it on and off; it ends by itself too.

    in_flight: requests at once at most. What waits for answers keeps a queue of that length and no longer,
    so a saturated backend is slow and does not break down.
    """
    return Load(binaries.load, address(cluster, backend), backend.name, rate, seconds, _flags(in_flight))


def address(cluster: Cluster, backend: Backend) -> str:
    """Where this machine reaches it: the address of its Service, on the cluster's own range."""
    found = get(cluster, "-n", backend.namespace, "service", backend.name)
    return f"http://{found['spec']['clusterIP']}:80"


def _flags(in_flight: int) -> tuple[str, ...]:
    return ("-cluster", SERVICE_RANGE, "-paths", "/", "-workers", str(in_flight))
