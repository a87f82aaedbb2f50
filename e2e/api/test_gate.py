"""The gate on the template as each kind of user meets it, with no operator: it holds while that is down."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from e2e.api.asking import Answer, ask
from e2e.api.manifests import Manifest
from e2e.cluster.kubectl import get, kubectl
from e2e.cluster.progress import say, wait_for
from e2e.cluster.state import Cluster

pytestmark = pytest.mark.cluster

GATE = "causalrollouts.dev/gate"
STILL = 3.0
"""Seconds after which a ReplicaSet that has not come will not come."""


def manifest(version: str = "v1", **spec: object) -> Manifest:
    """A Deployment of two pods that do nothing."""
    pod = {
        "terminationGracePeriodSeconds": 0,
        "containers": [
            {"name": "web", "image": "localhost/pause:1", "env": [{"name": "VERSION", "value": version}]}
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "labels": {GATE: "enabled"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
            **spec,
        },
    }


@pytest.fixture
def web(installed: Cluster, namespace: str) -> Callable[..., Any]:
    """The target as it is; made first, with its first ReplicaSet there."""
    applied(installed, namespace, manifest())

    def read() -> Manifest:
        found: Manifest = get(installed, "-n", namespace, "deployment", "web")
        return found

    def ready() -> bool:
        status = read().get("status", {})
        return bool(status.get("observedGeneration") and len(sets(installed, namespace)) == 1)

    wait_for("the first version to pass without a release", ready, 30)
    assert not paused(read())
    return read


def applied(cluster: Cluster, namespace: str, obj: Manifest) -> Answer:
    """Server-side, by the one manager that also stands for Git."""
    words = ["-n", namespace, "apply", "--server-side", "--field-manager=git", "-f", "-"]
    answer = ask(cluster, *words, obj=obj)
    assert answer.ok, answer.said
    return answer


def patched(cluster: Cluster, namespace: str, patch: Manifest) -> Answer:
    words = ["-n", namespace, "patch", "deployment", "web", "--type=merge", "--patch-file=/dev/stdin"]
    return ask(cluster, *words, obj=patch)


def sets(cluster: Cluster, namespace: str) -> list[Manifest]:
    found: list[Manifest] = get(cluster, "-n", namespace, "replicasets")["items"]
    return found


def paused(deployment: Manifest) -> bool:
    return bool(deployment["spec"].get("paused"))


def version(deployment: Manifest) -> str:
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"])


def resumed(cluster: Cluster, namespace: str, seen: str) -> Answer:
    return patched(cluster, namespace, {"metadata": {"resourceVersion": seen}, "spec": {"paused": False}})


def released(cluster: Cluster, namespace: str, web: Callable[[], Any]) -> None:
    """Asked to go on as it stands; its controller writes status meanwhile, so a look may be old at once."""
    wait_for(
        "the Deployment to be un-paused",
        lambda: resumed(cluster, namespace, web()["metadata"]["resourceVersion"]).ok,
        10,
    )


def test_a_new_template_waits_and_the_user_is_told(
    installed: Cluster, namespace: str, web: Callable[[], Any]
) -> None:
    answer = applied(installed, namespace, manifest("v2"))
    assert "request for a release" in answer.said
    assert paused(web())
    assert version(web()) == "v2"
    time.sleep(STILL)
    assert len(sets(installed, namespace)) == 1, "a pod of the new template could start"


def test_a_new_template_that_says_not_paused_waits_too(
    editor: Cluster, namespace: str, web: Callable[[], Any]
) -> None:
    applied(editor, namespace, manifest("v2", paused=False))
    assert paused(web())


@pytest.mark.parametrize(
    "words",
    [
        ("set", "env", "deployment/web", "VERSION=v2"),
        ("set", "image", "deployment/web", "web=localhost/pause:2"),
        ("rollout", "restart", "deployment/web"),
    ],
    ids=lambda words: "-".join(words[:2]),
)
def test_every_way_to_write_a_template_waits(
    editor: Cluster, namespace: str, web: Callable[[], Any], words: tuple[str, ...]
) -> None:
    assert ask(editor, "-n", namespace, *words).ok
    assert paused(web())


def test_scaling_passes_at_rest_and_while_a_release_waits(
    editor: Cluster, namespace: str, web: Callable[[], Any]
) -> None:
    kubectl(editor, "-n", namespace, "scale", "deployment/web", "--replicas=3")
    assert not paused(web())
    applied(editor, namespace, manifest("v2", replicas=3))
    kubectl(editor, "-n", namespace, "scale", "deployment/web", "--replicas=4")
    found = web()
    assert paused(found)
    assert found["spec"]["replicas"] == 4
    wait_for("the old template to grow", lambda: sets(editor, namespace)[0]["spec"]["replicas"] == 4, 20)
    assert len(sets(editor, namespace)) == 1


def test_what_changes_no_template_is_not_paused(
    editor: Cluster, namespace: str, web: Callable[[], Any]
) -> None:
    kubectl(editor, "-n", namespace, "annotate", "deployment/web", "note=x")
    kubectl(editor, "-n", namespace, "label", "deployment/web", "team=shop")
    answer = applied(editor, namespace, manifest())
    assert not paused(web())
    assert "request for a release" not in answer.said


def test_git_applying_again_neither_releases_nor_owns_the_pause(
    git: Cluster, namespace: str, web: Callable[[], Any]
) -> None:
    applied(git, namespace, manifest("v2"))
    before = web()
    for _ in range(2):
        applied(git, namespace, manifest("v2"))
    after = web()
    assert paused(after)
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    words = ["-n", namespace, "get", "deployment", "web", "-o", "json", "--show-managed-fields"]
    fields = json.loads(kubectl(git, *words))["metadata"]["managedFields"]
    owners = [f["manager"] for f in fields if "f:paused" in f["fieldsV1"].get("f:spec", {})]
    assert owners == []


def test_git_that_says_not_paused_does_not_release(
    git: Cluster, namespace: str, web: Callable[[], Any]
) -> None:
    for _ in range(2):
        applied(git, namespace, manifest("v2", paused=False))
    assert paused(web()), "a second apply of the same manifest released it"


def test_resuming_needs_the_right_to_bypass(
    installed: Cluster, editor: Cluster, namespace: str, web: Callable[[], Any]
) -> None:
    applied(editor, namespace, manifest("v2"))
    released(editor, namespace, web)
    assert paused(web()), "a developer without the verb released it"
    grant = ["role", "bypass", "--verb=bypass", "--resource=causalrollouts.causalrollouts.dev"]
    kubectl(installed, "-n", namespace, "create", *grant)
    kubectl(installed, "-n", namespace, "create", "rolebinding", "bypass", "--role=bypass", "--user=dev")
    wait_for(
        "the right to bypass to be in force",
        lambda: resumed(editor, namespace, web()["metadata"]["resourceVersion"]).ok and not paused(web()),
        10,
    )
    wait_for("the new version to roll", lambda: len(sets(installed, namespace)) == 2, 20)


def test_the_gates_label_comes_back(editor: Cluster, namespace: str, web: Callable[[], Any]) -> None:
    assert patched(editor, namespace, {"metadata": {"labels": {GATE: None}}}).ok
    assert web()["metadata"]["labels"][GATE] == "enabled"
    unlabelled = manifest("v2")
    unlabelled["metadata"]["labels"] = {GATE: "off"}
    applied(editor, namespace, unlabelled)
    assert web()["metadata"]["labels"][GATE] == "enabled"
    assert paused(web())


def test_the_operator_releases_exactly_what_it_saw(
    operator_account: Cluster, editor: Cluster, namespace: str, web: Callable[[], Any]
) -> None:
    applied(editor, namespace, manifest("v2"))
    seen = web()["metadata"]["resourceVersion"]
    applied(editor, namespace, manifest("v3"))
    stale = resumed(operator_account, namespace, seen)
    assert not stale.ok
    assert "Conflict" in stale.said or "modified" in stale.said
    assert paused(web())
    began = time.monotonic()
    released(operator_account, namespace, web)
    assert not paused(web())
    wait_for("the new version to roll", lambda: len(sets(editor, namespace)) == 2, 20)
    say(
        f"un-paused by the operator's ServiceAccount; a new ReplicaSet after {time.monotonic() - began:.1f} s"
    )


def test_a_template_during_a_roll_waits_again(
    operator_account: Cluster, editor: Cluster, namespace: str, web: Callable[[], Any]
) -> None:
    applied(editor, namespace, manifest("v2"))
    released(operator_account, namespace, web)
    applied(editor, namespace, manifest("v3"))
    assert paused(web())
    time.sleep(STILL)
    assert len(sets(editor, namespace)) == 2, "v3 began to roll"
