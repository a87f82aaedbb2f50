"""`pause`, `resume`, `abort`, `retry`, `extend`, `approve`, `promote`: each once and for one release.

A request is an annotation `<user>:<release>`: it cannot hit a later release,
and Git, which does not know it, does not fight it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from causal_rollouts.adapters.kube import GROUP, ROLLOUT, Kind, Kube
from causal_rollouts.adapters.reading import section
from causal_rollouts.cli.cluster import Cluster
from causal_rollouts.cli.exits import Exit, Stopped
from causal_rollouts.cli.printing import as_json, say
from causal_rollouts.control.rest import FAILED
from causal_rollouts.model.people import written
from causal_rollouts.model.reasons import Phase
from causal_rollouts.ports import Broken, NotYet, Record, Refused, Rollout

NAMED = frozenset({"approve", "promote"})
"""Requests that count only with the name of who asks."""

REVIEW = Kind("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False)


async def run(asked: argparse.Namespace, reach: Callable[[], AbstractAsyncContextManager[Cluster]]) -> Exit:
    """Ask once; say what happens next."""
    verb: str = "promote" if asked.verb == "promote" and asked.full else asked.verb
    async with reach() as cluster:
        rollout = await cluster.rollout(asked.name)
        records = [r for r in await cluster.records(asked.name) if r.rollout_uid == rollout.uid]
        record = records[-1] if records else None
        if asked.verb == "promote" and not asked.full:
            verb = _next_step(rollout, record)
        done = _done_already(verb, record)
        if done:
            _say(asked, record, "", done)
            return Exit.OK
        meant = _meant(verb, rollout, record)
        user = await user_of(cluster.kube)
        if verb in NAMED and not user:
            raise Stopped(f"{asked.name}: the API server does not say who you are; {verb} needs a name")
        step = meant.release.stage + 1 if verb == "approve" else None
        value = written(user, meant.name, step=step, reason=asked.reason)
        await annotate(cluster, rollout, verb, value)
        follow = f"follow it with: status {asked.name} -n {cluster.namespace} --watch"
        _say(asked, meant, value, f"{verb} asked for{f' by {user}' if user else ''}; {follow}")
    return Exit.OK


def _next_step(rollout: Rollout, record: Record | None) -> str:
    """What `promote` means without --full, as people know it: go on with what waits for a person."""
    release = _meant("promote", rollout, record).release
    if release.phase is Phase.PAUSED:
        return "resume"
    if release.awaits is not None:
        return "approve"
    raise Stopped(
        f"{rollout.key.name}: nothing waits for you, it is {release.phase}; promote --full promotes it "
        "before the evidence is complete"
    )


def _meant(verb: str, rollout: Rollout, record: Record | None) -> Record:
    """The release a request is bound to."""
    name = rollout.key.name
    if record is None:
        raise Stopped(f"{name}: has had no release yet, so there is nothing to {verb}")
    if verb == "retry":
        if not record.final:
            raise Stopped(f"{name}: {record.name} still runs; abort it first, or wait for its end")
        if record.release.outcome not in FAILED:
            ended = f"{record.name} ended {record.release.outcome}"
            raise Stopped(f"{name}: {ended}; only a release that failed is tried again")
        return record
    if record.final:
        raise Stopped(
            f"{name}: no release runs (the last, {record.name}, ended {record.release.outcome}), "
            f"so there is nothing to {verb}"
        )
    return record


def _done_already(verb: str, record: Record | None) -> str:
    """Why asking would change nothing, "" if it would."""
    if record is None or record.final:
        return ""
    release = record.release
    if verb == "pause" and release.phase is Phase.PAUSED:
        return f"paused already: {release.paused_by}"
    if verb == "resume" and release.phase is not Phase.PAUSED:
        return f"is not paused, it is {release.phase}; nothing to resume"
    if verb == "approve" and release.awaits is None:
        return f"nothing waits for approval, it is {release.phase}"
    if verb == "extend" and (release.stage < 0 or release.stage_since is None):
        return f"has no stage whose clock runs, it is {release.phase}; nothing to extend"
    if verb in {"abort", "extend", "pause", "promote"} and release.outcome is not None:
        return f"ends already, {release.outcome}: {release.why}"
    return ""


async def annotate(cluster: Cluster, rollout: Rollout, verb: str, value: str) -> None:
    """Write one request, on exactly the rollout that was read."""
    patch = {"metadata": {"annotations": {f"{GROUP}/{verb}": value}, "uid": rollout.uid}}
    await cluster.kube.merge(ROLLOUT, rollout.key.namespace, rollout.key.name, patch)


async def user_of(kube: Kube) -> str:
    """Who the API server takes us for; "" where it does not say."""
    try:
        answer = await kube.create(REVIEW, "", {})
    except (NotYet, Refused, Broken):
        return ""
    return str(section(answer, "status", "userInfo").get("username") or "")


def _say(asked: argparse.Namespace, record: Record | None, value: str, text: str) -> None:
    release = record.name if record else ""
    if asked.output == "json":
        say(as_json({"verb": asked.verb, "release": release, "value": value, "message": text}))
    else:
        say(f"{release}: {text}")
