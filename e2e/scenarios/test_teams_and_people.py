"""Teams, people and the calendar on the real cluster: who may loosen, agree, wait and rewrite.

Two namespaces have two policies; people are certificates with roles of their own, who ask by commands.
"""

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from causal_rollouts.decision.freeze import instant
from e2e import rollouts
from e2e.api.asking import ask
from e2e.api.persons import annotated, person
from e2e.cluster.kubectl import apply, kubectl
from e2e.cluster.progress import say, wait_for
from e2e.cluster.trouble import ClusterTrouble
from e2e.demo import manifests
from e2e.ground import Ground
from e2e.operator_host import OperatorProcess
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(64)]

BANK = "bank"
GUARDRAILS = {"maxAlphaRevert": "0.005", "minStageDuration": "30s", "requiredMetrics": ["latency"]}
ASKED = [
    {"weight": 10, "minDuration": "30s", "maxDuration": "15m", "approval": {"required": 1}},
    {"weight": 30, "minDuration": "30s", "maxDuration": "15m"},
]


@pytest.fixture
def ledger(made: Ground[OperatorProcess]) -> Iterator[Shop]:
    """An app of another team, whose namespace is bound to a stricter policy by its label."""
    policy = rollouts.policy()
    policy["metadata"]["name"] = "strict"
    policy["spec"]["guardrails"] = GUARDRAILS
    policy["spec"]["defaults"]["alphaRevert"] = "0.005"
    home = manifests.namespace(BANK)
    home["metadata"]["labels"] = {"causalrollouts.dev/policy": "strict"}
    apply(made.cluster, [policy])
    shop = Shop(made.cluster, made.app("ledger", BANK, replicas=2), spec={"policyRef": {"name": "strict"}})
    shop.open()
    apply(made.cluster, [home])
    yield shop
    shop.close()
    kubectl(made.cluster, "delete", "namespace", BANK, "--timeout=90s", seconds=100)


def test_a_team_cannot_loosen_what_its_namespace_is_bound_to(ledger: Shop, basket: Shop) -> None:
    for spec, said in (
        ({"alphaRevert": "0.05"}, "guardrail maxAlphaRevert"),
        ({"metrics": rollouts.metrics()[1:]}, "guardrail requiredMetrics"),
        ({"policyRef": {"name": "short"}}, 'is bound to RolloutPolicy "strict"'),
    ):
        ledger.respec(**spec)
        wait_for(f"the refusal ({said})", partial(_refused, ledger, said), 60, every=1)
        say(f"ledger: {ledger.condition('Ready')['message']}")
    ledger.respec()
    wait_for("the rollout to rest", lambda: ledger.condition("Ready").get("reason") == "Idle", 60, every=1)
    mine, other = (
        json.loads(shop.command("policy", "diff", shop.app.name, "-n", shop.app.namespace, "-o", "json"))
        for shop in (ledger, basket)
    )
    assert [diff["policy"] for diff in (mine, other)] == ["strict", "short"]


def test_a_step_waits_for_somebody_who_may_agree(basket: Shop) -> None:
    ann = person(basket.cluster, basket.app.namespace, "ann", "approve", name=basket.app.name)
    bob = person(basket.cluster, basket.app.namespace, "bob", name=basket.app.name)
    reader = ["create", "role", "reads", "--verb=get,list", "--resource=rolloutrecords.causalrollouts.dev"]
    kubectl(basket.cluster, "-n", basket.app.namespace, *reader)
    bound = ["create", "rolebinding", "reads", "--role=reads", "--user=ann", "--user=bob"]
    kubectl(basket.cluster, "-n", basket.app.namespace, *bound)
    before = len(basket.records())
    basket.respec(stages=ASKED)
    basket.request_anew("v2")
    name = basket.wait_release(after=before)
    basket.wait_phase("AwaitingApproval", seconds=600, stage=0)
    forged = annotated(bob, basket.app.namespace, "approve", f"ann:{name}/1 as ann", basket.app.name)
    assert not forged.ok
    assert "carries the name of who asks" in forged.said
    with pytest.raises(ClusterTrouble, match="may not approve"):
        basket.command("approve", basket.app.name, "-n", basket.app.namespace, "--reason", "me too", who=bob)
    assert basket.state()["phase"] == "AwaitingApproval"
    told = basket.command(
        "approve", basket.app.name, "-n", basket.app.namespace, "--reason", "looks fine", who=ann
    )
    say(told.strip())
    basket.wait_phase("Shifting", "Observing", seconds=90, stage=1)
    (request,) = [r for r in basket.records()[-1]["status"]["requests"] if r["verb"] == "approve"]
    assert (request["user"], request["reason"]) == ("ann", "looks fine")
    basket.command("abort", basket.app.name, "-n", basket.app.namespace, "--reason", "enough seen")
    assert basket.wait_end(seconds=120) == "Aborted"
    assert basket.home()
    basket.respec()
    basket.back_to("v1")


def test_a_release_waits_for_the_end_of_a_freeze(basket: Shop) -> None:
    now = time.time()
    window = {"from": instant(now - 60), "to": instant(now + 90)}
    before = len(basket.records())
    basket.respec(freeze=[window])
    basket.request_anew("v2")
    wait_for("the freeze", lambda: basket.condition("Ready").get("reason") == "Frozen", 60, every=1)
    assert len(basket.records()) == before
    say(basket.condition("Ready")["message"])
    basket.wait_release(seconds=180, after=before)
    assert time.time() >= now + 89
    basket.command("abort", basket.app.name, "-n", basket.app.namespace)
    assert basket.wait_end(seconds=120) == "Aborted"
    basket.respec()
    basket.back_to("v1")


def test_the_ledger_is_verified_tampered_with_and_refused(basket: Shop, tmp_path: Path) -> None:
    where = [basket.app.name, "-n", basket.app.namespace]
    say(basket.command("verify", *where).strip().splitlines()[-1])
    newest = basket.records()[-1]
    words = ["-n", basket.app.namespace, "patch", "crr", newest["metadata"]["name"], "--type=merge"]
    change = {"status": {"release": {"why": "it was fine"}}}
    refused = ask(basket.cluster, *words, "--subresource=status", "--patch-file=/dev/stdin", obj=change)
    assert not refused.ok
    assert "is final and cannot be changed" in refused.said
    file = tmp_path / "ledger.jsonl"
    basket.command("export", *where, "-o", str(file))
    basket.command("verify", *where, "--from-file", str(file))
    records = [json.loads(line) for line in file.read_text().splitlines()]
    _rewritten(records[-1])
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    with pytest.raises(ClusterTrouble, match="ended with 1"):
        basket.command("verify", *where, "--from-file", str(file))


def _rewritten(record: dict[str, Any]) -> None:
    record["status"]["release"]["why"] = "it was fine"


def _refused(shop: Shop, said: str) -> bool:
    return said in str(shop.condition("Ready").get("message", ""))
