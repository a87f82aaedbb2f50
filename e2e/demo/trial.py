"""A trial of the ground under the gate: are weights shares, are pods scraped, what does it all cost?

`python -m e2e.demo.trial` deploys the demo with hand-made arms, without the operator, loads it, moves the
weights, slows the world, prints the figures as JSON and takes everything away again.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import exp, sqrt
from typing import Any

from e2e.cluster import kubectl, prometheus, state
from e2e.cluster.progress import say, wait_for
from e2e.cluster.state import Cluster
from e2e.cluster.trouble import ClusterTrouble
from e2e.demo import build, manifests
from e2e.demo.cpu_use import CpuUse
from e2e.demo.manifests import App
from e2e.demo.traffic import Load, LoadStats
from e2e.demo.versions import VERSIONS
from e2e.demo.world_server import World, reached_by_pods

ARMS = ("stable", "canary", "baseline")


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m e2e.demo.trial", description=__doc__)
    parser.add_argument("--replicas", type=int, default=10)
    parser.add_argument("--rate", type=float, default=150)
    parser.add_argument("--seconds", type=float, default=60, help="of each measurement")
    parser.add_argument("--canary", type=int, default=100, help="thousandths")
    parser.add_argument("--baseline", type=int, default=100, help="thousandths")
    parser.add_argument("--namespace", default="trial")
    try:
        print(json.dumps(_trial(parser.parse_args(words)), indent=2))
    except ClusterTrouble as trouble:
        print(f"e2e.demo.trial: {trouble}", file=sys.stderr)
        return trouble.status
    return 0


def _trial(wanted: argparse.Namespace) -> dict[str, Any]:
    cluster = state.load()
    binaries = build.load_image(cluster)
    with World(binaries.world, reached_by_pods(cluster)) as world:
        app = App(binaries.image, "trial", wanted.namespace, wanted.replicas, world_url=world.url_for_pods)
        say("noise on purpose:")
        for line in app.noise.lines():
            say(f"  {line}")
        with _deployed(cluster, app), Load(binaries.load, cluster.gateway_url, app.host, wanted.rate) as load:
            return _measure(cluster, app, load, world, wanted)


@contextmanager
def _deployed(cluster: Cluster, app: App) -> Iterator[None]:
    try:
        kubectl.apply(cluster, [manifests.namespace(app.namespace)])
        kubectl.apply(cluster, [manifests.deployment(app, VERSIONS["v1"]), manifests.http_route(app)])
        kubectl.apply(cluster, [manifests.service(app, arm) for arm in ARMS])
        _wait_available(cluster, app)
        yield
    finally:
        say(f"deleting namespace {app.namespace}")
        kubectl.kubectl(cluster, "delete", "namespace", app.namespace, "--ignore-not-found", seconds=120)


def _wait_available(cluster: Cluster, app: App) -> None:
    words = ["-n", app.namespace, "wait", "deployment", "--all", "--for=condition=Available", "--timeout=60s"]
    kubectl.kubectl(cluster, *words, seconds=70)


def _measure(
    cluster: Cluster, app: App, load: Load, world: World, wanted: argparse.Namespace
) -> dict[str, Any]:
    busy = CpuUse(cluster.programs)
    alone = load.during(10)
    say(f"{alone.requests / alone.seconds:.0f} requests a second; busy cores {busy.cores():.2f}")
    arms = [("v2", "canary"), ("v1", "baseline")]
    kubectl.apply(cluster, [manifests.deployment(app, VERSIONS[v], arm, 3) for v, arm in arms])
    _wait_available(cluster, app)

    before = load.stats()
    route = manifests.http_route(app, canary=wanted.canary, baseline=wanted.baseline)
    kubectl.apply(cluster, [route])
    wait_for("the canary to answer", lambda: load.stats().share("canary"), 10)
    time.sleep(2)
    say(f"weights {wanted.canary} and {wanted.baseline} of 1000; measuring for {wanted.seconds:g} s")
    busy = CpuUse(cluster.programs)
    calm = load.during(wanted.seconds)
    cpu = {"machine": busy.cores(), "programs": busy.cores_by_program(), "pods": _pod_cores(cluster, app)}
    scraped = _scrapes(cluster, app, int(wanted.seconds))

    say(f"the world slows down by 1.7; measuring for {wanted.seconds / 2:g} s")
    world.slow_down(1.7)
    time.sleep(2)
    slow = load.during(wanted.seconds / 2)
    world.calm()
    kubectl.apply(cluster, [manifests.http_route(app)])
    time.sleep(2)
    return {
        "rate": calm.requests / calm.seconds,
        "shares": _shares(calm, wanted),
        "requests_per_pod": _spread(calm),
        "canary_over_baseline": exp(_contrast(calm)) - 1,
        "codes": calm.codes,
        "cores": cpu,
        "scrapes": scraped,
        "slowdown_of_1.7_seen_as": {arm: _slower(slow, calm, arm) for arm in ARMS},
        "failed_from_weights_up_to_weights_home": load.stats().since(before).failures,
        "dropped": load.stats().dropped,
    }


def _shares(seen: LoadStats, wanted: argparse.Namespace) -> dict[str, Any]:
    intended = {"canary": wanted.canary / 1000, "baseline": wanted.baseline / 1000}
    return {
        arm: {"intended": w, "observed": seen.share(arm), "binomial_se": sqrt(w * (1 - w) / seen.requests)}
        for arm, w in intended.items()
    }


def _spread(seen: LoadStats) -> dict[str, list[int]]:
    """Requests per pod, fewest and most, of each kind of pod that the route treats alike."""
    kinds: dict[str, list[int]] = {}
    for pod, answers in seen.pods.items():
        kind = next((arm for arm in ARMS[1:] if f"-{arm}-" in pod), "stable")
        kinds.setdefault(kind, []).append(answers.requests)
    return {kind: [min(counts), max(counts)] for kind, counts in kinds.items()}


def _contrast(seen: LoadStats) -> float:
    return seen.arms["canary"].mean_log_seconds - seen.arms["baseline"].mean_log_seconds


def _slower(now: LoadStats, then: LoadStats, arm: str) -> float:
    return exp(now.arms[arm].mean_log_seconds - then.arms[arm].mean_log_seconds)


def _scrapes(cluster: Cluster, app: App, seconds: int) -> dict[str, Any]:
    """How many of the due scrapes of each pod succeeded in the last `seconds`, and what each brought."""
    pods = f'{{namespace="{app.namespace}",job="pods"}}'
    succeeded = _ask(cluster, f"sum_over_time(up{pods}[{seconds}s])")
    return {
        "pods": len(succeeded),
        "due": seconds * 1000 / cluster.settings.scrape_ms,
        "succeeded": [min(succeeded), max(succeeded)],
        "samples_each": [max(_ask(cluster, f"scrape_samples_scraped{pods}"))],
        "longest_seconds": max(_ask(cluster, f"max_over_time(scrape_duration_seconds{pods}[{seconds}s])")),
    }


def _pod_cores(cluster: Cluster, app: App) -> float:
    usage = f'container_cpu_usage_seconds_total{{namespace="{app.namespace}"}}'
    return _ask(cluster, f"sum(rate({usage}[45s]))")[0]


def _ask(cluster: Cluster, query: str) -> list[float]:
    found = [float(one["value"][1]) for one in prometheus.series(cluster.prometheus_url, query)]
    if not found:
        raise ClusterTrouble(f"Prometheus has nothing for {query}; are the demo's pods scraped?")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
