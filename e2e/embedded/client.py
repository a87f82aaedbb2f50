"""The verbs of `Kube` for one user of the in-process API. What it returns are copies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from causal_rollouts.adapters.kube import DEPLOYMENT, Gone, Kind
from causal_rollouts.api.v1alpha1 import SELECTABLE
from causal_rollouts.ports import NotYet, Refused
from e2e.embedded import ownership
from e2e.embedded.apiserver import ApiServer, Call, Object
from e2e.embedded.patches import PatchFailed, apply_merge, copied, json_patch, merge_patch
from e2e.embedded.selectors import matches, parse

_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Client:
    """`Kube` for one user."""

    server: ApiServer
    user: str
    manager: str

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        self._ask("get", kind, namespace, name)
        found: Object | None = copied(self.server.find(kind, namespace, name))
        return found

    async def list(self, kind: Kind, namespace: str = "", labels: str = "", fields: str = "") -> list[Object]:
        self._ask("list", kind, namespace, "")
        wanted, path, value = parse(labels), *fields.partition("=")[::2]
        if path and path not in SELECTABLE.get(kind.kind, ()):
            raise Refused(f'{kind.plural}: field label not supported: "{path}"')
        return [
            copied(obj)
            for obj in self.server.stored(kind, namespace)
            if matches(wanted, obj["metadata"].get("labels", {}))
            and (not path or _at(obj, tuple(path.split("."))) == value)
        ]

    async def heads(self, kind: Kind, namespace: str, labels: str) -> Sequence[Object]:
        return [{"metadata": obj["metadata"]} for obj in await self.list(kind, namespace, labels)]

    async def create(self, kind: Kind, namespace: str, obj: Object) -> Object:
        self._ask("create", kind, namespace, obj.get("metadata", {}).get("name", ""))
        made: Object = copied(self.server.add(kind, namespace, obj, self.user, self.manager))
        return made

    async def merge(
        self, kind: Kind, namespace: str, name: str, patch: Mapping[str, Any], *, status: bool = False
    ) -> Object:
        old = self._for_write("merge", kind, namespace, name)
        seen = patch.get("metadata", {}).get("resourceVersion")
        if seen is not None and seen != old["metadata"]["resourceVersion"]:
            raise NotYet(f'{kind.plural} "{name}": the object has been modified; read it again')
        return self._put(kind, old, merge_patch(copied(old), patch), status=status)

    async def json_patch(
        self, kind: Kind, namespace: str, name: str, ops: Sequence[Mapping[str, Any]], *, status: bool = False
    ) -> Object:
        old = self._for_write("patch", kind, namespace, name)
        try:
            new = json_patch(old, ops)
        except PatchFailed as error:
            raise NotYet(f'{kind.plural} "{name}": {error}') from None
        return self._put(kind, old, new, status=status)

    async def apply(self, kind: Kind, namespace: str, obj: Object, *, force: bool = True) -> Object:
        name = obj["metadata"]["name"]
        self._ask("apply", kind, namespace, name)
        old = self.server.find(kind, namespace, name)
        if old is None:
            return copied(self.server.add(kind, namespace, obj, self.user, self.manager))
        body = {k: v for k, v in obj.items() if k not in {"apiVersion", "kind"}}
        named = ownership.named_in({"metadata": {}, **body})
        new = apply_merge(old, body, ownership.owned(old, self.manager, "Apply") - named)
        others = {path for path in named if _at(old, path) not in (_NOTHING, _at(new, path))}
        if others and not force:
            raise NotYet(
                f'{kind.plural} "{name}": conflict over {", ".join(".".join(p) for p in sorted(others))}'
            )
        if kind == DEPLOYMENT:
            ownership.applied(old, new, self.manager, named)
        return copied(self.server.change(kind, old, new, self.user, manager=""))

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str = "", propagation: str = "Background"
    ) -> None:
        old = self._for_write("delete", kind, namespace, name)
        if uid and uid != old["metadata"]["uid"]:
            raise NotYet(f'{kind.plural} "{name}": the uid in the precondition is another')
        self.server.remove(kind, old, propagation, self.user)

    def _ask(self, verb: str, kind: Kind, namespace: str, name: str) -> None:
        if self.server.before is not None:
            self.server.before(Call(self.user, verb, kind.kind, namespace, name))

    def _for_write(self, verb: str, kind: Kind, namespace: str, name: str) -> Object:
        self._ask(verb, kind, namespace, name)
        old = self.server.find(kind, namespace, name)
        if old is None:
            raise Gone(f'{kind.plural} "{name}" not found')
        return old

    def _put(self, kind: Kind, old: Object, new: Object, *, status: bool = False) -> Object:
        changed = self.server.change(kind, old, new, self.user, status=status, manager=self.manager)
        copy: Object = copied(changed)
        return copy


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        if not isinstance(obj, dict) or part not in obj:
            return _NOTHING
        obj = obj[part]
    return obj
