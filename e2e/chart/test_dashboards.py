"""Every query of the dashboards, asked of a real Prometheus that scrapes the operator in a release."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from e2e.chart.dashboards.asked import ASKED, CHOSEN
from e2e.chart.gated import gated
from e2e.chart.helm import CHART
from e2e.chart.operator_pod import OperatorPod
from e2e.cluster import loopback, parts, prometheus
from e2e.cluster.programs import Program
from e2e.cluster.progress import say, wait_for
from e2e.cluster.state import Cluster
from e2e.shop import Shop

pytestmark = pytest.mark.cluster

NAMESPACE, NAME = CHOSEN["$namespace"], CHOSEN["$rollout"]
PORT = 19795
PROGRAM = "prometheus-of-dashboards"
SCRAPE = "2s"
LOOKS = 4
QUIET = {
    "Firing alerts",
    "Conditions that do not hold",
    "Notices that were given up",
    "Notices in line",
    "Cost: what a request or pod uses more",
    "Footprints",
}
"""Panels that are empty where nothing is wrong, nobody is to be told, and no footprint is named."""

ENDED = {
    "Releases that ended",
    "Releases by outcome",
    "Why releases ended",
    "Releases that ended in the day before",
}
OTHERWISE = {"Promoted", "Reverted for harm", "Share reverted for harm"}
"""Panels of ends that an abort is none of."""


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with gated(NAME, NAMESPACE) as (shop, _, _):
        yield shop


@contextmanager
def scraped(cluster: Cluster, folder: Path) -> Iterator[str]:
    """Address of a Prometheus with the chart's alerts that scrapes the operator as the PodMonitor says."""
    (pod,) = OperatorPod(cluster).pods()
    job = {
        "job_name": "operator",
        "honor_labels": True,
        "static_configs": [{"targets": [f"{pod['status']['podIP']}:8080"]}],
    }
    config = {
        "global": {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE, "evaluation_interval": SCRAPE},
        "rule_files": [str(CHART / "files" / "alerts.yaml")],
        "scrape_configs": [job],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    argv = (
        str(parts.program(parts.PROMETHEUS, "prometheus", cluster.places)),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{PORT}",
    )
    url = f"http://127.0.0.1:{PORT}"
    cluster.programs.start(Program(PROGRAM, argv))
    try:
        wait_for("the Prometheus of the dashboards", lambda: loopback.read(f"{url}/-/ready", 2), 60)
        yield url
    finally:
        cluster.programs.stop([PROGRAM], 15)


def empty(url: str) -> set[str]:
    """Panels none of whose queries has an answer."""
    answered = {query.panel for query in ASKED if prometheus.series(url, query.plain)}
    return {query.panel for query in ASKED} - answered


def test_every_panel_shows_what_a_running_release_has(shop: Shop, tmp_path: Path) -> None:
    with scraped(shop.cluster, tmp_path) as url:
        shop.request("v2")
        shop.wait_release()
        shop.wait_phase("Observing", seconds=420, stage=0)
        for _ in range(LOOKS):
            shop.wait_look()
        found = wait_for(
            "panels with the newest look", lambda: _but(empty(url), QUIET | ENDED | OTHERWISE), 20
        )
        say(f"empty while it runs: {', '.join(sorted(found))}")

        shop.ask("abort")
        assert shop.wait_end(seconds=120) == "Aborted"
        wait_for("its end to be counted", lambda: not empty(url) & ENDED, 30)


def _but(found: set[str], allowed: set[str]) -> set[str]:
    """What was found where all of it is allowed, else nothing; says what is not."""
    if found - allowed:
        say(f"nothing yet in {', '.join(sorted(found - allowed))}")
        return set()
    return found
