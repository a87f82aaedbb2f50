"""The chart as Helm 3 and Helm 4 bring it to a real API server: install, upgrade, uninstall."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from e2e.api import target
from e2e.api.asking import Answer, ask
from e2e.chart import plain
from e2e.chart.helm import CHART, MINIMAL, RELEASE, objects
from e2e.chart.server import helm_on
from e2e.cluster import parts
from e2e.cluster.kubectl import apply, get, kubectl, wait_established
from e2e.cluster.parts import Part
from e2e.cluster.places import places
from e2e.cluster.progress import wait_for
from e2e.cluster.state import Cluster
from e2e.cluster.trouble import ClusterTrouble

pytestmark = pytest.mark.cluster

BOTH = pytest.mark.parametrize("part", [parts.HELM3, parts.HELM], ids=["helm3", "helm4"])
KINDS = ("causalrollouts", "rolloutpolicies", "rolloutrecords")
MONITORING = ("podmonitors", "prometheusrules")
EVERYTHING = (
    "userRoles.create=true",
    "gate.requireRollout=true",
    "networkPolicy.enabled=true",
    "prometheus.tokenSecret.name=prometheus",
)


@pytest.fixture
def releases(server: Cluster) -> Iterator[None]:
    """Whatever a test leaves installed goes, with the kinds."""
    yield
    for line in helm_on(server, "list", "-A", "-q").split():
        helm_on(server, "uninstall", line, "-n", RELEASE)
    crds = [f"crd/{kind}.causalrollouts.dev" for kind in KINDS]
    kubectl(server, "delete", "--ignore-not-found", "--wait=false", *crds)


@pytest.fixture
def monitoring(server: Cluster) -> Iterator[None]:
    """The two kinds as the Prometheus Operator's own types say them."""
    where = places()
    parts.ensure((parts.PROMETHEUS_OPERATOR,), where)
    folder = parts.PROMETHEUS_OPERATOR.folder(where)
    files = [word for kind in MONITORING for word in ("-f", folder / f"monitoring.coreos.com_{kind}.yaml")]
    kubectl(server, "apply", "--server-side", *files)
    crds = [f"crd/{kind}.monitoring.coreos.com" for kind in MONITORING]
    wait_established(server, *crds, seconds=30)
    yield
    kubectl(server, "delete", "--wait=false", *crds)


def bring(server: Cluster, part: Part, *values: str, words: tuple[str, ...] = ()) -> str:
    """helm upgrade --install, as a pipeline does it, with an API server that takes no unknown field."""
    call = ["upgrade", "--install", RELEASE, str(CHART), "-n", RELEASE, "--create-namespace", *words]
    for value in (*MINIMAL, *values):
        call += ["--set", value]
    return helm_on(server, *call, part=part)


def user(server: Cluster, name: str, *words: str, obj: Any = None) -> Answer:
    return ask(server, *words, f"--as={name}", "--as-group=system:masters", obj=obj)


def names(server: Cluster, kind: str) -> set[str]:
    found = kubectl(server, "get", kind, "-A", "-o", "name", "-l", f"app.kubernetes.io/instance={RELEASE}")
    return {line.partition("/")[2] for line in found.split()}


@BOTH
def test_a_release_is_installed_upgraded_and_taken_away_and_the_kinds_stay(
    server: Cluster, releases: None, part: Part
) -> None:
    bring(server, part, *EVERYTHING)
    crd = "crd/causalrollouts.causalrollouts.dev"
    wait_established(server, crd, seconds=30)
    assert names(server, "mutatingadmissionpolicies") == {"gate.causalrollouts.dev"}
    apply(server, [rollout()])
    bring(server, part, "operator.logLevel=DEBUG")
    (container,) = operators(server)["spec"]["template"]["spec"]["containers"]
    assert {"name": "CAUSAL_ROLLOUTS_LOG_LEVEL", "value": "DEBUG"} in container["env"]
    assert not names(server, "networkpolicies"), "what a value switched off stayed"

    helm_on(server, "uninstall", RELEASE, "-n", RELEASE, part=part)
    for kind in ("deployments", "clusterroles", "mutatingadmissionpolicies", "validatingadmissionpolicies"):
        assert not names(server, kind)
    assert get(server, "-n", "default", "causalrollout", "checkout")["spec"], "an uninstall took the rollouts"

    bring(server, part)
    assert names(server, "mutatingadmissionpolicies") == {"gate.causalrollouts.dev"}


@BOTH
def test_an_upgrade_that_says_the_same_writes_nothing(server: Cluster, releases: None, part: Part) -> None:
    bring(server, part)
    before = generations(server)
    bring(server, part)
    assert generations(server) == before


def test_what_helm_4_brought_helm_3_upgrades_and_the_other_way_round(server: Cluster, releases: None) -> None:
    for part, level in ((parts.HELM3, "DEBUG"), (parts.HELM, "WARNING"), (parts.HELM3, "ERROR")):
        bring(server, part, f"operator.logLevel={level}")
        (container,) = operators(server)["spec"]["template"]["spec"]["containers"]
        assert {"name": "CAUSAL_ROLLOUTS_LOG_LEVEL", "value": level} in container["env"]


def test_the_gate_holds_a_template_and_only_the_releases_account_lets_it_go(
    server: Cluster, releases: None
) -> None:
    bring(server, parts.HELM)
    web = target.Target(server, "default")
    web.apply("v1")
    wait_for_the_gate(web)
    assert web.paused
    stranger, own = (
        f"system:serviceaccount:{RELEASE}:{name}" for name in ("somebody", "causal-rollouts-operator")
    )
    words = ["-n", "default", "patch", "deployment", target.NAME, "--type=merge"]
    free = [*words, "-p", '{"spec":{"paused":false}}']
    assert user(server, stranger, *free).ok
    assert web.paused, "somebody else's account passed by the gate"
    assert user(server, own, *free).ok
    assert not web.paused


def test_a_gate_of_named_namespaces_leaves_the_others_alone(server: Cluster, releases: None) -> None:
    for name in ("shop", "elsewhere"):
        kubectl(server, "create", "namespace", name)
    bring(server, parts.HELM, "watchNamespaces={shop}")
    watched, other = target.Target(server, "shop"), target.Target(server, "elsewhere")
    watched.apply("v1")
    other.apply("v1")
    wait_for_the_gate(watched)
    other.apply("v2")
    assert watched.paused
    assert not other.paused


def test_in_a_bound_namespace_nothing_changes_without_a_rollout(server: Cluster, releases: None) -> None:
    for name in ("bound", "free"):
        kubectl(server, "create", "namespace", name)
    kubectl(server, "label", "namespace", "bound", "causalrollouts.dev/policy=standard")
    bring(server, parts.HELM, "gate.requireRollout=true")
    pipeline, ann = "system:serviceaccount:ci:deployer", "ann"

    def written(who: str, namespace: str, version: str, *, gated: bool = False) -> Answer:
        words = (
            "-n",
            namespace,
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=git",
            "-f",
            "-",
        )
        return user(server, who, *words, obj=target.manifest(version, gated=gated))

    assert written(pipeline, "bound", "v1").ok, "creation passes"
    assert written(pipeline, "free", "v1").ok
    count = iter(range(2, 1000))
    wait_for("a new template to be refused", lambda: not written(pipeline, "bound", f"v{next(count)}").ok, 30)
    refused = written(pipeline, "bound", "other")
    assert "no CausalRollout gates Deployment web: create one (causal-rollouts adopt web" in refused.said
    assert written(pipeline, "free", "other").ok
    scaled = user(server, pipeline, "-n", "bound", "scale", "deployment", target.NAME, "--replicas=2")
    assert scaled.ok, "all but a new template passes"
    assert written(ann, "bound", "by-hand").ok, "a person with the verb passes"
    assert written(pipeline, "bound", "next", gated=True).ok
    assert target.Target(server, "bound").paused, "and with the label it is a request"


def test_the_api_server_takes_every_object_of_both_helms_without_a_warning(
    server: Cluster, releases: None
) -> None:
    bring(server, parts.HELM)
    for part in (parts.HELM3, parts.HELM):
        made = {"apiVersion": "v1", "kind": "List", "items": objects(*EVERYTHING, part=part)}
        words = ["--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", "-"]
        answer = ask(server, "apply", *words, obj=made)
        assert answer.ok, answer.said
        assert "Warning" not in answer.said


@BOTH
def test_the_kinds_of_the_prometheus_operator_take_monitor_and_rules_whole(
    server: Cluster, releases: None, monitoring: None, part: Part
) -> None:
    values = (
        "podMonitor.enabled=true",
        "podMonitor.labels.release=stack",
        "prometheusRule.enabled=true",
        "prometheusRule.runbooks=https://wiki.example/runbooks/",
    )
    bring(server, part, *values)
    for rendered in objects(*values, show=("podmonitor", "prometheusrule")):
        kind = f"{rendered['kind'].lower()}s.monitoring.coreos.com"
        kept = get(server, "-n", RELEASE, kind, RELEASE)
        # A field that the kind does not know would have been refused or dropped.
        assert kept["spec"] == rendered["spec"]
        words = ["--dry-run=server", "--server-side", "--force-conflicts", "--validate=strict", "-f", "-"]
        answer = ask(server, "apply", *words, obj=rendered)
        assert answer.ok, answer.said
        assert "Warning" not in answer.said
    helm_on(server, "uninstall", RELEASE, "-n", RELEASE, part=part)
    for kind in MONITORING:
        assert not names(server, f"{kind}.monitoring.coreos.com")


def test_the_plain_manifest_is_taken_whole(server: Cluster, releases: None) -> None:
    words = ["apply", "--server-side", "--force-conflicts", "--validate=strict", "-f", "-"]
    kubectl(server, *words, stdin=plain.install())
    assert operators(server)["spec"]["replicas"] == 1
    # Not the namespace: no controller runs here that would finish its end.
    rest = [o for o in yaml.safe_load_all(plain.install()) if o and o["kind"] != "Namespace"]
    kubectl(server, "delete", "--wait=false", "-f", "-", stdin=yaml.safe_dump_all(rest))


def test_kinds_applied_by_hand_are_left_alone_or_taken_over(server: Cluster, releases: None) -> None:
    kubectl(server, "apply", "--server-side", "-f", plain.CRDS)
    with pytest.raises(ClusterTrouble, match="invalid ownership metadata"):
        bring(server, parts.HELM)
    bring(server, parts.HELM, "crds.enabled=false")
    bring(server, parts.HELM, words=("--take-ownership", "--force-conflicts"))


def test_a_second_release_for_the_whole_cluster_is_refused(server: Cluster, releases: None) -> None:
    bring(server, parts.HELM)
    call = ["install", "another", str(CHART), "-n", "default", "--set", MINIMAL[0]]
    with pytest.raises(ClusterTrouble, match=r"invalid ownership metadata|cannot be imported"):
        helm_on(server, *call)


def wait_for_the_gate(web: target.Target) -> None:
    """A policy acts a moment after it is there: templates are written until one is held."""
    count = iter(range(2, 1000))

    def held() -> bool:
        web.apply(f"v{next(count)}")
        return web.paused

    wait_for("the gate to hold a template", held, 30)


def operators(server: Cluster) -> dict[str, Any]:
    found: dict[str, Any] = get(server, "-n", RELEASE, "deployment", RELEASE)
    return found


def generations(server: Cluster) -> str:
    selected = ["-A", "-l", f"app.kubernetes.io/instance={RELEASE}"]
    kinds = "deployments,clusterroles,mutatingadmissionpolicies,validatingadmissionpolicies,serviceaccounts"
    shown = "{range .items[*]}{.kind}/{.metadata.name}={.metadata.generation} {end}"
    return kubectl(server, "get", kinds, *selected, "-o", f"jsonpath={shown}")


def rollout() -> dict[str, Any]:
    return {
        "apiVersion": "causalrollouts.dev/v1alpha1",
        "kind": "CausalRollout",
        "metadata": {"name": "checkout", "namespace": "default"},
        "spec": {
            "targetRef": {"name": "checkout"},
            "policyRef": {"name": "standard"},
            "traffic": {"service": "checkout", "httpRoutes": [{"name": "checkout"}]},
        },
    }
