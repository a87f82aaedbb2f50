"""`adopt NAME`: the lines to add to Git before a Deployment can be gated, in order. Never writes."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from causal_rollouts.adapters.backends import rules_to
from causal_rollouts.adapters.behind import of_an_arm, selects
from causal_rollouts.adapters.kube import (
    ARM_LABEL,
    DEPLOYMENT,
    POD,
    POLICY,
    ROLLOUT,
    ROUTES,
    SERVICE,
    Object,
)
from causal_rollouts.adapters.reading import name, section, selector_text
from causal_rollouts.adapters.router import KubeRouter
from causal_rollouts.adapters.workloads import KubeWorkloads
from causal_rollouts.cli.adoption import Need, Step, Target, stable_pods, steps
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.printing import as_json, say
from causal_rollouts.model.traffic import TrafficPlan
from causal_rollouts.ports import Broken

USUAL_POLICY = "standard"
MARKS = {Need.THERE: "done", Need.ADD: "add now", Need.LATER: "add later", Need.WRONG: "take out"}


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """Print the steps; exit 0 when nothing is missing."""
    async with reach() as cluster:
        target = await find(cluster, asked.name, asked.service)
        found, problems = steps(target), await _problems(cluster, target)
    missing = [step for step in found if step.need is not Need.THERE]
    if asked.output == "json":
        say(as_json(_plain(target, found, problems, len(missing))))
    else:
        say(_text(target, found, problems))
    return Exit.FAILED if missing or problems else Exit.OK


async def find(cluster: Cluster, named: str, service_name: str) -> Target:
    """The Deployment, its Service and the routes to it.

    Raises:
        Stopped: one of them cannot be told; says which and what to name.
    """
    kube, namespace = cluster.kube, cluster.namespace
    deployment = await kube.get(DEPLOYMENT, namespace, named)
    if deployment is None:
        raise Stopped(await _no_deployment(cluster, named), Exit.USAGE)
    mine = [
        obj
        for obj in await kube.list(ROLLOUT, namespace)
        if section(obj, "spec", "targetRef").get("name") == named
    ]
    traffic = section(mine[0], "spec", "traffic") if mine else {}
    said = str(traffic.get("service", ""))
    routes = [(kind, obj) for kind in ROUTES for obj in await kube.list(ROUTES[kind], namespace)]
    there = [route for _, route in routes]
    service = await _service(cluster, deployment, there, service_name or said)
    pods = await kube.list(POD, namespace, selector_text(section(deployment, "spec", "selector")))
    return Target(
        namespace=namespace,
        deployment=deployment,
        service=service,
        routes=[
            (kind, name(route))
            for kind, route in routes
            if rules_to(route, name(service)) and "podShare" not in traffic
        ],
        pods=stable_pods(pods),
        rollouts=mine,
        policy=await _policy(cluster),
    )


async def _no_deployment(cluster: Cluster, named: str) -> str:
    other = await KubeWorkloads(cluster.kube).unsupported(cluster.namespace, named)
    if other:
        return other[0]
    there = [name(obj) for obj in await cluster.kube.list(DEPLOYMENT, cluster.namespace)]
    listed = f"there are: {', '.join(there)}" if there else "there is none; try another -n"
    return f'Deployment "{named}": not found in namespace "{cluster.namespace}"; {listed}'


async def _service(cluster: Cluster, deployment: Object, routes: Sequence[Object], wanted: str) -> Object:
    """The Service whose traffic is to be shared: it selects the pods, and a route sends to it."""
    there = [obj for obj in await cluster.kube.list(SERVICE, cluster.namespace) if not of_an_arm(obj)]
    if wanted:
        named = next((obj for obj in there if name(obj) == wanted), None)
        if named is None:
            raise Stopped(f'Service "{wanted}": not found in namespace "{cluster.namespace}"', Exit.USAGE)
        return named
    fit = [obj for obj in there if selects(obj, deployment)]
    routed = [obj for obj in fit if any(rules_to(route, name(obj)) for route in routes)]
    chosen = routed or fit
    if not chosen:
        raise Stopped(
            f'Deployment "{name(deployment)}": no Service in "{cluster.namespace}" selects its pods; '
            "create one and a route that sends to it. Workers that take their work from a queue need none: "
            "write the CausalRollout with `traffic: {podShare: {}}` (docs/routers.md)"
        )
    if len(chosen) > 1:
        names = ", ".join(name(obj) for obj in chosen)
        raise Stopped(
            f'Deployment "{name(deployment)}": several Services select its pods: {names}; name the one whose '
            "traffic is to be shared with --service",
            Exit.USAGE,
        )
    return chosen[0]


async def _policy(cluster: Cluster) -> str:
    """The policy to refer to: the only one, or the usual one; none where they may not be read."""
    try:
        there = [name(obj) for obj in await cluster.kube.list(POLICY)]
    except Broken:
        return ""
    if len(there) == 1:
        return there[0]
    return USUAL_POLICY if USUAL_POLICY in there else ""


async def _problems(cluster: Cluster, target: Target) -> list[str]:
    """What else must be mended; the lines for the arm are steps and not said twice."""
    named, service = name(target.deployment), name(target.service)
    out = list(await KubeWorkloads(cluster.kube).unsupported(cluster.namespace, named))
    plan = TrafficPlan(service, tuple(target.routes), named)
    traffic = await KubeRouter(cluster.kube).traffic(cluster.namespace, plan)
    return [*out, *(problem for problem in traffic.problems if ARM_LABEL not in problem)]


def _text(target: Target, found: Sequence[Step], problems: Sequence[str]) -> str:
    routes = [f'{kind} "{route}"' for kind, route in target.routes] or [
        "no route: the number of pods makes the share (podShare)"
    ]
    parts = [
        ", ".join([f'Deployment "{name(target.deployment)}"', f'Service "{name(target.service)}"', *routes])
    ]
    if problems:
        parts.append("To be mended first:\n" + "\n".join(f"  - {problem}" for problem in problems))
    for number, step in enumerate(found, start=1):
        head = f"{number}. [{MARKS[step.need]}] {step.title}"
        body = "" if step.need is Need.THERE else f"\n   {step.why}\n{textwrap.indent(step.text, '     ')}"
        parts.append(head + body)
    missing = any(step.need is not Need.THERE for step in found)
    parts.append(
        "Something is missing; nothing was written." if missing or problems else "Nothing is missing."
    )
    return "\n\n".join(parts)


def _plain(target: Target, found: Sequence[Step], problems: Sequence[str], missing: int) -> dict[str, object]:
    return {
        "namespace": target.namespace,
        "deployment": name(target.deployment),
        "service": name(target.service),
        "routes": [{"kind": kind, "name": route} for kind, route in target.routes],
        "steps": [step.plain() for step in found],
        "problems": list(problems),
        "missing": missing,
    }
