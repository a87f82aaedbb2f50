import copy
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from causal_rollouts.api.status import StatusView, render
from e2e.api.asking import Answer, ask
from e2e.api.manifests import EXAMPLES, REJECTED, ROOT, Manifest, Rejected, documents, holds_in_order
from e2e.cluster.kubectl import get, kubectl, wait_established
from e2e.cluster.state import Cluster

pytestmark = pytest.mark.cluster

RECORD: dict[str, Any] = {
    "apiVersion": "causalrollouts.dev/v1alpha1",
    "kind": "RolloutRecord",
    "metadata": {"name": "checkout-1"},
    "spec": {
        "rollout": "checkout",
        "rolloutUid": "11111111-2222-3333-4444-555555555555",
        "registration": {"seed": 7, "stages": [{"weight": 50}]},
        "templates": {"candidate": {}, "stable": {}},
    },
}

VIEW = StatusView(
    phase="Observing",
    reason="GatheringEvidence",
    message="gathering evidence: latency +1.2% (-0.5% to +3.0%)",
    running=True,
    failed=False,
    release="checkout-1",
    step="1/3",
    weight="5%",
    verdict="Inconclusive",
    effect="latency +1.2% (-0.5% to +3.0%)",
    metrics=("latency +1.2% (-0.5% to +3.0%)",),
    record="checkout-1",
    seq=4,
    supported=(True, "Supported", "the target can be gated"),
    evidence=(False, "NoData", "nothing arrived"),
    traffic=(True, "Applied", "canary 5%"),
)


def moved(obj: Manifest, namespace: str) -> Manifest:
    """The object in this namespace; policies have none."""
    found = copy.deepcopy(obj)
    if found["kind"] != "RolloutPolicy":
        found["metadata"]["namespace"] = namespace
    return found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_applies(installed: Cluster, shared: str, path: Path) -> None:
    for obj in documents(path):
        # Only tried: an example must not become a policy or a target of somebody else's cluster.
        answer = ask(installed, "apply", "--dry-run=server", "-f", "-", obj=moved(obj, shared))
        assert answer.ok, answer.said
        assert "Warning" not in answer.said, answer.said


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.stem)
def test_every_rejected_file_is_refused_with_field_and_fix(
    installed: Cluster, shared: str, path: Path
) -> None:
    case = Rejected.read(path)
    for obj in case.before:
        assert ask(installed, "create", "-f", "-", obj=moved(obj, shared)).ok
    answer = ask(installed, "apply", "--dry-run=server", "-f", "-", obj=moved(case.last, shared))
    for obj in case.before:
        ask(installed, "delete", "--wait=false", "-f", "-", obj=moved(obj, shared))
    assert not answer.ok, "the API server took it"
    assert holds_in_order(answer.said, case.parts), answer.said


def test_a_rollout_stays_as_it_was_written(installed: Cluster, namespace: str) -> None:
    written = moved(documents(next(p for p in EXAMPLES if p.stem == "first-rollout"))[0], namespace)
    kubectl(installed, "create", "-f", "-", stdin=json.dumps(written))
    found = get(installed, "-n", namespace, "causalrollout", "checkout")
    assert found["spec"] == written["spec"], "what a policy sets must have no default here"


def test_a_silent_policy_shows_what_holds(installed: Cluster) -> None:
    policy = {
        "apiVersion": "causalrollouts.dev/v1alpha1",
        "kind": "RolloutPolicy",
        "metadata": {"name": "silent"},
        "spec": {"defaults": {"arms": {"minPods": 5}}},
    }
    answer = ask(installed, "create", "--dry-run=server", "-o", "json", "-f", "-", obj=policy)
    assert answer.ok, answer.said
    defaults = json.loads(answer.out)["spec"]["defaults"]
    assert defaults["arms"] == {"minPods": 5, "baselineRatio": "1", "baselineMaxShare": 20, "prePeriod": "0s"}
    assert defaults["alphaRevert"] == "0.01"
    assert [stage["weight"] for stage in defaults["stages"]] == [5, 25, 50]
    assert defaults["evidence"]["promoteCounts"] == "3.0"


def test_short_names_category_columns_and_explain_work(installed: Cluster, namespace: str) -> None:
    rollout = moved(documents(next(p for p in EXAMPLES if p.stem == "observe"))[0], namespace)
    kubectl(installed, "create", "-f", "-", stdin=json.dumps(rollout))
    kubectl(installed, "-n", namespace, "create", "-f", "-", stdin=json.dumps(RECORD))
    assert columns(installed, namespace, "cro") == "NAME PHASE STEP WEIGHT VERDICT EFFECT AGE"
    assert columns(installed, namespace, "crr") == "NAME ROLLOUT PHASE OUTCOME FINAL AGE"
    assert "crp" in kubectl(installed, "api-resources", "--api-group=causalrollouts.dev")
    all_of_ours = kubectl(installed, "-n", namespace, "get", "rollouts", "-o", "name")
    assert "causalrollout.causalrollouts.dev/search" in all_of_ours
    assert "rolloutrecord.causalrollouts.dev/checkout-1" in all_of_ours
    assert "harm margin" in kubectl(installed, "explain", "cro.spec.metrics.revertAbove").lower()


def columns(cluster: Cluster, namespace: str, kind: str) -> str:
    return " ".join(kubectl(cluster, "-n", namespace, "get", kind).splitlines()[0].split())


def write_status(cluster: Cluster, namespace: str, kind: str, name: str, status: object) -> Answer:
    words = ["-n", namespace, "patch", kind, name, "--subresource=status", "--type=merge"]
    return ask(cluster, *words, "--patch-file=/dev/stdin", obj={"status": status})


def test_a_final_record_cannot_be_changed_in_any_part(installed: Cluster, namespace: str) -> None:
    kubectl(installed, "-n", namespace, "create", "-f", "-", stdin=json.dumps(RECORD))
    running = {
        "seq": 1,
        "final": False,
        "release": {"phase": "Observing", "stage": 0},
        "decisions": [{"a": 1}],
    }
    ended = {**running, "seq": 2, "final": True, "digest": "d", "trace": [{"time": 1.5}]}
    for status in (running, ended):
        assert write_status(installed, namespace, "crr", "checkout-1", status).ok
    attempts: dict[str, object] = {
        "a declared field": {"seq": 3},
        "back to running": {"final": False},
        "deep inside": {"release": {"stage": 1}},
        "a list of ours": {"decisions": [{"a": 2}]},
        "a number": {"trace": [{"time": 2.5}]},
        "a field taken away": {"digest": None},
        "a field added": {"note": "x"},
        "a field for another": {"digest": None, "note": "x"},
        "deep inside, a field for another": {"release": {"stage": None, "step": 0}},
        "the whole status": None,
    }
    taken = [n for n, s in attempts.items() if write_status(installed, namespace, "crr", "checkout-1", s).ok]
    assert not taken, f"the API server took {taken}"
    answer = write_status(installed, namespace, "crr", "checkout-1", {"seq": 3})
    assert "this record is final and cannot be changed; export or delete it instead" in answer.said


def test_what_a_release_registered_cannot_be_changed(installed: Cluster, namespace: str) -> None:
    kubectl(installed, "-n", namespace, "create", "-f", "-", stdin=json.dumps(RECORD))
    attempts: dict[str, Manifest] = {
        "a number": {"registration": {"seed": 8}},
        "deep inside": {"registration": {"stages": [{"weight": 70}]}},
        "a field for another": {"registration": {"seed": None, "seeds": 7}},
        "a field added": {"previous": "checkout-0"},
        "the name": {"rollout": "basket"},
    }
    words = ["-n", namespace, "patch", "crr", "checkout-1", "--type=merge", "--patch-file=/dev/stdin"]
    taken = [name for name, spec in attempts.items() if ask(installed, *words, obj={"spec": spec}).ok]
    assert not taken, f"the API server took {taken}"


def test_a_final_record_can_be_labelled_and_deleted(installed: Cluster, namespace: str) -> None:
    kubectl(installed, "-n", namespace, "create", "-f", "-", stdin=json.dumps(RECORD))
    ended = {"seq": 2, "final": True, "release": {"phase": "Done", "outcome": "Promoted"}}
    assert write_status(installed, namespace, "crr", "checkout-1", ended).ok
    kubectl(installed, "-n", namespace, "label", "crr", "checkout-1", "exported=true")
    assert "Promoted" in kubectl(installed, "-n", namespace, "get", "crr", "checkout-1")
    kubectl(installed, "-n", namespace, "delete", "crr", "checkout-1", "--timeout=10s")


def test_a_record_holds_the_state_of_the_largest_release(installed: Cluster, namespace: str) -> None:
    kubectl(installed, "-n", namespace, "create", "-f", "-", stdin=json.dumps(RECORD))
    status = {"seq": 1, "state": "A" * 100_000, "release": {"phase": "Observing"}}
    assert write_status(installed, namespace, "crr", "checkout-1", status).ok
    too_much = write_status(installed, namespace, "crr", "checkout-1", {"state": "A" * 120_000 * 3})
    assert not too_much.ok
    assert found_state(installed, namespace) == "A" * 100_000


def found_state(cluster: Cluster, namespace: str) -> str:
    return str(get(cluster, "-n", namespace, "crr", "checkout-1")["status"]["state"])


@pytest.fixture
def unwatched(installed: Cluster) -> Iterator[str]:
    """Our kind under another group: an operator that runs here would write its own status."""
    group = f"try{uuid.uuid4().hex[:6]}.example.com"
    text = (ROOT / "crds" / "causalrollouts.yaml").read_text().replace("causalrollouts.dev", group)
    crd = yaml.safe_load(text)
    del crd["spec"]["names"]["shortNames"], crd["spec"]["names"]["categories"]
    name = crd["metadata"]["name"]
    kubectl(installed, "create", "-f", "-", stdin=json.dumps(crd))
    wait_established(installed, f"crd/{name}", seconds=20)
    yield group
    kubectl(installed, "delete", "crd", name, "--wait=false")


def test_a_status_is_kept_as_written_and_written_once(
    installed: Cluster, namespace: str, unwatched: str
) -> None:
    rollout = moved(documents(next(p for p in EXAMPLES if p.stem == "first-rollout"))[0], namespace)
    kind = f"causalrollouts.{unwatched}"
    kubectl(
        installed, "create", "-f", "-", stdin=json.dumps({**rollout, "apiVersion": f"{unwatched}/v1alpha1"})
    )
    first = render({}, 1, 1.7e9, VIEW)
    assert write_status(installed, namespace, kind, "checkout", first).ok
    there = get(installed, "-n", namespace, kind, "checkout")
    assert there["status"] == first, "a field was pruned or defaulted"
    again = render(there["status"], 1, 1.8e9, VIEW)
    assert again == there["status"]
    assert write_status(installed, namespace, kind, "checkout", again).ok
    later = get(installed, "-n", namespace, kind, "checkout")
    assert later["metadata"]["resourceVersion"] == there["metadata"]["resourceVersion"]
    assert later["metadata"]["generation"] == 1
    shown = kubectl(installed, "-n", namespace, "get", kind, "checkout", "--no-headers")
    assert shown.split()[1:5] == ["Observing", "1/3", "5%", "Inconclusive"]
