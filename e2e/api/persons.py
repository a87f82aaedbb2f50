"""Somebody with a certificate and a role of their own, as the API server knows people."""

from collections.abc import Sequence
from dataclasses import replace

from e2e.api.asking import Answer, ask
from e2e.cluster import access
from e2e.cluster.kubectl import kubectl
from e2e.cluster.progress import wait_for
from e2e.cluster.state import Cluster

GROUP = "causalrollouts.dev"


def granted(cluster: Cluster, namespace: str, user: str, verbs: Sequence[str], *resources: str) -> Cluster:
    """Somebody who may do these things with these resources of ours; the cluster as they see it."""
    role = f"{user.replace(':', '-')}-role"
    words = [*(f"--verb={verb}" for verb in verbs), f"--resource={','.join(resources)}"]
    kubectl(cluster, "-n", namespace, "create", "role", role, *words)
    kubectl(cluster, "-n", namespace, "create", "rolebinding", role, f"--role={role}", f"--user={user}")
    return replace(cluster, kubeconfig=access.user_kubeconfig(cluster, user))


def person(cluster: Cluster, namespace: str, user: str, *verbs: str, name: str = "checkout") -> Cluster:
    """Somebody who may edit the rollout, and has these verbs of ours besides."""
    may = ("get", "list", "patch", "create", *verbs)
    made = granted(cluster, namespace, user, may, f"causalrollouts.{GROUP}")
    wait_for("the role to be in force", lambda: annotated(made, namespace, "note", "x", name).ok, 15)
    return made


def annotated(who: Cluster, namespace: str, verb: str, value: str, name: str = "checkout") -> Answer:
    """Ask for something by an annotation on a rollout."""
    note = f"{GROUP}/{verb}={value}"
    return ask(who, "-n", namespace, "annotate", "--overwrite", "cro", name, note)
