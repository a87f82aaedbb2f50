"""Requests of people as the API server checks them: real users, real RBAC, no operator."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from e2e.api.asking import Answer, ask
from e2e.api.manifests import EXAMPLES, Manifest, documents
from e2e.api.persons import annotated, person
from e2e.cluster import access
from e2e.cluster.kubectl import kubectl
from e2e.cluster.progress import wait_for
from e2e.cluster.state import Cluster

pytestmark = pytest.mark.cluster

Person = Callable[[str], Answer]
RELEASE = "checkout-7"


def rollout(namespace: str) -> Manifest:
    (found,) = documents(next(path for path in EXAMPLES if path.stem == "first-rollout"))
    found["metadata"]["namespace"] = namespace
    return found


@pytest.fixture
def running(installed: Cluster, namespace: str) -> str:
    """A rollout whose release `checkout-7` runs, as its status says."""
    kubectl(installed, "create", "-f", "-", stdin=json.dumps(rollout(namespace)))
    words = ["-n", namespace, "patch", "cro", "checkout", "--subresource=status", "--type=merge"]
    status = {"status": {"observedGeneration": 1, "release": RELEASE, "phase": "AwaitingApproval"}}
    assert ask(installed, *words, "--patch-file=/dev/stdin", obj=status).ok
    return namespace


def test_who_has_the_verb_approves_in_their_own_name(installed: Cluster, running: str) -> None:
    ann = person(installed, running, "ann", "approve")
    assert annotated(ann, running, "approve", f"ann:{RELEASE}/2 looks fine: ship it").ok
    assert annotated(ann, running, "approve", f"ann:{RELEASE}/0 smoke tests passed").ok, "before the first"
    for value, said in (
        (f"bob:{RELEASE}/2", "carries the name of who asks; write ann:RELEASE"),
        ("true", "carries the name of who asks"),
        (f"{RELEASE}/2", "carries the name of who asks"),
        ("ann:checkout-6/2", "one step of the release that runs"),
        (f"ann:{RELEASE}", "one step of the release that runs"),
        (f"ann:{RELEASE}/all", "one step of the release that runs"),
    ):
        answer = annotated(ann, running, "approve", value)
        assert not answer.ok, value
        assert said in answer.said, answer.said


def test_who_lacks_the_verb_does_not(installed: Cluster, running: str) -> None:
    bob = person(installed, running, "bob")
    answer = annotated(bob, running, "approve", f"bob:{RELEASE}/1")
    assert "bob may not approve releases of checkout; ask for the verb approve" in answer.said
    answer = annotated(bob, running, "promote", f"bob:{RELEASE}")
    assert "before the evidence is complete; ask for the verb bypass" in answer.said
    for verb in ("pause", "resume", "abort", "retry", "extend"):
        assert annotated(bob, running, verb, f"bob:{RELEASE} because: lunch").ok
        assert annotated(bob, running, verb, "true").ok
        assert not annotated(bob, running, verb, f"ann:{RELEASE}").ok


def test_an_approver_may_not_promote_before_the_evidence_is_complete(
    installed: Cluster, running: str
) -> None:
    ann = person(installed, running, "ann", "approve")
    assert not annotated(ann, running, "promote", f"ann:{RELEASE}").ok
    eve = person(installed, running, "eve", "bypass")
    assert annotated(eve, running, "promote", f"eve:{RELEASE} incident 42").ok
    assert not annotated(eve, running, "approve", f"eve:{RELEASE}/1").ok


def test_a_request_that_stands_does_not_keep_others_from_writing(installed: Cluster, running: str) -> None:
    ann = person(installed, running, "ann", "approve")
    assert annotated(ann, running, "approve", f"ann:{RELEASE}/1").ok
    bob = person(installed, running, "bob")
    assert annotated(bob, running, "abort", f"bob:{RELEASE}").ok
    assert annotated(bob, running, "approve", f"ann:{RELEASE}/1").ok, "nothing was asked anew"
    answer = annotated(bob, running, "approve", f"ann:{RELEASE}/1 and me too")
    assert not answer.ok, "another person's words were changed"
    assert ask(bob, "-n", running, "annotate", "cro", "checkout", "causalrollouts.dev/approve-").ok


def test_a_service_account_is_a_name_like_any_other(installed: Cluster, running: str) -> None:
    name = f"system:serviceaccount:{running}:bot"
    bot = replace(installed, kubeconfig=access.operator_kubeconfig(installed, running, "bot"))
    verbs = ["--verb=get", "--verb=patch", "--verb=approve"]
    kubectl(
        installed,
        "-n",
        running,
        "create",
        "role",
        "bot",
        *verbs,
        "--resource=causalrollouts.causalrollouts.dev",
    )
    binding = ["rolebinding", "bot", "--role=bot", f"--serviceaccount={running}:bot"]
    kubectl(installed, "-n", running, "create", *binding)
    wait_for("the role to be in force", lambda: annotated(bot, running, "note", "x").ok, 15)
    assert annotated(bot, running, "approve", f"{name}:{RELEASE}/1 tests passed").ok
    assert not annotated(bot, running, "approve", f"bot:{RELEASE}/1").ok


def test_a_rollout_is_not_created_with_a_request_of_somebody_else(installed: Cluster, namespace: str) -> None:
    made = rollout(namespace)
    made["metadata"]["annotations"] = {"causalrollouts.dev/approve": f"ann:{RELEASE}/1"}
    assert not ask(installed, "create", "-f", "-", obj=made).ok
