"""What the chart gives to the API server, for the values a person can say."""

import itertools
import json
import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from causal_rollouts.runtime.settings import read_settings
from e2e.chart import plain
from e2e.chart.helm import CHART, MINIMAL, helm, objects, template
from e2e.cluster.trouble import ClusterTrouble
from tests.unit.api.roles import GRANTED

Manifest = dict[str, Any]
EVERYTHING = (
    "watchNamespaces={shop,pay}",
    "userRoles.create=true",
    "gate.requireRollout=true",
    "networkPolicy.enabled=true",
    "networkPolicy.prometheusPeer.namespaceSelector.matchLabels.app=prometheus",
    "networkPolicy.scraperPeer.namespaceSelector.matchLabels.app=prometheus",
    "prometheus.tokenSecret.name=prometheus",
    "prometheus.scrape=7.5",
    "prometheus.ingestLag=3",
    "prometheus.networks={10.0.0.0/8,fd00::/8}",
    "prometheus.bodyMib=64",
    "notifications.channelsSecret.name=channels",
    "notifications.channelsSecret.key=mine.yaml",
    "notifications.networks={10.0.0.0/8}",
    "networkPolicy.channelPeer.ipBlock.cidr=10.0.0.0/8",
    "prometheus.podLabel=kubernetes_pod",
    "prometheus.namespaceLabel=kubernetes_namespace",
    "operator.workers=4",
    "operator.healthPort=9000",
    "operator.logLevel=DEBUG",
    "operator.prices=cpu=0.031/core-hour",
    "imagePullSecrets[0].name=registry",
    "priorityClassName=system-cluster-critical",
    "nodeSelector.pool=system",
    "tolerations[0].operator=Exists",
    "podLabels.team=platform",
    "podAnnotations.note=here",
    "serviceAccount.annotations.role=reader",
)
MONITORING = ("podMonitor.enabled=true", "prometheusRule.enabled=true")
CLUSTER_WIDE = {("apiextensions.k8s.io", "customresourcedefinitions"), ("", "namespaces")}
NOWHERE = {("causalrollouts.dev", "rolloutpolicies"), ("", "nodes")}


def of(found: list[Manifest], kind: str) -> list[Manifest]:
    return [o for o in found if o["kind"] == kind]


def one(found: list[Manifest], kind: str, starts: str = "") -> Manifest:
    (only,) = (o for o in of(found, kind) if o["metadata"]["name"].startswith(starts))
    return only


def rights(role: Manifest) -> dict[tuple[str, str], set[str]]:
    granted: dict[tuple[str, str], set[str]] = {}
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                granted.setdefault((group, resource), set()).update(rule["verbs"])
    return granted


@pytest.fixture(scope="module")
def default() -> list[Manifest]:
    return objects()


@pytest.fixture(scope="module")
def everything() -> list[Manifest]:
    return objects(*EVERYTHING)


def operators_pod(found: list[Manifest]) -> Manifest:
    spec: Manifest = one(found, "Deployment")["spec"]["template"]["spec"]
    return spec


def environment(found: list[Manifest]) -> dict[str, str]:
    return {e["name"]: e["value"] for e in operators_pod(found)["containers"][0]["env"]}


def test_the_plain_manifests_are_what_the_chart_renders():
    committed = {path.name: path.read_text() for path in plain.CONFIG.glob("*.yaml")}
    assert plain.config() == committed, "run `make manifests`"


def test_the_chart_carries_the_kinds_as_they_are():
    kinds = {path.name: path.read_text() for path in plain.CRDS.glob("*.yaml")}
    copies = {path.name: path.read_text() for path in plain.COPIES.glob("*.yaml")}
    assert copies == kinds, "run `make manifests`"


def test_an_uninstall_keeps_the_kinds_and_changes_nothing_else_in_them(default):
    kept = of(default, "CustomResourceDefinition")
    assert len(kept) == 3
    for crd in kept:
        assert crd["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    source = [yaml.safe_load(path.read_text()) for path in sorted(plain.CRDS.glob("*.yaml"))]
    assert sorted(kept, key=lambda o: o["metadata"]["name"]) == source
    assert not of(objects("crds.enabled=false"), "CustomResourceDefinition")


def test_one_install_yaml_holds_the_operator_and_all_it_needs(default):
    made = [o for o in yaml.safe_load_all(plain.install()) if o]
    assert made[0]["kind"] == "Namespace"
    assert sorted(o["kind"] for o in made[1:]) == sorted(o["kind"] for o in default)
    assert "helm.sh/" not in plain.install()


def test_in_the_whole_cluster_the_operator_may_do_what_is_listed(default):
    assert rights(one(default, "ClusterRole")) == GRANTED
    assert [role["metadata"]["name"] for role in of(default, "Role")] == ["causal-rollouts-election"]


def test_in_named_namespaces_only_policies_and_nodes_are_read_beyond_them(everything):
    beyond = rights(one(everything, "ClusterRole", "causal-rollouts-operator"))
    assert beyond == {what: GRANTED[what] for what in NOWHERE}
    roles = [role for role in of(everything, "Role") if not role["metadata"]["name"].endswith("-election")]
    assert [role["metadata"]["namespace"] for role in roles] == ["shop", "pay"]
    for role in roles:
        inside = {w: v for w, v in GRANTED.items() if w not in NOWHERE | CLUSTER_WIDE}
        assert rights(role) == inside | {("", "namespaces"): {"get"}}, "its label may name the policy"
    ours = [b for b in of(everything, "RoleBinding") if not b["metadata"]["name"].endswith("-election")]
    assert [b["metadata"]["namespace"] for b in ours] == ["shop", "pay"]


def test_the_gate_lets_the_account_of_the_release_pass_and_no_other():
    found = objects(namespace="platform", release="gates")
    account = one(found, "ServiceAccount")["metadata"]
    assert (account["namespace"], account["name"]) == ("platform", "gates-causal-rollouts-operator")
    who = "system:serviceaccount:platform:gates-causal-rollouts-operator"
    (condition,) = one(found, "MutatingAdmissionPolicy")["spec"]["matchConditions"]
    assert condition["expression"] == f"request.userInfo.username != '{who}'"
    assert operators_pod(found)["serviceAccountName"] == account["name"]
    subjects = one(found, "ClusterRoleBinding")["subjects"]
    assert subjects == [{"kind": "ServiceAccount", "name": account["name"], "namespace": "platform"}]


def test_the_gate_of_named_namespaces_stands_beside_another_and_selects_only_these(everything, default):
    for kind in ("MutatingAdmissionPolicy", "ValidatingAdmissionPolicy"):
        names = {o["metadata"]["name"] for o in of(everything, kind)}
        assert not names & {o["metadata"]["name"] for o in of(default, kind)}
        assert {o["spec"]["policyName"] for o in of(everything, f"{kind}Binding")} == names
        for policy in of(everything, kind):
            selected = policy["spec"]["matchConstraints"]["namespaceSelector"]["matchExpressions"]
            key = "kubernetes.io/metadata.name"
            bound = [{"key": "causalrollouts.dev/policy", "operator": "Exists"}]
            required = policy["metadata"]["name"].startswith("require.")
            watched = {"key": key, "operator": "In", "values": ["shop", "pay"]}
            assert selected == [*(bound if required else []), watched]


def test_changes_without_a_rollout_are_refused_only_where_a_value_says_so(everything, default):
    for found, there in ((everything, True), (default, False)):
        names = [o["metadata"]["name"] for o in of(found, "ValidatingAdmissionPolicy")]
        assert any(name.startswith("require.") for name in names) is there


def test_the_gate_speaks_the_version_that_the_cluster_serves():
    def spoken(*values: str, **more: Any) -> str:
        version: str = one(objects(*values, **more), "MutatingAdmissionPolicy")["apiVersion"]
        return version.removeprefix("admissionregistration.k8s.io/")

    assert [spoken(kubernetes=f"1.{minor}.0") for minor in (34, 35, 36, 37)] == ["v1beta1"] * 2 + ["v1"] * 2
    assert spoken("gate.apiVersion=v1beta1", kubernetes="1.37.0") == "v1beta1"
    assert not of(objects("gate.enabled=false"), "MutatingAdmissionPolicy")


def test_the_operator_reads_the_settings_that_it_is_given(everything, tmp_path):
    given = environment(everything)
    mounted = tmp_path / "channels.yaml"
    mounted.write_text("team: {kind: Slack, url: 'https://hooks.example.com/'}")
    said = given.pop("CAUSAL_ROLLOUTS_CHANNELS_FILE")
    read = read_settings(given | {"CAUSAL_ROLLOUTS_CHANNELS_FILE": str(mounted)})
    assert read.channels_networks == "10.0.0.0/8"
    assert read.prometheus_url == "http://prometheus.monitoring:9090"
    assert read.watched == ("shop", "pay")
    assert (read.scrape, read.ingest_lag, read.workers, read.health_port) == (7.5, 3, 4, 9000)
    assert (read.prometheus_networks, read.prometheus_body_mib) == ("10.0.0.0/8,fd00::/8", 64)
    assert (read.pod_label, read.namespace_label) == ("kubernetes_pod", "kubernetes_namespace")
    assert (read.log_level, read.prices) == ("DEBUG", "cpu=0.031/core-hour")
    (container,) = operators_pod(everything)["containers"]
    token, channels = container["volumeMounts"]
    assert str(read.prometheus_token_file) == f"{token['mountPath']}/token"
    assert said == f"{channels['mountPath']}/channels.yaml"
    secrets = {v["name"]: v["secret"] for v in operators_pod(everything)["volumes"]}
    assert secrets[channels["name"]] == {
        "secretName": "channels",
        "items": [{"key": "mine.yaml", "path": "channels.yaml"}],
    }
    assert container["ports"][0]["containerPort"] == read.health_port


def test_the_operator_may_nothing_on_its_node(default):
    pod = operators_pod(default)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]) == {"requests", "limits"}
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    assert not pod.get("volumes")


def test_one_copy_needs_no_lease_and_never_meets_its_successor(default):
    spec = one(default, "Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert read_settings(environment(default)).lease == ""
    assert not of(default, "PodDisruptionBudget")


def test_of_two_copies_a_lease_says_which_works():
    found = objects("replicaCount=2", namespace="platform", release="gates")
    read = read_settings(environment(found))
    election = one(found, "Role", "gates-causal-rollouts-election")
    assert election["metadata"]["namespace"] == read.lease_namespace == "platform"
    assert election["rules"][1]["resourceNames"] == [read.lease]
    assert one(found, "Deployment")["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 0
    budget, pod = one(found, "PodDisruptionBudget"), one(found, "Deployment")["spec"]["template"]
    chosen = budget["spec"]["selector"]["matchLabels"].items()
    assert budget["spec"]["maxUnavailable"] == 1
    assert chosen <= pod["metadata"]["labels"].items()


def test_without_channels_no_port_is_open_for_them_and_nothing_is_mounted():
    found = objects("networkPolicy.enabled=true", "notifications.channelsSecret.name=channels")
    rule = one(found, "NetworkPolicy")["spec"]["egress"][-1]
    assert rule == {"ports": [{"port": 443, "protocol": "TCP"}]}
    silent = objects("networkPolicy.enabled=true")
    assert rule not in one(silent, "NetworkPolicy")["spec"]["egress"]
    assert "CAUSAL_ROLLOUTS_CHANNELS_FILE" not in environment(silent)


def test_a_release_without_a_metrics_source_is_refused():
    with pytest.raises(ClusterTrouble, match=r"prometheus\.url: .* say where they are"):
        template()


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("prometheus.ulr=x", "ulr"),
        ("prometheus.url=prometheus:9090", "url"),
        ("prometheus.scrape=0", "scrape"),
        ("operator.logLevel=LOUD", "logLevel"),
        ("watchNamespaces={Shop}", "watchNamespaces"),
        ("image.digest=latest", "digest"),
    ],
)
def test_a_wrong_value_is_named(value, named):
    with pytest.raises(ClusterTrouble, match=named):
        template(*MINIMAL, value)


def test_a_digest_wins_over_a_tag():
    digest = f"sha256:{'0' * 64}"
    (container,) = operators_pod(objects("image.tag=v9", f"image.digest={digest}"))["containers"]
    assert container["image"] == f"localhost/causal-rollouts@{digest}"
    (container,) = operators_pod(objects("image.tag=v9"))["containers"]
    assert container["image"] == "localhost/causal-rollouts:v9"


def test_what_needs_the_prometheus_operator_is_off_until_asked_for(default):
    assert {o["apiVersion"] for o in default if "monitoring.coreos.com" in o["apiVersion"]} == set()
    asked = objects(*MONITORING)
    (endpoint,) = one(asked, "PodMonitor")["spec"]["podMetricsEndpoints"]
    ports = {p["name"] for p in operators_pod(asked)["containers"][0]["ports"]}
    assert endpoint["port"] in ports
    labels = one(asked, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert one(asked, "PodMonitor")["spec"]["selector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize("release", ["1.34", "1.37"])
def test_every_object_is_what_kubernetes_takes(everything, default, release):
    """kind by kind, unknown fields refused; CRDs' own schemas are the API server's to judge."""
    checked = 0
    for found in (*everything, *default):
        if found["kind"] == "CustomResourceDefinition":
            continue
        if found["kind"].startswith("MutatingAdmissionPolicy") and release != "1.34":
            found = {**found, "apiVersion": "admissionregistration.k8s.io/v1"}  # noqa: PLW2901
        kubernetes_validate.validate(found, release, strict=True)
        checked += 1
    assert checked > 25


def test_nothing_is_said_twice_or_left_empty(everything, default):
    """An empty map or a null is a field that server-side apply would own."""

    def empties(value: Any, path: str = "") -> list[str]:
        if isinstance(value, dict):
            found = [e for k, v in value.items() for e in empties(v, f"{path}.{k}")]
            return found if value else [path]
        if isinstance(value, list):
            return [e for i, v in enumerate(value) for e in empties(v, f"{path}[{i}]")]
        return [path] if value is None else []

    for found in (*everything, *default):
        if found["kind"] != "CustomResourceDefinition":
            assert empties(found) == [], found["metadata"]["name"]
    names = [(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in everything]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("version", ["1.34.0", "1.37.0"])
def test_helm_finds_nothing_to_say(version):
    said = helm("lint", CHART, "--strict", "--set", MINIMAL[0], "--kube-version", version)
    assert "0 chart(s) failed" in said


def test_every_value_is_explained_and_known_to_the_schema():
    lines = (CHART / "values.yaml").read_text().splitlines()
    schema = json.loads((CHART / "values.schema.json").read_text())
    for before, line in itertools.pairwise(lines):
        if re.match(r"^ *[a-zA-Z]+: *\S", line):
            assert before.lstrip().startswith("#"), f"no comment above `{line}`"

    def same(values: Manifest, known: Manifest, path: str) -> None:
        assert known["additionalProperties"] is False, path
        assert set(values) == set(known["properties"]) - {"global"}, path
        for name, inner in known["properties"].items():
            if "properties" in inner:
                same(values[name], inner, f"{path}.{name}")

    same(yaml.safe_load("\n".join(lines)), schema, "values")
