"""Somebody with a certificate and a role of their own, as the API server knows people."""

from dataclasses import replace

from e2e.api.asking import Answer, ask
from e2e.cluster import access
from e2e.cluster.kubectl import kubectl
from e2e.cluster.progress import wait_for
from e2e.cluster.state import Cluster


def person(cluster: Cluster, namespace: str, user: str, *verbs: str, name: str = "checkout") -> Cluster:
    """Somebody who may edit the rollout, and has these verbs of ours besides."""
    role = f"{user.replace(':', '-')}-role"
    words = [f"--verb={verb}" for verb in ("get", "list", "patch", "create", *verbs)]
    resource = "--resource=causalrollouts.causalrollouts.dev"
    kubectl(cluster, "-n", namespace, "create", "role", role, *words, resource)
    kubectl(cluster, "-n", namespace, "create", "rolebinding", role, f"--role={role}", f"--user={user}")
    made = replace(cluster, kubeconfig=access.user_kubeconfig(cluster, user))
    wait_for("the role to be in force", lambda: annotated(made, namespace, "note", "x", name).ok, 15)
    return made


def annotated(who: Cluster, namespace: str, verb: str, value: str, name: str = "checkout") -> Answer:
    """Ask for something by an annotation on a rollout."""
    words = [
        "-n",
        namespace,
        "annotate",
        "--overwrite",
        "cro",
        name,
        f"causalrollouts.dev/{verb}={value}",
    ]
    return ask(who, *words)
