import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from e2e.cluster.trouble import ClusterTrouble
from e2e.demo.world_server import World, address_for_pods


@pytest.fixture
def control(tmp_path, monkeypatch):
    """What the world's control door is told, as it is told."""
    monkeypatch.setenv("CAUSAL_ROLLOUTS_RUN", str(tmp_path))
    heard = []

    class Door(BaseHTTPRequestHandler):
        def do_PUT(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"42\n")

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield World(tmp_path / "world", "10.244.0.1", server.server_port), heard
    server.shutdown()
    server.server_close()


def test_an_incident_is_told_and_ended(control):
    world, heard = control
    world.slow_down(1.7)
    world.slow_down(1, errors=0.2)
    world.slow_node("n2", 1.4)
    world.calm()
    assert heard == [
        {"slowdown": 1.7, "errors": 0.0},
        {"slowdown": 1, "errors": 0.2},
        {"slowdown": 1.0, "errors": 0.0, "nodes": {"n2": 1.4}},
        {"slowdown": 1.0, "errors": 0.0},
    ]


def test_it_tells_how_often_pods_asked(control):
    world, _ = control
    assert world.asked() == 42


def test_pods_are_told_an_address_that_stays_the_same(tmp_path, monkeypatch):
    # It stands in the pod template: another one would be another release.
    monkeypatch.setenv("CAUSAL_ROLLOUTS_RUN", str(tmp_path))
    assert World(tmp_path / "world", "10.244.0.1").url_for_pods == "http://10.244.0.1:18900/"


def test_the_world_listens_where_this_machine_has_an_address():
    assert address_for_pods(["192.0.2.1", "127.0.0.1"]) == "127.0.0.1"
    with pytest.raises(ClusterTrouble, match=r"192\.0\.2\.1"):
        address_for_pods(["192.0.2.1"])
