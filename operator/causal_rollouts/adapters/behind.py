"""Which Deployments a Service or a route sends to, so that a service can be named by any of them."""

from __future__ import annotations

from causal_rollouts.adapters.arm_services import OF_ANNOTATION
from causal_rollouts.adapters.backends import is_service
from causal_rollouts.adapters.kube import ARM_LABEL, DEPLOYMENT, ROUTES, SERVICE, Kube, Object
from causal_rollouts.adapters.reading import labels, name, notes, section
from causal_rollouts.model.reference import Reference, ReferenceKind


def selects(service: Object, deployment: Object) -> bool:
    """Whether a Service sends to the pods of a Deployment, whichever arm they are of."""
    wanted = {k: v for k, v in section(service, "spec", "selector").items() if k != ARM_LABEL}
    return bool(wanted) and wanted.items() <= labels(section(deployment, "spec", "template")).items()


def of_an_arm(service: Object) -> bool:
    """Whether the operator made this Service for an arm."""
    return OF_ANNOTATION in notes(service)


async def deployments_behind(kube: Kube, namespace: str, reference: Reference) -> tuple[str, ...]:
    """Their names, none when the object is not there or sends to no Deployment of the namespace.

    Raises:
        Broken: they cannot be read.
    """
    if reference.kind is ReferenceKind.DEPLOYMENT:
        found = await kube.get(DEPLOYMENT, namespace, reference.name)
        return () if found is None else (reference.name,)
    if reference.kind is ReferenceKind.SERVICE:
        named = {reference.name}
    else:
        route = await kube.get(ROUTES[reference.kind], namespace, reference.name)
        named = set() if route is None else _backends(route, namespace)
    services = [obj for obj in await kube.list(SERVICE, namespace) if name(obj) in named]
    there = await kube.list(DEPLOYMENT, namespace)
    return tuple(sorted({name(obj) for obj in there if any(selects(service, obj) for service in services)}))


def _backends(route: Object, namespace: str) -> set[str]:
    """Services of this namespace that a route sends to."""
    return {
        str(backend.get("name"))
        for rule in section(route, "spec").get("rules") or ()
        for backend in rule.get("backendRefs") or ()
        if is_service(backend) and (backend.get("namespace") or namespace) == namespace
    }
