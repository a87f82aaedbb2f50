"""Renders the schemas into a page for people: a reference kept by hand is out of date at once.

`python -m causal_rollouts.api.reference` writes `docs/api.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from causal_rollouts.api.defaults import DEFAULTS, MARGINS, NULL_BELOW, WARN_ABOVE
from causal_rollouts.api.schema import GROUP, VERSION, Schema, crds

CHOICES = "spec.defaults"
"""Where a policy repeats what a rollout may say; the page tells these fields once."""

LONGEST_DEFAULT = 30
"""Characters of a default that fit into a cell; a longer one stands below the tables."""

_RANGES = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " items"),
    ("minProperties", "maxProperties", " labels"),
)

HEAD = """<!-- Rendered by `make crds`; edit the models in operator/causal_rollouts/api instead. -->
# API reference

The kinds of `{group}/{version}`, from the models that the CRDs are rendered from. The API server refuses an
unknown field, a value out of bounds, and what breaks a rule, with the words of the column *Rules*. What no
schema can see (a Service that does not exist, a setting that a guardrail forbids) is a condition of the
rollout, with the field and the fix.

Durations are whole units (`30s`, `5m`, `1h30m`). Percentages and decimals are texts (`"5%"`, `"0.01"`),
since Kubernetes APIs hold no floats. `[]` is an item of a list, `<label>` a key that you choose. *Required*
is meant within its parent.

Of a rollout the column *Default* says what holds where neither the rollout nor its policy says anything;
the schema of a CausalRollout itself has no defaults. Parts of `evidence`, `weights`, `windowWeights`,
`arms` and `switchback` are taken one by one; of all other fields the whole value is the rollout's, else the
policy's. `causal-rollouts policy diff NAME` prints what is in force and who said it.
"""

METRICS = """## Margins of a metric that says nothing

| source | {columns} |
|---|{rule}|
{rows}

Of latency, effects up to `nullBelow` ({null}) never count as harm. A footprint warns above {warn} unless it
says `warnAbove`; it has no margins, reverts nothing and promotes nothing.

## Built-in ladder and metrics

What a rollout without a policy runs with, besides the defaults above:

<!-- of a CausalRollout's spec -->
```yaml
{defaults}```
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One field as the page tells it."""

    path: str
    type: str
    default: str
    bounds: str
    meaning: str
    rules: str

    def line(self) -> str:
        """The row of the table."""
        cells = (f"`{self.path}`", self.type, self.default, self.bounds, self.meaning, self.rules)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def page() -> str:
    """The whole page."""
    kinds = [cast("Schema", crd["spec"]) for crd in crds().values()]
    known = _choice_defaults(kinds[1])
    sections = [_kind(spec, known if i == 0 else {}) for i, spec in enumerate(kinds)]
    return HEAD.format(group=GROUP, version=VERSION) + "\n" + "\n".join(sections) + "\n" + _metrics()


def rows(schema: Schema, path: str, default: Mapping[str, object]) -> Iterator[Row]:
    """Every field below a part. default: values by path, of a kind whose schema has none of its own."""
    required = cast("list[str]", schema.get("required", []))
    for name, field in cast("dict[str, Schema]", schema.get("properties", {})).items():
        here = f"{path}.{name}"
        yield _row(field, here, default, required=name in required)
        if here != CHOICES:
            yield from _inner(field, here, default)


def _inner(field: Schema, here: str, default: Mapping[str, object]) -> Iterator[Row]:
    items, values = field.get("items"), field.get("additionalProperties")
    if isinstance(items, dict):
        yield from _inner(items, f"{here}[]", default)
    elif isinstance(values, dict):
        yield _row(values, f"{here}.<label>", default, required=False)
    else:
        yield from rows(field, here, default)


def _row(field: Schema, path: str, default: Mapping[str, object], *, required: bool) -> Row:
    said = [*_rules(field), *_rules(cast("Schema", field.get("items", {})))]
    value = default.get(path, field.get("default"))
    return Row(
        path,
        _type(field),
        "**required**" if required else _default(value),
        _bounds(field, told=bool(said)),
        str(field.get("description", "")),
        "<br>".join(said),
    )


def _rules(schema: Schema) -> list[str]:
    return [str(rule["message"]) for rule in cast("list[Schema]", schema.get("x-kubernetes-validations", []))]


def _type(field: Schema) -> str:
    if isinstance(field.get("items"), dict):
        return f"list of {_type(cast('Schema', field['items']))}s"
    if "additionalProperties" in field:
        return "map"
    return str(field.get("format", field["type"]))


def _default(value: object) -> str:
    if value is None or value == {}:
        return ""
    text = value if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True).split("\n")[0]
    return f"`{text}`" if len(text) <= LONGEST_DEFAULT else "[below](#built-in-ladder-and-metrics)"


def _bounds(field: Schema, *, told: bool) -> str:
    """Limits of the value; how long a text is goes without saying where a rule says how to write it."""
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in cast("list[str]", field["enum"]))
    found = [
        _range(field.get(low), field.get(high)) + unit
        for low, high, unit in _RANGES
        if (low in field or high in field) and not (told and "Length" in low)
    ]
    return ", ".join(found)


def _range(low: object, high: object) -> str:
    if low is None or high is None:
        return f"at most {high}" if low is None else f"at least {low}"
    return f"{low} to {high}"


def _choice_defaults(policy: Schema) -> dict[str, object]:
    """What holds where a rollout is silent, by its path there."""
    spec = _properties(_schema(policy))["spec"]
    return dict(_walk_defaults(_properties(spec)["defaults"], "spec"))


def _walk_defaults(schema: Schema, path: str) -> Iterator[tuple[str, object]]:
    for name, field in _properties(schema).items():
        yield f"{path}.{name}", field.get("default")
        yield from _walk_defaults(field, f"{path}.{name}")


def _kind(spec: Schema, default: Mapping[str, object]) -> str:
    schema, names = _schema(spec), cast("Schema", spec["names"])
    where = "namespaced" if spec["scope"] == "Namespaced" else "cluster-wide"
    short = cast("list[str]", names["shortNames"])[0]
    text = f"## {names['kind']}\n\n{schema['description']} {where.capitalize()}, `kubectl get {short}`.\n"
    text += _aside(schema)
    for part in ("spec", "status"):
        if part in _properties(schema):
            body = _properties(schema)[part]
            text += f"\n### {names['kind']} {part}\n{_aside(body)}\n"
            text += "| field | type | default | bounds | meaning | rules |\n|---|---|---|---|---|---|\n"
            text += "".join(row.line() + "\n" for row in rows(body, part, default))
    return text


def _aside(schema: Schema) -> str:
    """Rules of a whole part, which has no row of its own."""
    return "".join(f"\nRule: *{rule}*.\n" for rule in _rules(schema))


def _metrics() -> str:
    columns = list(dict.fromkeys(name for margins in MARGINS.values() for name in margins))
    lines = [
        f"| {source} | " + " | ".join(margins.get(name, "") for name in columns) + " |"
        for source, margins in MARGINS.items()
    ]
    chosen = {name: DEFAULTS[name] for name in ("stages", "metrics")}
    return METRICS.format(
        columns=" | ".join(f"`{name}`" for name in columns),
        rule="---|" * (len(columns) - 1) + "---",
        rows="\n".join(lines),
        null=NULL_BELOW,
        warn=WARN_ABOVE,
        defaults=yaml.safe_dump(chosen, sort_keys=False, width=110),
    )


def _schema(spec: Schema) -> Schema:
    version = cast("list[Schema]", spec["versions"])[0]
    return cast("Schema", cast("Schema", version["schema"])["openAPIV3Schema"])


def _properties(schema: Schema) -> dict[str, Schema]:
    return cast("dict[str, Schema]", schema.get("properties", {}))


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/api.md").write_text(page(), encoding="utf-8")
