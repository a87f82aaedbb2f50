import dataclasses

from e2e.demo import backend
from e2e.demo.backend import Backend, outside_load
from e2e.demo.build import Binaries

SHARED = Backend("localhost/demo-backend:abc", cores=0.4, cpu_ms=4)


def container(shared):
    return shared.deployment()["spec"]["template"]["spec"]["containers"][0]


def test_its_capacity_is_the_cpu_limit_of_its_pod_over_what_a_request_burns():
    assert SHARED.capacity == 100
    assert container(SHARED)["resources"]["limits"] == {"cpu": "400m"}
    assert container(SHARED)["args"] == ["-workers", "2", "-cpu", "4ms"]
    half = dataclasses.replace(SHARED, cores=0.2)
    assert half.capacity == 50
    assert container(half)["resources"]["limits"] == {"cpu": "200m"}


def test_pods_find_it_by_the_name_of_its_service():
    found = SHARED.service()
    labels = SHARED.deployment()["spec"]["template"]["metadata"]["labels"]
    assert found["spec"]["selector"].items() <= labels.items()
    assert SHARED.url == f"http://{found['metadata']['name']}.{found['metadata']['namespace']}:80/"


def test_a_load_from_outside_goes_past_the_gateway_and_keeps_few_requests_in_flight(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSAL_ROLLOUTS_RUN", str(tmp_path))
    monkeypatch.setattr(backend, "get", lambda *_: {"spec": {"clusterIP": "10.96.7.7"}})
    program = tmp_path / "load"
    binaries = Binaries(*[program] * 5, "a", "b")
    argv = outside_load(None, binaries, SHARED, rate=100, seconds=60, in_flight=4).argv
    given = dict(zip(argv[1::2], argv[2::2], strict=True))
    assert given["-url"] == "http://10.96.7.7:80"
    assert (given["-rate"], given["-duration"], given["-workers"]) == ("100", "60s", "4")
    assert given["-cluster"] == "10.96.0.0/16"
