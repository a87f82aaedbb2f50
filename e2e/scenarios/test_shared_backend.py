"""All pods share a backend that nears its capacity: everybody slows down, and no arm differs from another.

v8 makes two more calls beside each answer, which does not wait for them: at a small weight nobody feels it,
at a large one the backend's queue grows for all. The same slow-down comes from a load of somebody else. By
the contrast of the arms the two cannot be told apart, so both are held; a probe tells them apart.
"""

import json
import math
import time
from pathlib import Path

import pytest

from e2e.cluster.progress import say, wait_for
from e2e.demo.backend import Backend, outside_load
from e2e.ground import Ground
from e2e.latencies import asked, mean_seconds
from e2e.operator_host import OperatorProcess
from e2e.shop import Manifest, Shop

pytestmark = [pytest.mark.cluster]

SPAN = 20


@pytest.mark.order(42)
def test_a_version_that_overloads_the_backend_of_all_is_found_out_and_reverted(
    orders: Shop, basket: Shop, tmp_path: Path
) -> None:
    before = len(orders.records())
    orders.request_anew("v8")
    orders.wait_release(after=before)
    orders.wait_phase("Observing", seconds=420, stage=0)
    warned = wait_for("a warning of the footprint", lambda: _warning(orders), 420, every=1)
    assert orders.state()["stage"] == 0, "the warning must come before the weight that hurts"
    assert warned["reason"] in {"FootprintGrew", "OverHeadroom"}
    say(f"in the first stage: {_calls(orders)}; {_latency(orders)}; {warned['message']}")
    orders.wait_phase("Shifting", seconds=420, stage=1)
    assert "SharedIncident" not in {d["decision"]["reason"] for d in orders.decisions()}
    orders.wait_phase("Observing", seconds=420, stage=1)
    held = orders.weights().canary
    with orders.watching() as seen:
        _wait_reason(orders, "SharedIncident", 240)
        say(f"with the backend saturated: {_latency(orders)}; {_told(orders)}")
        assert orders.wait_end(seconds=900) == "Reverted"
    assert max(s.canary for s in seen) == held
    assert "backend-calls/OverHeadroom" in orders.state()["warned"]
    (revert,) = [d["decision"] for d in orders.decisions() if d["decision"]["act"] == "Revert"]
    assert revert["reason"] == "BackendHarm"
    say(f"v8: {revert['because']}")
    total = _total_effect(orders, tmp_path / "recording")
    say(f"v8 at 100%, beside {basket.app.name}: {total['effect']:+.0%} ({total['lower']:+.0%} at least)")
    assert "the reference drifts as the service does" in total["assumes"]
    assert total["lower"] > 0.0
    orders.back_to("v1")


@pytest.mark.order(44)
def test_a_load_of_somebody_else_is_not_blamed_on_the_release(
    made: Ground[OperatorProcess], orders: Shop, backend: Backend
) -> None:
    before = len(orders.records())
    orders.request_anew("v2")
    orders.wait_release(after=before)
    orders.wait_phase("Observing", seconds=420, stage=0)
    held = orders.weights().canary
    load = outside_load(made.cluster, made.binaries, backend, rate=100, seconds=1200, in_flight=4)
    with load, orders.watching() as seen:
        _wait_reason(orders, "SharedIncident", 240)
        say(f"under the outside load: {_latency(orders)}; {_told(orders)}")
        _wait_reason(orders, "ProbeSettled", 900)
    assert max(s.canary for s in seen) == held
    assert not _warning(orders), "it asks no more of the backend than the version before"
    settled = next(d["decision"] for d in orders.decisions() if d["decision"]["reason"] == "ProbeSettled")
    say(f"v2: {settled['because']}")
    over = time.time()
    assert orders.wait_end(seconds=900) == "Promoted"
    say(f"promoted {time.time() - over:.0f} s after the outside load ended")


def _wait_reason(shop: Shop, reason: str, seconds: float) -> None:
    def given() -> bool:
        return reason in {d["decision"]["reason"] for d in shop.decisions()}

    wait_for(f"the reason {reason}", given, seconds, every=1)


def _warning(shop: Shop) -> Manifest:
    """The condition of footprints while it warns, {} otherwise."""
    found = shop.condition("FootprintSteady")
    return found if found.get("status") == "False" else {}


def _total_effect(shop: Shop, where: Path) -> Manifest:
    """What a recording with its reference says of latency at 100%."""
    source = ("--prometheus", shop.cluster.prometheus_url)
    shop.command("record", shop.app.name, "-n", shop.app.namespace, *source, "-o", str(where))
    found = json.loads(shop.command("second-opinion", str(where), "-o", "json"))
    latency = next(metric for metric in found["metrics"] if metric["name"] == "latency")
    said = {one["method"].split(",")[0]: one for one in [*latency["said"], *latency["absent"]]}
    total: Manifest = said["total effect at 100%"]
    assert "effect" in total, total
    return total


def _told(shop: Shop) -> str:
    """What the newest evidence of a shared incident says."""
    found = [d["evidence"] for d in shop.decisions() if d["decision"]["reason"] == "SharedIncident"]
    own = next(metric for metric in found[-1]["metrics"] if metric["name"] == "latency")
    return (
        f"the gate: service {math.expm1(found[-1]['shared']):+.0%} against its past, canary against baseline "
        f"{math.expm1(own['effect']):+.1%}, naive {math.expm1(own['naive']):+.1%}"
    )


def _latency(shop: Shop) -> str:
    """Mean of each arm's pods, in milliseconds."""
    arms: dict[str, list[float]] = {}
    places = shop.places()
    for pod, seconds in mean_seconds(shop.cluster, shop.app.namespace, time.time(), SPAN).items():
        if pod in places:
            arms.setdefault(places[pod][1], []).append(1000 * seconds)
    return ", ".join(f"{arm} {sum(found) / len(found):.0f} ms" for arm, found in sorted(arms.items()))


def _calls(shop: Shop) -> str:
    """Calls to the backend per request, canary against stable."""
    told = []
    for arm in ("canary", "stable"):
        pods = "|".join(pod for pod, (_, of) in shop.places().items() if of == arm)
        rates = [
            sum(
                asked(
                    shop.cluster, f'sum by (pod) (rate({name}{{pod=~"{pods}"}}[{SPAN}s]))', time.time()
                ).values()
            )
            for name in ("downstream_requests_total", "http_server_requests_total")
        ]
        told.append(f"{arm} {rates[0] / rates[1]:.2f}")
    return f"calls a request: {', '.join(told)}"
