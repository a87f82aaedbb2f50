"""What each program of the cluster may do: a role of its own for each, no more than it needs."""

from e2e.cluster.kubectl import Manifest


def cluster_role(name: str, rules: list[Manifest], subject: Manifest) -> list[Manifest]:
    """A ClusterRole and its binding to one subject, both of the same name."""
    rbac = "rbac.authorization.k8s.io"
    full = f"causal-rollouts-local:{name}"
    return [
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": full}, "rules": rules},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": full},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": full},
            "subjects": [subject],
        },
    ]


def user(name: str) -> Manifest:
    """The subject that a client certificate of this common name is."""
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}


def reads(group: str, *resources: str) -> Manifest:
    return {"apiGroups": [group], "resources": list(resources), "verbs": ["get", "list", "watch"]}
