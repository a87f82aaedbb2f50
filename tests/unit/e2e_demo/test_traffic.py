import json
import sys

import pytest

from e2e.cluster.trouble import ClusterTrouble
from e2e.demo.traffic import Load, LoadStats


def told(seconds, stable, canary, gateway=0, refused=0):
    """What the load prints when each arm answered so many requests, every tenth with a 500."""

    def group(n):
        return {"requests": n, "errors": n // 10, "sum_log_seconds": -3.5 * n, "mean_log_seconds": -3.5}

    arms = {"stable": group(stable), "canary": group(canary)}
    if gateway:
        arms["gateway"] = group(gateway)
    return json.dumps(
        {
            "started": "2026-01-01T12:00:00Z",
            "seconds": seconds,
            "rate": 150,
            "requests": stable + canary + gateway + refused,
            "dropped": 0,
            "codes": {"200": stable + canary, "503": gateway},
            "unserved": {"connection refused": refused},
            "versions": {"v1": group(stable), "v2": group(canary)},
            "arms": arms,
            "pods": {},
        }
    )


def test_a_share_is_of_what_pods_answered():
    assert LoadStats.parse(told(10, 900, 100)).share("canary") == pytest.approx(0.1)
    assert LoadStats.parse(told(10, 900, 100)).share("baseline") == 0


def test_what_came_since_an_earlier_look_is_the_difference():
    earlier, now = LoadStats.parse(told(10, 1000, 0)), LoadStats.parse(told(20, 1900, 100))
    since = now.since(earlier)
    assert since.requests == 1000
    assert since.share("canary") == pytest.approx(0.1)
    assert since.arms["stable"].mean_log_seconds == pytest.approx(-3.5)
    assert since.codes == {"200": 1000}


def test_failures_are_what_no_pod_answered_and_not_the_errors_of_the_service():
    assert LoadStats.parse(told(10, 900, 100)).failures == 0
    assert LoadStats.parse(told(10, 900, 100, gateway=3, refused=2)).failures == 5


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A program that takes the load's arguments, writes one count and waits to be stopped."""
    monkeypatch.setenv("CAUSAL_ROLLOUTS_RUN", str(tmp_path / "run"))

    def make(body):
        program = tmp_path / "load"
        program.write_text(f"#!{sys.executable}\nimport json, sys, time\nargs = sys.argv\n{body}\n")
        program.chmod(0o755)
        return Load(program, "http://127.0.0.1:1", "checkout.demo.test", rate=10, seconds=60)

    return make


def test_a_load_runs_until_it_is_stopped_and_tells_its_counts(stand_in):
    counts = json.dumps(told(1, 90, 10))
    load = stand_in(f"open(args[args.index('-progress') + 1], 'w').write({counts})\ntime.sleep(60)")
    with load:
        assert load.stats().requests == 100
        assert load.during(0.01).requests == 0
    with pytest.raises(ClusterTrouble, match="does not run"):
        load.during(0.01)


def test_a_load_that_refuses_its_order_says_why_at_once(stand_in):
    load = stand_in("sys.exit('-url is wrong')")
    with pytest.raises(ClusterTrouble, match=r"-url is wrong|ended at once"):
        load.start()
