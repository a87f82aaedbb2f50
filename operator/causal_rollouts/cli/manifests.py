"""CausalRollouts and policies of a set of files, judged together as a cluster would judge them.

A rollout is resolved under its policy where that stands in the files too; of
one that does not, only what no policy could mend is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from causal_rollouts.adapters.kube import GROUP
from causal_rollouts.api.layers import NESTED
from causal_rollouts.api.problems import Problem, Unresolvable, shown
from causal_rollouts.api.reach import out_of_reach
from causal_rollouts.api.strict import MODELS, POLICY, ROLLOUT, refused
from causal_rollouts.cli.finding import Finding
from causal_rollouts.cli.yaml_tree import Document, Flaw, Node, Shape, document, documents, items, peek
from causal_rollouts.control.policy import LABEL, chosen, under
from causal_rollouts.model.bins import Grid
from causal_rollouts.model.world import Json, Key
from causal_rollouts.ports import Requests, Rollout

NAMESPACE = "Namespace"
RECORD = "RolloutRecord"
"""Written by the operator alone, so nothing to be said of it here."""
POLICY_ROOT = "RolloutPolicy."
SILENT: Json = {
    "targetRef": {"name": "any"},
    "traffic": {"service": "any", "httpRoutes": [{"name": "any"}]},
}
"""A rollout that leaves everything to its policy."""


@dataclass(frozen=True, slots=True)
class _Object:
    file: str
    document: Document
    value: Json

    def part(self, *steps: str) -> Json:
        """A mapping in it, empty where there is none."""
        found: object = self.value
        for step in steps:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    @property
    def kind(self) -> str:
        """As it says."""
        return str(self.value.get("kind"))

    @property
    def key(self) -> Key:
        """A file may leave the namespace to the context; then it is that of all such."""
        metadata = self.part("metadata")
        space = "" if self.kind in {POLICY, NAMESPACE} else str(metadata.get("namespace") or "default")
        return Key(space, str(metadata.get("name") or ""))

    def finding(self, problem: Problem) -> Finding:
        """Where it stands in the file."""
        return Finding.of(self.file, self.document, problem)


@dataclass(slots=True)
class Manifests:
    """What was read. skipped: objects of other kinds. absent: policies that are named and in no file."""

    objects: list[_Object] = field(default_factory=list)
    findings: set[Finding] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    skipped: int = 0

    @property
    def checked(self) -> int:
        """CausalRollouts and RolloutPolicies."""
        return sum(obj.kind != NAMESPACE for obj in self.objects)

    def add(self, file: str, text: bytes) -> None:
        """Every object of a file; what cannot be read becomes a finding."""
        try:
            for root in documents(text):
                for item in items(root):
                    self._add(file, item)
        except Flaw as flaw:
            self.findings.add(Finding.of_text(file, flaw))

    async def judge(self, grid: Grid) -> tuple[Finding, ...]:
        """Everything that is wrong, by file and line."""
        for obj in self.objects:
            if obj.kind == NAMESPACE:
                continue
            broken = refused(obj.value) if obj.kind in MODELS else (_no_kind(obj),)
            self.findings |= {obj.finding(problem) for problem in (*broken, *self._twice(obj))}
            if not broken and obj.kind == POLICY:
                self.findings |= set(self._of_policy(obj, grid))
            elif not broken:
                self.findings |= set(await self._of_rollout(obj, grid))
        return tuple(sorted(self.findings))

    async def policy(self, name: str) -> Json | None:
        """Its spec, None where no file has it."""
        found = self._find(POLICY, Key("", name))
        if found is None:
            self.absent.add(name)
        return found.part("spec") if found else None

    async def bound_policy(self, namespace: str) -> str:
        """As the label of the Namespace says, where a file has that."""
        found = self._find(NAMESPACE, Key("", namespace))
        return str(found.part("metadata", "labels").get(LABEL) or "") if found else ""

    def _add(self, file: str, item: Node) -> None:
        kind = peek(item, "kind")
        ours = kind in MODELS or (kind != RECORD and peek(item, "apiVersion").startswith(f"{GROUP}/"))
        self.skipped += not ours and (item.shape is not Shape.SCALAR or bool(item.text))
        if ours or kind == NAMESPACE:
            found = document(item)
            value = found.value if isinstance(found.value, Mapping) else {}
            self.objects.append(_Object(file, found, value))
            self.findings |= {Finding.of_text(file, flaw, path) for path, flaw in found.flaws if ours}

    def _find(self, kind: str, key: Key) -> _Object | None:
        return next((obj for obj in self.objects if (obj.kind, obj.key) == (kind, key)), None)

    def _twice(self, obj: _Object) -> Iterator[Problem]:
        """The same object, or the same target, again: the API server keeps the last, the operator neither."""
        first = self._find(obj.kind, obj.key)
        if first is not None and first is not obj:
            yield Problem("metadata.name", f"{obj.kind} {obj.key.name} {_also(first)}", "remove one of them")
            return
        target = (obj.key.namespace, obj.part("spec", "targetRef").get("name"))
        for other in self.objects[: self.objects.index(obj)] if obj.kind == ROLLOUT else ():
            theirs = (other.key.namespace, other.part("spec", "targetRef").get("name"))
            if other.kind == ROLLOUT and theirs == target:
                what = f"{target[1]} is the target of {other.key.name}, which {_also(other)}"
                yield Problem("spec.targetRef.name", what, "a Deployment has one CausalRollout; remove one")

    def _of_policy(self, obj: _Object, grid: Grid) -> Iterator[Finding]:
        """What of the policy could hold for no rollout."""
        try:
            under(obj.part("spec"), _rollout(Key("any", "any"), SILENT), SILENT, grid, "any-1")
        except Unresolvable as error:
            yield from (
                obj.finding(_at_home(problem))
                for problem in error.problems
                if problem.field.startswith(POLICY_ROOT)
            )

    async def _of_rollout(self, obj: _Object, grid: Grid) -> list[Finding]:
        spec = obj.part("spec")
        rollout = _rollout(obj.key, spec)
        found = await chosen(rollout, self)
        if found.problem and found.name not in self.absent:
            return [obj.finding(found.problem)]
        policy = self._find(POLICY, Key("", found.name))
        try:
            made = under(found.policy, rollout, spec, grid, f"{obj.key.name}-1")
        except Unresolvable as error:
            problems = error.problems
        else:
            problems = out_of_reach(made.registration)
        if found.problem:
            problems = tuple(problem for problem in problems if _own(problem, spec))
        return [
            policy.finding(_at_home(one))
            if policy and one.field.startswith(POLICY_ROOT)
            else obj.finding(one)
            for one in problems
        ]


def _own(problem: Problem, spec: Json) -> bool:
    """No policy mends it: the rollout itself says the whole of it."""
    name = problem.field.removeprefix("spec.").partition("[")[0].partition(".")[0]
    return name in spec and name not in NESTED


def _at_home(problem: Problem) -> Problem:
    """As the policy's own file calls the field."""
    return Problem(problem.field.removeprefix(POLICY_ROOT), problem.what, problem.fix)


def _no_kind(obj: _Object) -> Problem:
    return Problem("kind", f"{shown(obj.value.get('kind'))} is not known", f"write {' or '.join(MODELS)}")


def _also(obj: _Object) -> str:
    return f"stands in {obj.file}:{obj.document.place('').line} too"


def _rollout(key: Key, spec: Json) -> Rollout:
    """As it would be read back before anything happened to it."""
    return Rollout(key, "", "", 1, deleting=False, held=False, requests=Requests(), spec=spec, status={})
