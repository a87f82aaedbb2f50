"""Which policy holds for a rollout, and what the rollout means under it.

A label on the namespace binds all rollouts in it. It is the platform team's
word: a policyRef may repeat it and not contradict it, and a policy that it
names and that is not there lets nothing begin.
"""

from __future__ import annotations

from dataclasses import dataclass

from causal_rollouts.api.problems import Problem
from causal_rollouts.api.reach import out_of_reach
from causal_rollouts.api.resolve import Resolved, Unresolvable, resolve
from causal_rollouts.control.rest import seed_of
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.world import Json
from causal_rollouts.ports import Policies, Rollout

LABEL = "causalrollouts.dev/policy"
"""On a Namespace: the RolloutPolicy of all rollouts in it."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """name: of the policy, "" for none. by: the field or label that names it. policy: its spec."""

    name: str = ""
    by: str = ""
    policy: Json | None = None
    problem: Problem | None = None


async def chosen(rollout: Rollout, store: Policies) -> Chosen:
    """The policy of a rollout, or what keeps it from having one."""
    ref = rollout.spec.get("policyRef")
    named = str(ref.get("name", "")) if isinstance(ref, dict) else ""
    namespace = rollout.key.namespace
    bound = await store.bound_policy(namespace)
    if named and bound and named != bound:
        problem = Problem(
            "spec.policyRef.name",
            f'namespace "{namespace}" is bound to RolloutPolicy "{bound}" by its label {LABEL}, and this '
            f'names "{named}"',
            "name that one or leave policyRef out",
        )
        return Chosen(named, "spec.policyRef", None, problem)
    name, by = (named, "spec.policyRef") if named else (bound, f"label {LABEL} of the namespace")
    if not name:
        return Chosen()
    policy = await store.policy(name)
    if policy is not None:
        return Chosen(name, by, policy)
    where = "spec.policyRef.name" if named else f'label {LABEL} of namespace "{namespace}"'
    problem = Problem(where, f'there is no RolloutPolicy "{name}"', "create it or correct the name")
    return Chosen(name, by, None, problem)


async def meant(
    rollout: Rollout, store: Policies, grid: Grid, release: str
) -> tuple[Resolved | None, tuple[str, ...]]:
    """What a release that begins now would register, or every problem with its field and fix."""
    found = await chosen(rollout, store)
    if found.problem:
        return None, (str(found.problem),)
    try:
        made = under(found.policy, rollout, rollout.spec, grid, release)
    except Unresolvable as error:
        return None, tuple(str(problem) for problem in error.problems)
    return made, tuple(str(problem) for problem in out_of_reach(made.registration))


def under(policy: Json | None, rollout: Rollout, spec: Json, grid: Grid, release: str) -> Resolved:
    """A spec under a policy.

    Raises:
        Unresolvable: with every problem found.
    """
    return resolve(
        spec,
        policy,
        namespace=rollout.key.namespace,
        release=release,
        seed=seed_of(rollout.uid, release),
        grid=grid,
    )
