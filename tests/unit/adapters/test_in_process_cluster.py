"""The in-process cluster shows what was seen on a real one, else stories told on it mean nothing."""

import asyncio

import pytest

from causal_rollouts.adapters.kube import DEPLOYMENT, HTTP_ROUTE, POD, REPLICA_SET, ROLLOUT, SERVICE
from causal_rollouts.ports import NotYet, Refused
from e2e.embedded.apiserver import ApiServer
from e2e.embedded.controllers import Controllers, add_nodes
from e2e.embedded.pods import ready_since
from e2e.embedded.shop import NAMESPACE, deployment, open_shop, release

T0 = 1_800_000_000.0


@pytest.fixture
def api():
    server = ApiServer(time=T0)
    add_nodes(server, "node1", "node2", "node3")
    open_shop(server)
    return server


@pytest.fixture
def cluster(api):
    controllers = Controllers(api)
    controllers.step(T0)
    controllers.step(T0 + 5)
    return controllers


def ready(api, **labels):
    pods = [p for p in api.stored(POD, NAMESPACE) if labels.items() <= p["metadata"]["labels"].items()]
    return [p for p in pods if ready_since(p) is not None and "deletionTimestamp" not in p["metadata"]]


def images(api):
    return sorted(p["spec"]["containers"][0]["image"] for p in ready(api))


def sets(api):
    found = api.stored(REPLICA_SET, NAMESPACE)
    return {rs["spec"]["template"]["spec"]["containers"][0]["image"]: rs for rs in found}


def target(api):
    return api.find(DEPLOYMENT, NAMESPACE, "web")


def unpause(api, **spec):
    old = target(api)
    new = {**old, "spec": {**old["spec"], "paused": False, **spec}}
    api.change(DEPLOYMENT, old, new, "system:serviceaccount:causal-rollouts:operator", manager="x")


def run(cluster, seconds, watch=lambda: None):
    for _ in range(int(seconds)):
        cluster.step(cluster.api.time + 1)
        watch()


def test_a_deployment_gets_its_pods_spread_over_the_nodes(api, cluster):
    assert images(api) == ["web:v1"] * 6
    assert sorted(p["spec"]["nodeName"] for p in ready(api)) == [f"node{i}" for i in (1, 1, 2, 2, 3, 3)]
    assert target(api)["status"]["availableReplicas"] == 6


def test_a_new_template_is_paused_in_the_same_write_and_starts_no_pod(api, cluster):
    release(api, "web:v2")
    assert target(api)["spec"]["paused"] is True
    run(cluster, 20)
    assert images(api) == ["web:v1"] * 6
    assert list(sets(api)) == ["web:v1"]


def test_nobody_owns_the_pause_that_admission_set(api, cluster):
    release(api, "web:v2")
    fields = target(api)["metadata"]["managedFields"]
    assert not any("f:paused" in entry["fieldsV1"].get("f:spec", {}) for entry in fields)


def test_dropping_the_label_does_not_open_the_gate(api, cluster):
    old = target(api)
    bare = {**old, "metadata": {**old["metadata"], "labels": {}}}
    bare["spec"] = {**old["spec"], "template": deployment(image="web:v2")["spec"]["template"]}
    api.change(DEPLOYMENT, old, bare, "git", manager="git")
    assert target(api)["spec"]["paused"] is True
    assert target(api)["metadata"]["labels"]["causalrollouts.dev/gate"] == "enabled"


def test_only_the_operator_and_people_who_may_bypass_unpause(api, cluster):
    release(api, "web:v2")
    api.bypass.add("alice")

    def resume(user):
        api.change(
            DEPLOYMENT, target(api), {**target(api), "spec": {**target(api)["spec"], "paused": False}}, user
        )
        return target(api)["spec"].get("paused", False)

    assert resume("bob") is True
    assert resume("alice") is False


def test_a_roll_never_has_fewer_ready_pods_than_asked(api, cluster):
    release(api, "web:v2")
    unpause(api)
    low, high = [], []

    def watch():
        low.append(len(ready(api)))
        high.append(len(api.stored(POD, NAMESPACE)))

    run(cluster, 60, watch)
    assert images(api) == ["web:v2"] * 6
    assert min(low) >= 6
    assert max(high) <= 6 + 1 + 2  # one surge, and pods that end
    assert target(api)["status"]["updatedReplicas"] == 6


def test_an_undo_by_orphan_deletion_never_dips(api, cluster):
    release(api, "web:v2")
    unpause(api)
    run(cluster, 9)
    assert {"web:v1", "web:v2"} == set(images(api))
    unpause(api, paused=True)
    client = api.client()
    asyncio.run(
        client.delete(REPLICA_SET, NAMESPACE, sets(api)["web:v2"]["metadata"]["name"], propagation="Orphan")
    )
    low = []
    run(cluster, 10, lambda: low.append(len(ready(api))))
    assert min(low) >= 6
    assert images(api).count("web:v1") == 6
    orphans = [p for p in ready(api) if not p["metadata"].get("ownerReferences")]
    assert {p["spec"]["containers"][0]["image"] for p in orphans} == {"web:v2"}


def test_scaling_while_paused_in_the_middle_of_a_roll_grows_both(api, cluster):
    release(api, "web:v2")
    unpause(api)
    run(cluster, 12)
    unpause(api, paused=True, replicas=12)
    before = {image: rs["spec"]["replicas"] for image, rs in sets(api).items()}
    run(cluster, 1)
    after = {image: rs["spec"]["replicas"] for image, rs in sets(api).items()}
    assert all(after[image] > before[image] for image in before)
    assert sum(after.values()) == 13


def test_a_crash_loop_is_told_as_the_kubelet_tells_it(api, cluster):
    api.add(DEPLOYMENT, NAMESPACE, deployment("bad", replicas=1, CRASH_AFTER="4"))
    run(cluster, 20)
    [pod] = [p for p in api.stored(POD, NAMESPACE) if p["metadata"]["labels"]["app"] == "bad"]
    [container] = pod["status"]["containerStatuses"]
    assert container["restartCount"] == 1
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"


def test_an_image_that_is_missing_never_starts(api, cluster):
    api.add(DEPLOYMENT, NAMESPACE, deployment("bad", replicas=1, image="missing:v1"))
    run(cluster, 20)
    [pod] = [p for p in api.stored(POD, NAMESPACE) if p["metadata"]["labels"]["app"] == "bad"]
    assert pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "ErrImagePull"
    assert pod["status"]["phase"] == "Pending"


def test_a_quota_is_told_on_the_replica_set(api, cluster):
    cluster.refuse = lambda pod: (
        "exceeded quota: pods=6" if pod["metadata"]["labels"]["app"] == "more" else ""
    )
    api.add(DEPLOYMENT, NAMESPACE, deployment("more", replicas=1))
    run(cluster, 2)
    failed = [rs for rs in api.stored(REPLICA_SET) if rs["status"].get("conditions")]
    assert [rs["status"]["conditions"][0]["message"] for rs in failed] == ["exceeded quota: pods=6"]


def test_preferred_affinity_is_honoured_and_required_affinity_binds(api, cluster):
    def prefer(kind, name):
        made = deployment(name, replicas=1)
        term = {
            "matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["node3"]}]
        }
        rules = {
            "preferred": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": term}]
            },
            "required": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}},
        }
        made["spec"]["template"]["spec"]["affinity"] = {"nodeAffinity": rules[kind]}
        return made

    api.add(DEPLOYMENT, NAMESPACE, prefer("preferred", "a"))
    api.add(DEPLOYMENT, NAMESPACE, prefer("required", "b"))
    run(cluster, 1)
    where = {p["metadata"]["labels"]["app"]: p["spec"]["nodeName"] for p in api.stored(POD, NAMESPACE)}
    assert (where["a"], where["b"]) == ("node3", "node3")


async def test_a_stale_version_is_a_conflict_and_a_noop_is_no_write(api):
    client = api.client("alice")
    seen = (await client.get(SERVICE, NAMESPACE, "web"))["metadata"]["resourceVersion"]
    same = await client.merge(SERVICE, NAMESPACE, "web", {"metadata": {"labels": {"team": "shop"}}})
    assert same["metadata"]["resourceVersion"] == seen
    await client.merge(SERVICE, NAMESPACE, "web", {"metadata": {"labels": {"team": "web"}}})
    with pytest.raises(NotYet):
        await client.merge(SERVICE, NAMESPACE, "web", {"metadata": {"resourceVersion": seen}, "spec": {}})
    with pytest.raises(NotYet):
        await client.json_patch(
            SERVICE, NAMESPACE, "web", [{"op": "test", "path": "/metadata/resourceVersion", "value": seen}]
        )


async def test_status_is_written_only_through_its_subresource(api):
    client = api.client()
    made = await client.create(
        ROLLOUT, NAMESPACE, {"metadata": {"name": "r"}, "spec": {"a": 1}, "status": {"phase": "x"}}
    )
    assert "status" not in made
    made = await client.merge(ROLLOUT, NAMESPACE, "r", {"spec": {"a": 2}, "status": {"phase": "x"}})
    assert ("status" not in made, made["metadata"]["generation"]) == (True, 2)
    made = await client.merge(
        ROLLOUT, NAMESPACE, "r", {"spec": {"a": 3}, "status": {"phase": "x"}}, status=True
    )
    assert (made["spec"]["a"], made["status"]["phase"], made["metadata"]["generation"]) == (2, "x", 2)


async def test_a_finalizer_holds_an_object_until_it_goes(api):
    client = api.client()
    await client.create(ROLLOUT, NAMESPACE, {"metadata": {"name": "r", "finalizers": ["f"]}, "spec": {}})
    await client.delete(ROLLOUT, NAMESPACE, "r")
    held = await client.get(ROLLOUT, NAMESPACE, "r")
    assert held["metadata"]["deletionTimestamp"]
    await client.merge(ROLLOUT, NAMESPACE, "r", {"metadata": {"finalizers": None}})
    assert await client.get(ROLLOUT, NAMESPACE, "r") is None


async def test_deleting_an_owner_takes_its_dependents_unless_orphaned(api, cluster):
    client = api.client()
    await client.delete(DEPLOYMENT, NAMESPACE, "web", propagation="Orphan")
    run(cluster, 5)
    assert len(ready(api)) == 6
    name = api.stored(REPLICA_SET, NAMESPACE)[0]["metadata"]["name"]
    await client.delete(REPLICA_SET, NAMESPACE, name)
    run(cluster, 5)
    assert not api.stored(POD, NAMESPACE)


async def test_apply_owns_what_it_names_and_leaves_the_rest(api):
    client = api.client()
    label = {"metadata": {"name": "web", "labels": {"causalrollouts.dev/gate": "enabled", "x": "1"}}}
    await client.apply(DEPLOYMENT, NAMESPACE, label)
    made = await client.apply(
        DEPLOYMENT, NAMESPACE, {"metadata": {"name": "web", "labels": {"causalrollouts.dev/gate": "enabled"}}}
    )
    assert made["metadata"]["labels"] == {"causalrollouts.dev/gate": "enabled"}
    assert made["spec"]["replicas"] == 6


async def test_what_makes_no_sense_is_refused_with_the_field(api):
    wrong = deployment("wrong")
    wrong["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    with pytest.raises(Refused, match="selector"):
        await api.client().create(DEPLOYMENT, NAMESPACE, wrong)


def test_the_gateway_accepts_the_generation_it_has_seen(api, cluster):
    route = api.find(HTTP_ROUTE, NAMESPACE, "web")
    [parent] = route["status"]["parents"]
    assert {c["observedGeneration"] for c in parent["conditions"]} == {route["metadata"]["generation"]}


def test_a_settled_cluster_writes_nothing(api, cluster):
    run(cluster, 5)
    before = len(api.writes)
    run(cluster, 60)
    assert len(api.writes) == before
