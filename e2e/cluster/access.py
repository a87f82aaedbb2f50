"""Kubeconfigs of other identities: the operator's ServiceAccount, and users that a test makes up."""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from e2e.cluster.kubectl import apply, kubectl
from e2e.cluster.pki import Authority, write_kubeconfig
from e2e.cluster.state import Cluster, Provider


def operator_kubeconfig(
    cluster: Cluster, namespace: str = "causal-rollouts", service_account: str = "operator"
) -> Path:
    """The operator on the host is system:serviceaccount:NAMESPACE:NAME, as it would be in a pod.

    Namespace and ServiceAccount are made when missing; roles are the chart's business. The token is new
    and lasts 24 h.
    """
    meta = {"name": service_account, "namespace": namespace}
    apply(
        cluster,
        [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        ],
    )
    token = kubectl(cluster, "-n", namespace, "create", "token", service_account, "--duration=24h").strip()
    path = _folder(cluster) / f"serviceaccount-{namespace}-{service_account}"
    return _write(cluster, path, {"token": token}, namespace)


def user_kubeconfig(
    cluster: Cluster, user: str, groups: Sequence[str] = (), namespace: str = "default"
) -> Path:
    """A human of this name in these groups: a certificate of the cluster's authority where that is ours,
    impersonation by the given kubeconfig's identity elsewhere.
    """
    name = f"user-{hashlib.sha256(repr((user, tuple(groups))).encode()).hexdigest()[:12]}"
    path = _folder(cluster) / name
    if cluster.provider is Provider.HOST:
        authority = Authority(cluster.places.pki)
        authority.issue(name, user, groups)
        return authority.kubeconfig(name, path, namespace)
    return _write(
        cluster, path, {**_current(cluster)["users"][0]["user"], "as": user, "as-groups": list(groups)}
    )


def _write(cluster: Cluster, path: Path, user: dict[str, Any], namespace: str = "default") -> Path:
    current = _current(cluster)["clusters"][0]["cluster"]
    authority = path.with_name(f"{path.name}.ca")
    authority.parent.mkdir(parents=True, exist_ok=True)
    authority.write_bytes(base64.b64decode(current["certificate-authority-data"]))
    return write_kubeconfig(path, user, authority, current["server"], namespace)


def _current(cluster: Cluster) -> dict[str, Any]:
    view = kubectl(cluster, "config", "view", "--raw", "--minify", "--flatten", "-o", "json")
    found: dict[str, Any] = json.loads(view)
    return found


def _folder(cluster: Cluster) -> Path:
    return cluster.places.run / "kubeconfigs"
