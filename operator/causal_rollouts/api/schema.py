"""Renders the models into CRDs: only the constructs we use; anything else is an error, not a guess.

`python -m causal_rollouts.api.schema` writes `crds/`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import yaml
from pydantic import BaseModel

from causal_rollouts.api import v1alpha1 as v1
from causal_rollouts.api.defaults import DEFAULTS
from causal_rollouts.api.layers import NESTED
from causal_rollouts.api.status_schema import RECORD_SPEC, RECORD_STATUS, ROLLOUT_STATUS
from causal_rollouts.api.v1alpha1_policy import PolicySpec

GROUP, VERSION = "causalrollouts.dev", "v1alpha1"
Schema = dict[str, object]
KNOWN = frozenset(
    {
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "description",
        "additionalProperties",
        "x-kubernetes-validations",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
    }
)
DROPPED = frozenset({"title", "default", "$defs"})
NAME_AT_MOST = 52
"""Characters: names and labels of records and slots carry the rollout's name and end at 63."""

FINAL = (
    "!has(oldSelf.status) || !has(oldSelf.status.final) || !oldSelf.status.final || "
    "(has(self.status) && self.status == oldSelf.status)"
)


def structural(model: type[BaseModel]) -> Schema:
    """The model as a structural schema.

    Raises:
        ValueError: the model uses a construct that is not known here.
    """
    raw = model.model_json_schema(by_alias=True)
    return _walk(raw, raw.get("$defs", {}), model.__name__)


def _walk(node: Mapping[str, object], defs: Mapping[str, object], where: str) -> Schema:
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        merged = {**cast("Schema", defs[name]), **{k: v for k, v in node.items() if k != "$ref"}}
        return _walk(merged, defs, where)
    if "anyOf" in node:
        kinds = [n for n in cast("list[Schema]", node["anyOf"]) if n.get("type") != "null"]
        if len(kinds) != 1:
            raise ValueError(f"{where}: a union of several types cannot be said in a CRD")
        return _walk({**kinds[0], **{k: v for k, v in node.items() if k != "anyOf"}}, defs, where)
    out = {k: _keyword(k, v, defs, where) for k, v in node.items() if k not in DROPPED and k != "const"}
    if "const" in node:
        out |= {"type": "string", "enum": [node["const"]]}
    if out.get("type") == "array" and "x-kubernetes-list-type" not in out:
        out["x-kubernetes-list-type"] = "atomic"
    if "additionalProperties" in out and "maxProperties" not in out:
        raise ValueError(f"{where}: a map needs a bound; give max_length")
    return out


def _keyword(key: str, value: object, defs: Mapping[str, object], where: str) -> object:
    if key == "properties":
        fields = cast("dict[str, Schema]", value)
        return {name: _walk(sub, defs, f"{where}.{name}") for name, sub in fields.items()}
    if key in {"items", "additionalProperties"}:
        return _walk(cast("Schema", value), defs, f"{where}.{key}")
    if key not in KNOWN:
        raise ValueError(f"{where}: {key} cannot be said in a CRD")
    return value


def crds() -> dict[str, Schema]:
    """File name -> CustomResourceDefinition."""
    rollout = _kind_schema(
        "Gates releases of one Deployment by what they cause.", structural(v1.RolloutSpec), ROLLOUT_STATUS
    )
    rollout["x-kubernetes-validations"] = [
        {
            "rule": f"size(self.metadata.name) <= {NAME_AT_MOST}",
            "message": f"metadata.name is longer than {NAME_AT_MOST} characters; choose a shorter one, "
            "labels of records and slots carry it",
        }
    ]
    policy = _kind_schema(
        "Defaults and guardrails for many CausalRollouts.", _with_defaults(structural(PolicySpec)), None
    )
    record = _kind_schema(
        "What one release registered, did and found; written by the operator alone.",
        RECORD_SPEC,
        RECORD_STATUS,
    )
    record["x-kubernetes-validations"] = [
        {"rule": FINAL, "message": "this record is final and cannot be changed; export or delete it instead"}
    ]
    return {
        "causalrollouts.yaml": _crd("CausalRollout", "causalrollouts", "cro", rollout, _ROLLOUT_COLUMNS),
        "rolloutpolicies.yaml": _crd(
            "RolloutPolicy", "rolloutpolicies", "crp", policy, [_AGE], scope="Cluster"
        ),
        "rolloutrecords.yaml": _crd("RolloutRecord", "rolloutrecords", "crr", record, _RECORD_COLUMNS),
    }


def _with_defaults(spec: Schema) -> Schema:
    """The policy's own schema says what holds when it is silent, so that `kubectl get -o yaml` shows it."""
    properties = cast("dict[str, Schema]", spec["properties"])
    choices = cast("dict[str, Schema]", properties["defaults"]["properties"])
    for name, value in DEFAULTS.items():
        if name in NESTED:
            parts = cast("dict[str, Schema]", choices[name]["properties"])
            for part, inner in cast("Schema", value).items():
                parts[part]["default"] = inner
            choices[name]["default"] = {}
        else:
            choices[name]["default"] = value
    properties["defaults"]["default"] = {}
    return spec


def _kind_schema(description: str, spec: Schema, status: Schema | None) -> Schema:
    properties: Schema = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": spec,
    }
    if status is not None:
        properties["status"] = status
    return {"description": description, "type": "object", "required": ["spec"], "properties": properties}


def _column(name: str, path: str, *, kind: str = "string", wide: bool = False) -> Schema:
    column: Schema = {"name": name, "type": kind, "jsonPath": path}
    return {**column, "priority": 1} if wide else column


_AGE = _column("Age", ".metadata.creationTimestamp", kind="date")
_ROLLOUT_COLUMNS = [
    _column("Phase", ".status.phase"),
    _column("Step", ".status.step"),
    _column("Weight", ".status.weight"),
    _column("Verdict", ".status.verdict"),
    _column("Effect", ".status.effect"),
    _column("Message", ".status.message", wide=True),
    _AGE,
]
_RECORD_COLUMNS = [
    _column("Rollout", ".spec.rollout"),
    _column("Phase", ".status.release.phase"),
    _column("Outcome", ".status.release.outcome"),
    _column("Final", ".status.final", kind="boolean"),
    _AGE,
]


def _crd(
    kind: str, plural: str, short: str, schema: Schema, columns: list[Schema], scope: str = "Namespaced"
) -> Schema:
    version: Schema = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": schema},
    }
    if "status" in cast("Schema", schema["properties"]):
        version["subresources"] = {"status": {}}
    if kind in v1.SELECTABLE:
        version["selectableFields"] = [{"jsonPath": f".{path}"} for path in v1.SELECTABLE[kind]]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": scope,
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
                "shortNames": [short],
                "categories": ["rollouts"],
            },
            "versions": [version],
        },
    }


def render(folder: Path) -> None:
    """Write every CRD."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, crd in crds().items():
        (folder / name).write_text(to_yaml(crd), encoding="utf-8")


class _Whole(yaml.SafeDumper):
    """Writes a part again where it is used again: readers of manifests do not expect anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - asked of each part
        return True


def to_yaml(crd: Schema) -> str:
    """One CRD as it is committed."""
    text = yaml.dump(crd, Dumper=_Whole, sort_keys=False, width=110, allow_unicode=True)
    return f"# Rendered by `make crds`; edit the models in operator/causal_rollouts/api instead.\n{text}"


if __name__ == "__main__":
    render(Path(sys.argv[1] if len(sys.argv) > 1 else "crds"))
