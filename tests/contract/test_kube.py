"""Kube: the in-process API answers as a real API server does, error for error."""

import pytest

from causal_rollouts.adapters.kube import DEPLOYMENT, HTTP_ROUTE, POD, SERVICE, Gone
from causal_rollouts.ports import Broken, NotYet, Refused
from tests.contract.things import backend, deployment, route, rule, service

STALE = {"op": "test", "path": "/metadata/resourceVersion", "value": "1"}


async def test_what_is_not_there_is_none_to_read_and_gone_to_write(lab):
    kube, ns = lab.operator, lab.namespace
    assert await kube.get(SERVICE, ns, "web") is None
    assert await kube.list(SERVICE, ns, "team=none") == []
    with pytest.raises(Gone):
        await kube.merge(SERVICE, ns, "web", {"metadata": {"labels": {"a": "b"}}})
    with pytest.raises(Gone):
        await kube.json_patch(SERVICE, ns, "web", [STALE])
    with pytest.raises(Gone):
        await kube.delete(SERVICE, ns, "web")


async def test_creating_twice_is_not_yet(lab):
    await lab.add(SERVICE, service())
    with pytest.raises(NotYet):
        await lab.add(SERVICE, service())


async def test_labels_choose(lab):
    await lab.add(SERVICE, service("a"))
    await lab.add(SERVICE, service("b"))
    await lab.person.merge(SERVICE, lab.namespace, "b", {"metadata": {"labels": {"team": "other"}}})

    async def names(selector):
        found = await lab.operator.list(SERVICE, lab.namespace, selector)
        return [obj["metadata"]["name"] for obj in found]

    assert await names("team=shop") == ["a"]
    assert await names("team in (shop,other),team") == ["a", "b"]
    assert await names("team!=shop") == ["b"]
    assert await names("!team") == []


async def test_a_failed_test_and_a_missing_path_are_not_yet_and_change_nothing(lab):
    made = await lab.add(HTTP_ROUTE, route(lab.gateway, rule(backend())))
    kube, ns = lab.operator, lab.namespace
    weight = {"op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 7}
    for ops in (
        [STALE, weight],
        [{"op": "test", "path": "/spec/rules/0/backendRefs/0/name", "value": "other"}, weight],
        [{"op": "remove", "path": "/spec/rules/3"}],
    ):
        with pytest.raises(NotYet):
            await kube.json_patch(HTTP_ROUTE, ns, "web", ops)
    assert (await lab.find(HTTP_ROUTE, "web"))["spec"] == made["spec"]
    changed = await kube.json_patch(
        HTTP_ROUTE, ns, "web", [{"op": "test", "path": "/metadata/name", "value": "web"}, weight]
    )
    assert changed["spec"]["rules"][0]["backendRefs"][0]["weight"] == 7


async def test_a_version_in_a_merge_patch_is_a_precondition(lab):
    made = await lab.add(SERVICE, service())
    kube, ns, seen = lab.operator, lab.namespace, made["metadata"]["resourceVersion"]
    patch = {"metadata": {"resourceVersion": seen, "labels": {"team": "new"}}}
    changed = await kube.merge(SERVICE, ns, "web", patch)
    assert changed["metadata"]["resourceVersion"] != seen
    with pytest.raises(NotYet):
        await kube.merge(SERVICE, ns, "web", patch)


async def test_null_in_a_merge_patch_takes_a_field_away(lab):
    await lab.add(SERVICE, service())
    changed = await lab.operator.merge(
        SERVICE, lab.namespace, "web", {"metadata": {"labels": {"team": None}}}
    )
    assert "team" not in changed["metadata"]["labels"]


async def test_what_is_invalid_is_refused_with_the_words_of_the_api_server(lab):
    made = deployment()
    made["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    with pytest.raises(Refused, match=r"spec\.template\.metadata\.labels"):
        await lab.add(DEPLOYMENT, made)
    with pytest.raises((Refused, Gone)):
        await lab.operator.apply(DEPLOYMENT, lab.namespace, {"metadata": {"name": "nobody", "labels": {}}})


async def test_the_generation_counts_what_is_asked_for_not_labels(lab):
    await lab.add(HTTP_ROUTE, route(lab.gateway, rule(backend())))
    kube, ns = lab.operator, lab.namespace
    same = await kube.merge(HTTP_ROUTE, ns, "web", {"metadata": {"labels": {"a": "b"}}})
    assert same["metadata"]["generation"] == 1
    more = await kube.merge(HTTP_ROUTE, ns, "web", {"spec": {"hostnames": ["other.contract.test"]}})
    assert more["metadata"]["generation"] == 2


async def test_a_deletion_of_another_object_of_that_name_is_not_yet(lab):
    await lab.add(SERVICE, service())
    with pytest.raises(NotYet):
        await lab.operator.delete(SERVICE, lab.namespace, "web", uid="00000000-0000-4000-8000-000000000000")
    assert await lab.operator.get(SERVICE, lab.namespace, "web") is not None


async def test_background_deletion_takes_what_is_owned(lab):
    await lab.add(DEPLOYMENT, deployment())

    async def pods():
        return await lab.operator.list(POD, lab.namespace)

    await lab.until("pods", pods)
    await lab.person.delete(DEPLOYMENT, lab.namespace, "web")

    async def none():
        return not await pods()

    await lab.until("no pod", none)


async def test_an_api_server_that_is_not_there_is_broken(tmp_path):
    from causal_rollouts.adapters.kubernetes_api import connect

    config = tmp_path / "kubeconfig"
    config.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c}}], "
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]}"
    )
    async with connect(config) as kube:
        with pytest.raises(Broken, match="does not answer"):
            await kube.get(SERVICE, "shop", "web")
        with pytest.raises(Broken, match="does not answer"):
            await kube.merge(SERVICE, "shop", "web", {})
