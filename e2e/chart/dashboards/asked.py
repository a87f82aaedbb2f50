"""The queries of all dashboards as their panels ask them, whoever answers: promtool or a real Prometheus."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from e2e.chart.dashboards import files
from e2e.chart.dashboards.grafana import Panel

CHOSEN = {"$namespace": "shop", "$rollout": "checkout", "$metric": "latency", "$check": "Age"}
WINDOWS = {"$__rate_interval": "4m", "$__range": "2h"}


def drawn_by(legend: str) -> set[str]:
    """Labels that a legend names."""
    return set(re.findall(r"\{\{\s*(\w+)\s*\}\}", legend))


@dataclass(frozen=True, slots=True)
class Asked:
    """One query as a panel asks it. labels: that the panel shows."""

    where: str
    expr: str
    labels: frozenset[str]

    @property
    def panel(self) -> str:
        """Its title."""
        return self.where.partition(": ")[2]

    @property
    def plain(self) -> str:
        """With variables as Grafana fills them in."""
        expr = self.expr
        for name, value in (CHOSEN | WINDOWS).items():
            expr = expr.replace(name, value)
        return expr


def asked() -> Iterator[Asked]:
    for name, dashboard in files.ALL.items():
        for panel in dashboard.parts:
            if not isinstance(panel, Panel):
                continue
            for query in panel.queries:
                shown = set(panel.labels) & set(re.findall(r"\w+", query.expr))
                labels = frozenset(shown | drawn_by(query.legend))
                yield Asked(f"{name}: {panel.title}", query.expr, labels)


ASKED = list(asked())
