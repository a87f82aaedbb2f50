"""Grafana's model of a dashboard, as much of it as the panels here need.

Panels are laid out from left to right and are numbered in order, so a dashboard is a list
of what it answers and the file is the same whoever writes it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

SCHEMA_VERSION = 39
"""Of Grafana 10.4 and 11.0; newer ones migrate it."""

TAG = "causal-rollouts"
COLUMNS = 24
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
SHARE, NATS, COUNT, SECONDS = "percentunit", "suffix: nats", "short", "s"
GREEN, AMBER, RED = "green", "orange", "red"


@dataclass(frozen=True, slots=True)
class Query:
    """legend: name of its lines. column: heading of its values in a table, where labels are columns."""

    expr: str
    legend: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A heading between panels."""

    title: str


@dataclass(frozen=True, slots=True)
class Panel:
    """says: what it answers and how to read it.

    nothing: shown where there is no data, which is often good news. words: texts of values, with a colour.
    limits: colours from a value on. band: names of the lines (upper, lower) between which is coloured.
    dashed: names of lines that are bounds. repeat: a variable that it is shown once for each value of.
    links: URL of a column's cells. labels: columns of a table that are labels.
    """

    kind: str
    title: str
    says: str
    unit: str
    queries: tuple[Query, ...]
    width: int = 12
    height: int = 8
    nothing: str = "none"
    words: tuple[tuple[float, str, str], ...] = ()
    limits: tuple[tuple[str, float], ...] = ()
    band: tuple[str, str] | None = None
    dashed: tuple[str, ...] = ()
    repeat: str = ""
    links: tuple[tuple[str, str], ...] = ()
    labels: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Text:
    """Markdown."""

    title: str
    says: str
    markdown: str
    width: int = 12
    height: int = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """A variable whose values are those of a label. one: a single value, and not all."""

    name: str
    series: str
    one: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """uid names it for good: a link to it and its file stay right."""

    uid: str
    title: str
    says: str
    since: str
    choices: tuple[Choice, ...]
    parts: tuple[Row | Panel | Text, ...]
    inputs: tuple[tuple[str, str], ...] = ()

    def text(self) -> str:
        """The file."""
        return json.dumps(self._model(), indent=2) + "\n"

    def _model(self) -> Json:
        return {
            "id": None,
            "uid": self.uid,
            "title": self.title,
            "description": self.says,
            "tags": [TAG],
            "schemaVersion": SCHEMA_VERSION,
            "editable": True,
            "graphTooltip": 1,
            "timezone": "browser",
            "time": {"from": self.since, "to": "now"},
            "refresh": "1m",
            "annotations": {"list": []},
            "links": [_others()],
            "templating": {
                "list": [_source(), *map(_choice, self.choices), *(_input(*given) for given in self.inputs)]
            },
            "panels": list(_laid_out(self.parts)),
        }


def _others() -> Json:
    return {
        "type": "dashboards",
        "title": "Causal rollouts",
        "tags": [TAG],
        "asDropdown": False,
        "includeVars": True,
        "keepTime": False,
        "targetBlank": False,
    }


def _source() -> Json:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "hide": 0,
    }


def _choice(choice: Choice) -> Json:
    asked = f"label_values({choice.series}, {choice.name})"
    made: Json = {
        "name": choice.name,
        "type": "query",
        "datasource": SOURCE,
        "definition": asked,
        "query": {"qryType": 1, "query": asked, "refId": choice.name},
        "refresh": 2,
        "sort": 1,
        "hide": 0,
        "multi": not choice.one,
        "includeAll": not choice.one,
    }
    everything = {"text": ["All"], "value": ["$__all"]}
    return made if choice.one else {**made, "allValue": ".+", "current": everything}


def _input(name: str, value: str) -> Json:
    given = {"text": value, "value": value}
    return {"name": name, "type": "textbox", "query": value, "current": given, "options": [given], "hide": 0}


def _laid_out(parts: Sequence[Row | Panel | Text]) -> Iterator[Json]:
    x = y = tallest = 0
    for number, part in enumerate(parts, start=1):
        width, height = (COLUMNS, 1) if isinstance(part, Row) else (part.width, part.height)
        if x + width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        place = {"x": x, "y": y, "w": width, "h": height}
        yield {"id": number, "title": part.title, "gridPos": place, **_body(part)}
        x, tallest = x + width, max(tallest, height)


def _body(part: Row | Panel | Text) -> Json:
    match part:
        case Row():
            return {"type": "row", "collapsed": False, "panels": []}
        case Text():
            shown = {"mode": "markdown", "content": part.markdown}
            return {"type": "text", "description": part.says, "options": shown}
    made: Json = {
        "type": part.kind,
        "description": part.says,
        "datasource": SOURCE,
        "targets": [_target(part, query, number) for number, query in enumerate(part.queries)],
        "fieldConfig": {"defaults": _defaults(part), "overrides": list(_overrides(part))},
        "options": _options(part),
    }
    if part.kind == "table":
        made["transformations"] = _columns(part)
    if part.repeat:
        made |= {"repeat": part.repeat, "repeatDirection": "h", "maxPerRow": 3}
    return made


def _target(part: Panel, query: Query, number: int) -> Json:
    over_time = part.kind in {"timeseries", "state-timeline"}
    return {
        "refId": chr(ord("A") + number),
        "datasource": SOURCE,
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
        "range": over_time,
        "instant": not over_time,
        "format": "table" if part.kind == "table" else "time_series",
    }


def _defaults(part: Panel) -> Json:
    steps: list[Json] = [{"color": GREEN if part.limits else "text", "value": None}]
    steps += [{"color": colour, "value": value} for colour, value in part.limits]
    made: Json = {
        "unit": part.unit,
        "noValue": part.nothing,
        "color": {"mode": "palette-classic" if part.kind == "timeseries" else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if part.words:
        said = {f"{value:g}": {"text": text, "color": colour} for value, text, colour in part.words}
        made["mappings"] = [{"type": "value", "options": said}]
    if part.kind == "timeseries":
        made["custom"] = {"drawStyle": "line", "lineWidth": 2, "fillOpacity": 0, "showPoints": "auto"}
        if part.limits:
            made["custom"]["thresholdsStyle"] = {"mode": "dashed"}
    return made


def _override(name: str, **properties: Any) -> Json:
    found = [{"id": key, "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": found}


def _overrides(part: Panel) -> Iterator[Json]:
    if part.band:
        upper, lower = part.band
        yield _override(
            upper, **{"custom.fillBelowTo": lower, "custom.fillOpacity": 15, "custom.lineWidth": 0}
        )
        yield _override(lower, **{"custom.lineWidth": 0})
    for name in part.dashed:
        yield _override(name, **{"custom.lineStyle": {"fill": "dash", "dash": [8, 8]}, "custom.lineWidth": 1})
    for name, url in part.links:
        yield _override(name, links=[{"title": "Open", "url": url, "targetBlank": True}])
    for name, unit in part.units.items():
        yield _override(name, unit=unit)


def _options(part: Panel) -> Json:
    legend = {"showLegend": True, "displayMode": "list", "placement": "bottom"}
    match part.kind:
        case "timeseries":
            return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
        case "state-timeline":
            return {"legend": {**legend, "showLegend": False}, "mergeValues": True, "showValue": "auto"}
        case "table":
            return {"showHeader": True, "cellHeight": "sm"}
    reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    return {"reduceOptions": reduced, "orientation": "horizontal" if part.kind == "bargauge" else "auto"}


def _columns(part: Panel) -> list[Json]:
    """One line for each set of labels, the values of all queries beside each other under their headings."""
    alone = len(part.queries) == 1
    values = ["Value" if alone else f"Value #{chr(ord('A') + n)}" for n in range(len(part.queries))]
    headings = {
        value: query.column for value, query in zip(values, part.queries, strict=True) if query.column
    }
    kept = [*part.labels, *headings]
    left_out = {name: True for name in ("Time", *values) if name not in kept}
    order = {name: place for place, name in enumerate(kept)}
    tidy = {"excludeByName": left_out, "indexByName": order, "renameByName": headings}
    return [{"id": "merge", "options": {}}, {"id": "organize", "options": tidy}]
