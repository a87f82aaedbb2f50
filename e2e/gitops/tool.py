"""What Flux and Argo CD have in common for whoever stands beside them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from e2e.cluster import access
from e2e.cluster.kubectl import Manifest, apply, kubectl, wait_established
from e2e.cluster.parts import Part
from e2e.cluster.state import Cluster


class Tool(Protocol):
    """One that applies what Git says. account: as whom it writes. paused: what it takes a pause for."""

    @property
    def account(self) -> str: ...

    @property
    def paused(self) -> str: ...

    def follow(self, app: str, url: str, without: Sequence[str] = ()) -> None:
        """Sync this app from the repository at this address, as the page says.

        without: fields of the spec that are left out, for the fight that they are there to prevent.
        """

    def unfollow(self, app: str) -> None:
        """No longer; what it applied goes."""

    def applied(self, app: str) -> str:
        """Id of the commit that is applied, "" while none is."""

    def health(self, app: str) -> tuple[str, str]:
        """What it takes the app for, and why: Healthy, Progressing, Suspended or Degraded."""


@contextmanager
def installed(cluster: Cluster, namespace: str, crds: Sequence[Part], names: Sequence[str]) -> Iterator[None]:
    """Its namespace and kinds while the body runs. names: files of the kinds that are needed."""
    files = [folder / name for folder in (p.folder(cluster.places) for p in crds) for name in names]
    words = [word for file in files if file.exists() for word in ("-f", file)]
    kubectl(cluster, "apply", "--server-side", "--force-conflicts", *words, seconds=90)
    wait_established(cluster, *words)
    apply(cluster, [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}])
    try:
        yield
    finally:
        try:
            kubectl(cluster, "delete", "namespace", namespace, "--timeout=60s", seconds=70)
        finally:
            kubectl(cluster, "delete", *words, "--ignore-not-found", "--timeout=60s", seconds=70)


@contextmanager
def almighty(cluster: Cluster, namespace: str, account: str) -> Iterator[Path]:
    """Kubeconfig of a ServiceAccount that may do everything, as an installed tool has one."""
    binding = _binding(namespace, account)
    apply(cluster, [binding])
    try:
        yield access.operator_kubeconfig(cluster, namespace, account)
    finally:
        kubectl(cluster, "delete", "clusterrolebinding", binding["metadata"]["name"])


def less(manifest: Manifest, without: Sequence[str]) -> Manifest:
    """It, without these fields of its spec."""
    return manifest | {"spec": {key: value for key, value in manifest["spec"].items() if key not in without}}


def username(namespace: str, account: str) -> str:
    return f"system:serviceaccount:{namespace}:{account}"


def condition(thing: Mapping[str, Manifest], kind: str) -> Manifest:
    """One of its conditions, {} where it is absent."""
    listed = thing.get("status", {}).get("conditions", [])
    return next((c for c in listed if c["type"] == kind), {})


def _binding(namespace: str, account: str) -> Manifest:
    rbac = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"causal-rollouts-local:{namespace}:{account}"},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }
