"""A gated Deployment of one idle pod, and the ways in which a person writes a new template into it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from e2e.api.asking import Answer, ask
from e2e.api.manifests import Manifest
from e2e.cluster.kubectl import get
from e2e.cluster.progress import wait_for
from e2e.cluster.state import Cluster

GATE = "causalrollouts.dev/gate"
NAME = "web"
IMAGE = "localhost/pause:1"


def manifest(version: str, *, gated: bool = True) -> Manifest:
    """The Deployment as Git has it."""
    container = {"name": NAME, "image": IMAGE, "env": [{"name": "VERSION", "value": version}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": NAME, "labels": {GATE: "enabled"} if gated else {}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": NAME}},
            "template": {
                "metadata": {"labels": {"app": NAME}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
            },
        },
    }


@dataclass(frozen=True, slots=True)
class Target:
    """One Deployment as the user of `cluster` sees it."""

    cluster: Cluster
    namespace: str

    def ask(self, *words: str, obj: Manifest | None = None) -> Answer:
        return ask(self.cluster, "-n", self.namespace, *words, obj=obj)

    def apply(self, version: str, *, gated: bool = True) -> Answer:
        """Server-side, as Git."""
        words = ("apply", "--server-side", "--force-conflicts", "--field-manager=git", "-f", "-")
        answer = self.ask(*words, obj=manifest(version, gated=gated))
        assert answer.ok, answer.said
        return answer

    def read(self) -> Manifest:
        found: Manifest = get(self.cluster, "-n", self.namespace, "deployment", NAME)
        return found

    @property
    def paused(self) -> bool:
        return bool(self.read()["spec"].get("paused"))

    def settled(self) -> dict[str, int]:
        """Replicas by the name of each ReplicaSet, once the Deployment controller has seen the last write.

        It makes a ReplicaSet before it says that it has seen the template that asks for it.
        """

        def seen() -> bool:
            found = self.read()
            return bool(found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"])

        wait_for("the Deployment controller to see the last write", seen, 30)
        return self.sets()

    def sets(self) -> dict[str, int]:
        found = get(self.cluster, "-n", self.namespace, "replicasets")["items"]
        return {r["metadata"]["name"]: int(r["spec"]["replicas"]) for r in found}

    def unpause(self) -> Answer:
        """Under the version that is there now; the controller writes it too, so a conflict is asked again."""

        def try_it() -> Answer | None:
            version = self.read()["metadata"]["resourceVersion"]
            patch = {"metadata": {"resourceVersion": version}, "spec": {"paused": False}}
            answer = self.patch("merge", patch)
            return None if "the object has been modified" in answer.said else answer

        return wait_for("a write between two of the Deployment controller's", try_it, 20)

    def patch(self, kind: str, patch: Any) -> Answer:
        return self.ask("patch", "deployment", NAME, f"--type={kind}", "-p", json.dumps(patch))


Write = Callable[[Target, str], Answer]
"""Brings a template of this version into the target."""


def _container(version: str) -> Manifest:
    return {"name": NAME, "image": IMAGE, "env": [{"name": "VERSION", "value": version}]}


def _spec(version: str, **more: object) -> Manifest:
    return {"spec": {"template": {"spec": {"containers": [_container(version)]}}, **more}}


def _replaced(target: Target, version: str) -> Answer:
    return target.ask("replace", "-f", "-", obj=manifest(version))


def _unpaused_in_git(target: Target, version: str) -> Answer:
    obj = manifest(version)
    obj["spec"]["paused"] = False
    return target.ask("replace", "-f", "-", obj=obj)


WRITES: dict[str, Write] = {
    "apply-server-side": lambda t, v: t.apply(v),
    "apply-client-side": lambda t, v: t.ask("apply", "-f", "-", obj=manifest(v)),
    "replace": _replaced,
    "replace-not-paused": _unpaused_in_git,
    "patch-strategic": lambda t, v: t.patch("strategic", _spec(v)),
    "patch-merge": lambda t, v: t.patch("merge", _spec(v)),
    "patch-merge-not-paused": lambda t, v: t.patch("merge", _spec(v, paused=False)),
    "patch-json": lambda t, v: t.patch(
        "json",
        [{"op": "replace", "path": "/spec/template/spec/containers/0/env/0/value", "value": v}],
    ),
    "set-env": lambda t, v: t.ask("set", "env", f"deployment/{NAME}", f"VERSION={v}"),
    "set-image": lambda t, v: t.ask("set", "image", f"deployment/{NAME}", f"{NAME}=localhost/pause:{v}"),
    "set-resources": lambda t, v: t.ask(
        "set", "resources", f"deployment/{NAME}", f"--requests=memory={1 + int(v, 36) % 97}Mi"
    ),
    "rollout-restart": lambda t, _: t.ask("rollout", "restart", f"deployment/{NAME}"),
    "label-in-the-template": lambda t, v: t.patch(
        "merge", {"spec": {"template": {"metadata": {"labels": {"v": v}}}}}
    ),
    # KUBE_EDITOR is set by the test.
    "edit": lambda t, _: t.ask("edit", "deployment", NAME),
}
