"""Who may write a record: pods are made from what it holds, so a namespace's own people may not."""

import json

import pytest

from e2e.api.asking import Answer, ask
from e2e.api.persons import granted
from e2e.api.test_crds import RECORD
from e2e.cluster.kubectl import kubectl
from e2e.cluster.progress import wait_for
from e2e.cluster.state import Cluster

pytestmark = pytest.mark.cluster

RECORDS = "rolloutrecords.causalrollouts.dev"


def person(cluster: Cluster, namespace: str, user: str, *verbs: str) -> Cluster:
    """Somebody with all rights on records that RBAC knows, and these verbs of ours."""
    may = ("get", "list", "create", "update", "patch", "delete", *verbs)
    made = granted(cluster, namespace, user, may, RECORDS, f"{RECORDS}/status")
    wait_for("the role to be in force", lambda: ask(made, "-n", namespace, "get", "crr").ok, 15)
    return made


def create(who: Cluster, namespace: str, name: str) -> Answer:
    return ask(
        who,
        "-n",
        namespace,
        "create",
        "-f",
        "-",
        obj={**RECORD, "metadata": {**RECORD["metadata"], "name": name}},
    )


def patch(who: Cluster, namespace: str, change: object, *words: str) -> Answer:
    return ask(
        who,
        *("-n", namespace, "patch", "crr", "checkout-1", "--type=merge", "--patch-file=/dev/stdin", *words),
        obj=json.loads(json.dumps(change)),
    )


def test_rights_on_records_are_not_enough_to_write_one(installed: Cluster, namespace: str) -> None:
    forger = person(installed, namespace, "forger")
    refused = create(forger, namespace, "checkout-9")
    assert not refused.ok
    assert "forger may not write records" in refused.said
    assert "restore" in refused.said
    kubectl(installed, "-n", namespace, "create", "-f", "-", stdin=json.dumps(RECORD))
    status = patch(forger, namespace, {"status": {"seq": 7, "final": False}}, "--subresource=status")
    assert not status.ok
    assert "may not write records" in status.said


def test_what_changes_nothing_of_the_ledger_passes(installed: Cluster, namespace: str) -> None:
    kubectl(installed, "-n", namespace, "create", "-f", "-", stdin=json.dumps(RECORD))
    keeper = person(installed, namespace, "keeper")
    assert patch(keeper, namespace, {"metadata": {"labels": {"kept": "yes"}}}).ok
    assert ask(keeper, "-n", namespace, "delete", "crr", "checkout-1").ok


def test_the_operator_writes_and_a_backup_is_put_back(
    installed: Cluster, namespace: str, operator_account: Cluster
) -> None:
    assert create(operator_account, namespace, "checkout-1").ok
    # kubectl patch would read the status first, for which the operator has no right.
    written = {**RECORD, "status": {"seq": 1, "final": False}}
    words = ["-n", namespace, "apply", "--server-side", "--subresource=status", "-f", "-"]
    answer = ask(operator_account, *words, obj={k: v for k, v in written.items() if k != "spec"})
    assert answer.ok, answer.said
    restorer = person(installed, namespace, "restorer", "restore")
    assert create(restorer, namespace, "checkout-2").ok
