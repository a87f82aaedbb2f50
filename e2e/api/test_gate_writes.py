"""Every way in which kubectl writes a template: paused by the same write, and no pod of it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from e2e.api.target import GATE, NAME, WRITES, Target, manifest
from e2e.cluster import access
from e2e.cluster.kubectl import kubectl
from e2e.cluster.progress import wait_for
from e2e.cluster.state import Cluster

pytestmark = pytest.mark.cluster

NAMESPACE = "api-trial"


@pytest.fixture(scope="module")
def trial(installed: Cluster) -> Iterator[str]:
    """A namespace for this file; one that an interrupted run left behind goes first."""
    kubectl(installed, "delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=60s", seconds=70)
    kubectl(installed, "create", "namespace", NAMESPACE)
    yield NAMESPACE
    kubectl(installed, "delete", "namespace", NAMESPACE, "--timeout=60s", seconds=70)


@pytest.fixture(scope="module")
def developer(installed: Cluster, trial: str) -> Cluster:
    """A person with the role `edit` here and no verb `bypass`."""
    words = ["rolebinding", "dev", "--clusterrole=edit", "--user=dev"]
    kubectl(installed, "-n", trial, "create", *words)
    return replace(installed, kubeconfig=access.user_kubeconfig(installed, "dev"))


@pytest.fixture
def target(developer: Cluster, operator_account: Cluster, trial: str) -> Iterator[Target]:
    """The Deployment at rest with v1, as the developer sees it."""
    made = Target(developer, trial)
    made.apply("v1")
    wait_for("the first version to be there", lambda: 1 in made.settled().values(), 30)
    assert not made.paused, "the first install must pass"
    yield made
    made.ask("delete", "deployment", NAME, "--cascade=foreground", "--timeout=30s")


@pytest.mark.parametrize("way", WRITES)
def test_a_new_template_waits_however_it_is_written(
    target: Target, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBE_EDITOR", "sed -i 's/value: v1$/value: v2/'")
    before, sets = target.read(), target.sets()
    answer = WRITES[way](target, "v2")
    assert answer.ok, answer.said
    after = target.read()
    assert after["spec"]["template"] != before["spec"]["template"], "this way of writing wrote nothing"
    assert after["spec"].get("paused"), "the template went through"
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1, "paused by a later write"
    assert "request for a release" in answer.said, "nobody told the person"
    assert target.settled() == sets, "a ReplicaSet was made or scaled for the new template"


def test_going_back_by_undo_waits_too(target: Target, operator_account: Cluster) -> None:
    target.apply("v2")
    assert replace(target, cluster=operator_account).unpause().ok
    wait_for("v2 to run alone", lambda: sorted(target.settled().values()) == [0, 1], 60)
    sets = target.sets()
    answer = target.ask("rollout", "undo", f"deployment/{NAME}")
    assert answer.ok, answer.said
    assert target.paused
    assert target.settled() == sets


def test_without_the_label_the_same_write_is_a_release(target: Target) -> None:
    """What makes the other tests able to fail: here the controller does start the new template."""
    target.ask("delete", "deployment", NAME, "--cascade=foreground", "--timeout=30s")
    target.apply("v1", gated=False)
    wait_for("the first version to be there", lambda: len(target.settled()) == 1, 30)
    target.apply("v2", gated=False)
    assert not target.paused
    assert len(target.settled()) == 2


def test_a_write_that_drops_the_label_and_brings_a_template_does_neither(target: Target) -> None:
    sets = target.sets()
    obj = manifest("v2")
    del obj["metadata"]["labels"]
    answer = target.ask("replace", "-f", "-", obj=obj)
    assert answer.ok, answer.said
    found = target.read()
    assert found["metadata"]["labels"][GATE] == "enabled"
    assert found["spec"]["paused"]
    assert target.settled() == sets


def test_resume_is_for_those_who_may_bypass(installed: Cluster, target: Target) -> None:
    target.apply("v2")
    sets = target.settled()
    resume = ("rollout", "resume", f"deployment/{NAME}")
    # kubectl says that it resumed; what counts is what the API server kept.
    target.ask(*resume)
    assert target.paused, "a developer without the verb released it"
    assert target.settled() == sets
    admin = replace(target, cluster=installed)
    assert wait_for("the admin's resume", lambda: admin.ask(*resume).ok, 20)
    assert not target.paused, "a person who may bypass was not honoured"
    assert len(target.settled()) == 2


def test_an_automat_cannot_bypass_whatever_it_may_do(installed: Cluster, target: Target, trial: str) -> None:
    kubeconfig = access.operator_kubeconfig(installed, trial, "robot")
    name = f"{trial}-robot"
    kubectl(
        installed,
        *("create", "clusterrolebinding", name, "--clusterrole=cluster-admin"),
        f"--serviceaccount={trial}:robot",
    )
    try:
        target.apply("v2")
        robot = Target(replace(installed, kubeconfig=kubeconfig), trial)
        assert robot.unpause().ok
        assert target.paused
    finally:
        kubectl(installed, "delete", "clusterrolebinding", name)
