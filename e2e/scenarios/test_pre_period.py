"""Arms with a past of their own: a slow node is not the release, a slow release is, and no step is lost."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster.kubectl import get
from e2e.cluster.progress import say
from e2e.demo.versions import VERSIONS
from e2e.demo.world_server import World
from e2e.operator_host import OperatorProcess
from e2e.shop import Shop

pytestmark = [pytest.mark.cluster, pytest.mark.order(60)]

SLOT = "causalrollouts.dev/slot"


@pytest.fixture(autouse=True)
def _beforehand(basket: Shop) -> Iterator[None]:
    """Both arms are watched for a minute and a half on the stable template."""
    basket.respec(arms={"prePeriod": "90s"})
    yield
    basket.respec()


def arm_pods(shop: Shop) -> list[dict[str, Any]]:
    pods = get(shop.cluster, "-n", shop.app.namespace, "pods", "-l", f"app={shop.app.name},{SLOT}")["items"]
    return [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]


def versions(shop: Shop, arm: str) -> set[str]:
    return {
        env["value"]
        for pod in arm_pods(shop)
        if pod["metadata"]["labels"][SLOT].startswith(arm)
        for env in pod["spec"]["containers"][0]["env"]
        if env["name"] == "VERSION"
    }


def nodes(shop: Shop) -> dict[str, str]:
    return {pod["metadata"]["labels"][SLOT]: pod["spec"]["nodeName"] for pod in arm_pods(shop)}


def _forgetful(recording: Path) -> Path:
    """A copy that knows nothing of the pre-period."""
    where = recording.with_name("without")
    shutil.copytree(recording, where)
    timeline = json.loads((where / "timeline.json").read_text())
    kept = [change for change in timeline if change["stage"] is not None]
    (where / "timeline.json").write_text(json.dumps(kept))
    return where


def _latency(shop: Shop, where: Path) -> dict[str, float]:
    """Latency at the last look of the first stage, decided again."""
    lines = [json.loads(line) for line in shop.command("replay", str(where), "-o", "jsonl").splitlines()]
    last = [line for line in lines if line["stage"] == 0 and line["metrics"][0]["effect"] is not None][-1]
    found: dict[str, float] = last["metrics"][0]
    return found


def _told(latency: dict[str, float]) -> str:
    return f"{latency['effect']:+.3f} ({latency['lower']:+.3f} to {latency['upper']:+.3f})"


def test_a_slow_node_is_not_blamed_on_a_good_release(
    basket: Shop, operator: OperatorProcess, world: World, tmp_path: Path
) -> None:
    """The node of a canary slows down before the release does anything; killed in mid-replacement."""
    before = len(basket.records())
    basket.request_anew("v2")
    basket.wait_release(after=before)
    basket.wait_phase("PrePeriod", seconds=420)
    slow = next(p["node"] for p in basket.state()["desired"]["slots"] if p["slot"]["arm"] == "canary")
    world.slow_node(slow, 1.4)
    say(f"{slow} is 1.4 times as slow from now on")
    basket.wait_phase("Replacing", seconds=300)
    operator.kill()
    assert versions(basket, "canary") <= {"v1"}
    where = nodes(basket)
    operator.start()

    basket.wait_phase("Observing", seconds=120, stage=0)
    assert nodes(basket) == where
    assert versions(basket, "canary") == {"v2"}
    assert versions(basket, "baseline") == {"v1"}
    assert not [name for name in basket.slots() if name.endswith("-before")]
    assert len(basket.records()) == before + 1
    basket.wait_phase("Shifting", "Observing", seconds=600, stage=1)
    told = [d["decision"] for d in basket.decisions()]
    assert not [d for d in told if d["act"] in {"Revert", "Pause"}]
    assert "Replacing" in {d["reason"] for d in told}
    basket.ask("abort")
    assert basket.wait_end(seconds=90) == "Aborted"
    assert basket.home()
    basket.back_to("v1")
    recording, source = tmp_path / "with", ("--prometheus", basket.cluster.prometheus_url)
    basket.command("record", basket.app.name, "-n", basket.app.namespace, *source, "-o", str(recording))
    with_past, without = (_latency(basket, where) for where in (recording, _forgetful(recording)))
    say(f"latency with its past {_told(with_past)}, of the same samples without it {_told(without)}")
    # Of the same samples: what the past takes off is the canary's node, whatever chance adds to both.
    assert with_past["effect"] < without["effect"]
    assert with_past["upper"] < without["upper"]


def test_a_slower_release_is_reverted_after_its_pre_period(basket: Shop) -> None:
    before = len(basket.records())
    basket.request_anew("v3")
    basket.wait_release(after=before)
    with basket.watching() as seen:
        assert basket.wait_end(seconds=600) == "Reverted"
    timeline = basket.state()["timeline"]
    assert [c["phase"] for c in timeline[:3]] == ["PrePeriod", "Replacing", "Shifting"]
    assert "stage" not in timeline[0] or timeline[0]["stage"] is None
    reverts = [d["decision"] for d in basket.decisions() if d["decision"]["act"] == "Revert"]
    assert [d["reason"] for d in reverts] == ["HarmProven"]
    assert max(s.canary for s in seen) <= 300
    basket.back_to("v1")


def test_a_candidate_that_cannot_be_pulled_harms_nobody(basket: Shop) -> None:
    before = len(basket.records())
    basket.request_image("nowhere.invalid/demo:1", VERSIONS["v2"])
    basket.wait_release(after=before)
    assert basket.wait_end(seconds=420) == "Blocked"
    assert "Image" in basket.state()["why"]
    assert set(basket.versions()) == {"v1"}
    assert basket.home()
    weights = [c["weights"]["canary"] for c in basket.state()["timeline"] if c.get("stage") is not None]
    assert set(weights) == {0}
    basket.back_to("v1")
