import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from e2e.cluster.trouble import ClusterTrouble
from e2e.demo.queue import Queue, QueueStats
from e2e.demo.traffic import Answers


def told(none=0, canary=0, waiting=0, under_way=0, lost=0):
    """What the queue says when pods without the label and the canary did so many jobs, every tenth badly."""
    arms = {name: {"done": n, "failed": n // 10} for name, n in (("none", none), ("canary", canary)) if n}
    done = none + canary
    return json.dumps(
        {
            "seconds": done / 100,
            "arrived": done + waiting + under_way + lost,
            "refused": 0,
            "handed_out": done + under_way,
            "done": done,
            "failed": none // 10 + canary // 10,
            "redelivered": 0,
            "late": 0,
            "waiting": waiting,
            "under_way": under_way,
            "oldest_seconds": 0.5,
            "arms": arms,
            "versions": {"v1": {"done": done, "failed": 0}},
        }
    )


def test_a_share_is_of_the_jobs_done_and_a_pod_without_the_label_is_stable():
    stats = QueueStats.parse(told(none=900, canary=100, waiting=50))
    assert stats.share("canary") == pytest.approx(0.1)
    assert stats.share("baseline") == 0
    assert stats.arms == {"stable": Answers(900, 90), "canary": Answers(100, 10)}


def test_a_job_that_is_nowhere_is_lost_whether_counted_from_the_start_or_from_a_look():
    earlier = QueueStats.parse(told(none=100, waiting=3, under_way=2))
    now = QueueStats.parse(told(none=190, canary=10, waiting=1, under_way=4, lost=2))
    assert earlier.lost == 0
    assert now.lost == now.since(earlier).lost == 2


def test_what_came_since_an_earlier_look_is_the_difference():
    earlier, now = QueueStats.parse(told(none=1000)), QueueStats.parse(told(none=1000, canary=100))
    since = now.since(earlier)
    assert (since.done, since.failed) == (100, 10)
    assert since.arms == {"canary": Answers(100, 10)}


@pytest.fixture
def door(tmp_path, monkeypatch):
    """A port that tells stats, as the queue's door on loopback."""
    monkeypatch.setenv("CAUSAL_ROLLOUTS_RUN", str(tmp_path / "run"))

    class Door(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/stats" else 404)
            self.end_headers()
            self.wfile.write(told(none=42).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def program(tmp_path, body):
    made = tmp_path / "queue"
    made.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    made.chmod(0o755)
    return made


def test_a_queue_runs_until_it_is_stopped_and_tells_its_counts(tmp_path, door):
    with Queue(program(tmp_path, "time.sleep(60)"), "127.0.0.1", port=door) as queue:
        assert queue.stats().done == 42


def test_a_queue_that_refuses_its_order_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSAL_ROLLOUTS_RUN", str(tmp_path / "run"))
    with pytest.raises(ClusterTrouble, match=r"-rate is wrong|ended at once"):
        Queue(program(tmp_path, "sys.exit('-rate is wrong')"), "127.0.0.1", port=1).start()


def test_workers_are_told_an_address_that_stays_the_same(tmp_path, monkeypatch):
    # It stands in the pod template: another one would be another release.
    monkeypatch.setenv("CAUSAL_ROLLOUTS_RUN", str(tmp_path))
    queue = Queue(tmp_path / "queue", "10.244.0.1", rate=120, seconds=3600)
    assert queue.url_for_pods == "http://10.244.0.1:18901/"
    given = dict(zip(queue.argv[1::2], queue.argv[2::2], strict=True))
    assert given == {
        "-control": "127.0.0.1:18901",
        "-pods": "10.244.0.1:18901",
        "-rate": "120",
        "-duration": "3600s",
    }
