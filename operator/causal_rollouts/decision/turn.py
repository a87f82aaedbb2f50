"""Whose turn it is, where a policy bounds how many releases run at the same time.

First come, first served, by the time since which a release waits. Who waits
longer is counted as running as soon as there is room for it, so room that comes
free is never taken past it: nobody starves. A release that only its own
namespace has no room for keeps nobody else waiting.
"""

from __future__ import annotations

from dataclasses import replace

from causal_rollouts.model.crowd import Limits, Other

TOLD = 3
"""Releases that a message names."""


def waits_for(mine: Other, others: tuple[Other, ...], limits: Limits) -> str:
    """What a release waits for, "" when it is its turn. mine.waiting: since when it waits."""
    since = mine.waiting or 0.0
    running = [other for other in others if other.waiting is None]
    line = [other for other in others if other.waiting is not None]
    for other in sorted(line, key=lambda o: (o.waiting or 0.0, str(o.key))):
        ahead = ((other.waiting or 0.0), str(other.key)) < (since, str(mine.key))
        if ahead and not _full(other, running, limits):
            running.append(other)
    return _full(mine, running, limits) or (_overlap(mine, running) if limits.forbid_overlap else "")


def must_let_pass(mine: Other, others: tuple[Other, ...], limits: Limits) -> str:
    """Asked once more before the first stage: two releases may have begun at one moment.

    Those that have left Preparing come first, the rest in the order of their names, so that both agree.
    """
    first = tuple(o for o in others if o.waiting is None and (o.begun or str(o.key) < str(mine.key)))
    return waits_for(replace(mine, waiting=None), first, limits)


def _full(mine: Other, running: list[Other], limits: Limits) -> str:
    near = [o for o in running if o.key.namespace == mine.key.namespace]
    if limits.namespace and len(near) >= limits.namespace:
        where = f"namespace {mine.key.namespace}"
        return f"{len(near)} of {limits.namespace} releases run in {where}: {_names(near)}"
    if limits.cluster and len(running) >= limits.cluster:
        return f"{len(running)} of {limits.cluster} releases run in the cluster: {_names(running)}"
    return ""


def _overlap(mine: Other, running: list[Other]) -> str:
    """The first that shares something; who waits longer has no pods yet, so that is not known of it."""
    for other in running:
        if other.waiting is not None:
            return f"{other.key} waits longer, and forbidOverlap lets only one of the two run"
        nodes, routes = shared(mine, other)
        if nodes or routes:
            what = f"nodes {', '.join(nodes)}" if nodes else f"routes {', '.join(routes)}"
            return f"{other.key} runs on the same {what}"
    return ""


def shared(mine: Other, other: Other) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Nodes and routes that both use."""
    nodes = tuple(sorted({*mine.nodes} & {*other.nodes}))
    near = mine.key.namespace == other.key.namespace
    return nodes, tuple(sorted({*mine.routes} & {*other.routes})) if near else ()


def _names(running: list[Other]) -> str:
    told = sorted(str(other.key) for other in running)
    more = f" and {len(told) - TOLD} more" if len(told) > TOLD else ""
    return ", ".join(told[:TOLD]) + more
