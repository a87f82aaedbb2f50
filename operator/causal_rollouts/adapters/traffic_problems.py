"""What the user must mend before traffic can be moved, each `field: what; fix`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from causal_rollouts.adapters.arm_services import ARMS, is_ours
from causal_rollouts.adapters.backends import (
    MOST,
    MOST_BACKENDS,
    Rule,
    arm_service,
    is_service,
    rules_to,
)
from causal_rollouts.adapters.kube import ARM_LABEL, Object
from causal_rollouts.adapters.reading import labels, name, section
from causal_rollouts.model.arms import Arm
from causal_rollouts.model.traffic import ROUTE_FIELDS, WHOLE, TrafficPlan

LINE = f"{ARM_LABEL}: {Arm.STABLE}"


@dataclass(frozen=True, slots=True)
class Parts:
    """What was read. routes in the order of the plan, None where one is missing."""

    plan: TrafficPlan
    namespace: str
    service: Object | None
    arms: Mapping[Arm, Object | None]
    routes: tuple[Object | None, ...]
    deployment: Object | None


def problems(parts: Parts) -> tuple[str, ...]:
    """All of them, the Service's first."""
    service = parts.service
    if service is None:
        return (no_service(parts.plan, parts.namespace), *_of_routes(parts))
    return (*_of_service(parts, service), *_of_arms(parts), *_of_routes(parts))


def no_service(plan: TrafficPlan, namespace: str) -> str:
    """The Service that is named is not there."""
    what = f'there is no Service "{plan.service}" in namespace "{namespace}"'
    return f"spec.traffic.service: {what}; create it or correct the name"


def selects_others(service: Object, deployment: Object) -> str:
    """The Service asks for labels, the arm's apart, that pods of this Deployment do not carry; "" if not."""
    carried = labels(section(deployment, "spec", "template"))
    selector = section(service, "spec", "selector")
    wrong = {k: v for k, v in selector.items() if k != ARM_LABEL and carried.get(k) != v}
    if not wrong:
        return ""
    text = ", ".join(f"{k}={v}" for k, v in sorted(wrong.items()))
    return (
        f'spec.traffic.service: Service "{name(service)}" selects {text}, which pods of Deployment '
        f'"{name(deployment)}" do not carry; name the Service of this target or correct its selector'
    )


def _of_service(parts: Parts, service: Object) -> Iterator[str]:
    selector = section(service, "spec", "selector")
    if not selector:
        yield (
            f'spec.traffic.service: Service "{name(service)}" has no selector, so its pods cannot be split; '
            "name a Service that selects the target's pods"
        )
        return
    if parts.deployment is not None:
        yield from _of_labels(service, parts.deployment)


def _of_labels(service: Object, deployment: Object) -> Iterator[str]:
    selector = section(service, "spec", "selector")
    carried = labels(section(deployment, "spec", "template"))
    svc, dep = f'Service "{name(service)}"', f'Deployment "{name(deployment)}"'
    if wrong := selects_others(service, deployment):
        yield wrong
        return
    in_template = carried.get(ARM_LABEL) == Arm.STABLE
    in_selector = selector.get(ARM_LABEL) == Arm.STABLE
    if in_template and not in_selector:
        yield (
            f"spec.traffic.service: {svc} would send to pods of every arm; once all its pods carry "
            f'"{LINE}" (kubectl get pods -L {ARM_LABEL}), add this line to its spec.selector'
        )
    elif in_selector and not in_template:
        yield (
            f'spec.traffic.service: {svc} selects "{LINE}", but new pods of {dep} do not carry it and get '
            f"no traffic; first take the line out of the Service's spec.selector, then add it to the "
            "Deployment's spec.template.metadata.labels, and put it back when all pods have it"
        )
    elif not in_template:
        yield (
            f'spec.targetRef: pods of {dep} lack the label "{LINE}"; first add it to its '
            "spec.template.metadata.labels and let that roll out, then add the same line to spec.selector "
            f"of {svc}"
        )


def _of_arms(parts: Parts) -> Iterator[str]:
    for arm in ARMS:
        found = parts.arms.get(arm)
        if found is not None and not is_ours(found, parts.plan.service):
            yield (
                f'spec.traffic.service: Service "{name(found)}" was not made by this operator, which needs '
                "the name for an arm; rename that Service or delete it"
            )


def _of_routes(parts: Parts) -> Iterator[str]:
    seen = dict.fromkeys(ROUTE_FIELDS, 0)
    for (kind, named), route in zip(parts.plan.routes, parts.routes, strict=True):
        field = f"spec.traffic.{ROUTE_FIELDS[kind]}[{seen[kind]}]"
        seen[kind] += 1
        if route is None:
            yield (
                f'{field}.name: there is no {kind} "{named}" in namespace "{parts.namespace}"; '
                "create it or correct the name"
            )
            continue
        yield from _of_route(field, route, parts)


def _of_route(field: str, route: Object, parts: Parts) -> Iterator[str]:
    service = parts.plan.service
    rules = rules_to(route, service)
    elsewhere = _elsewhere(route, service, parts.namespace)
    if not rules and not elsewhere:
        yield (
            f'{field}: route "{name(route)}" sends nothing to Service "{service}"; add it as a backendRef '
            "or name the Service it uses in spec.traffic.service"
        )
    for index in elsewhere:
        yield (
            f'{field}: rule {index} of route "{name(route)}" names a namespace for its backend; '
            "arms live beside the route, so leave backendRefs[].namespace out"
        )
    for rule in rules:
        yield from _of_rule(field, route, rule, parts)


def _of_rule(field: str, route: Object, rule: Rule, parts: Parts) -> Iterator[str]:
    service = parts.plan.service
    where = f'{field}: rule {rule.index} of route "{name(route)}"'
    whole = section(route, "spec")["rules"][rule.index]
    if whole.get("sessionPersistence"):
        yield f"{where} has sessionPersistence, which holds clients to one arm; remove it"
    listed = [b["name"] for b in rule.backends if is_service(b)]
    double = [s for s in (arm_service(service, arm) for arm in Arm) if listed.count(s) > 1]
    if double:
        yield f'{where} lists Service "{double[0]}" twice; list it once'
    if len(rule.backends) > MOST_BACKENDS - (len(Arm) - len(rule.at)):
        yield (
            f"{where} has {len(rule.backends)} backends and no room for the arms; "
            f"leave {MOST_BACKENDS - len(ARMS)} or fewer"
        )
    if not rule.away and max(rule.total, *rule.others.values(), 0) * WHOLE > MOST:
        yield f"{where} has a weight above {MOST // WHOLE}; divide all weights of the rule by the same number"
    yield from _of_port(where, rule, parts.service)


def _of_port(where: str, rule: Rule, service: Object | None) -> Iterator[str]:
    asked = rule.backends[rule.at[Arm.STABLE]].get("port")
    if service is None:
        return
    there: list[Any] = [port["port"] for port in section(service, "spec").get("ports") or ()]
    if asked not in there:
        what = f"port {asked}" if asked else "no port"
        ports = ", ".join(str(port) for port in there)
        yield (
            f'{where} names {what} of Service "{name(service)}", which has {ports}; '
            "correct backendRefs[].port"
        )


def _elsewhere(route: Object, service: str, namespace: str) -> list[int]:
    """Rules that send to the Service, or beside it to another, through a namespace of their own."""
    found = []
    for index, rule in enumerate(section(route, "spec").get("rules") or ()):
        backends = rule.get("backendRefs") or ()
        ours = any(b["name"] == service and b.get("namespace") in (None, "", namespace) for b in backends)
        if ours and any(b.get("namespace") for b in backends):
            found.append(index)
    return found
