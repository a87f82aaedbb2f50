"""What stands in Git for an app that is called by gRPC."""

from e2e import call_shop, rollouts
from e2e.call_shop import TAKES_CALLS, CallShop
from e2e.demo import manifests
from e2e.demo.manifests import App
from e2e.demo.versions import VERSIONS
from tests.unit.api.specs import resolved

APP = App("localhost/causal-rollouts-demo:abc", "quotes", extra=TAKES_CALLS)


def test_a_grpc_route_sends_to_the_port_that_says_it_speaks_http2():
    service, route = CallShop(None, APP).way_in()
    (port,) = service["spec"]["ports"]
    assert port["appProtocol"] == "kubernetes.io/h2c"
    assert (route["kind"], route["spec"]["hostnames"]) == ("GRPCRoute", ["quotes.shop.test"])
    (backend,) = route["spec"]["rules"][0]["backendRefs"]
    assert (backend["name"], backend["port"]) == (service["metadata"]["name"], port["port"])


def test_the_pod_listens_where_the_service_sends():
    service, _ = CallShop(None, APP).way_in()
    pod = manifests.deployment(APP, VERSIONS["v1"])["spec"]["template"]["spec"]
    told = {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}
    assert told["GRPC_LISTEN"] == f":{service['spec']['ports'][0]['targetPort']}"


def test_calls_are_judged_by_the_margins_of_requests():
    made = rollouts.rollout(APP, **call_shop.spec(APP))["spec"]
    assert made["traffic"] == {"service": "quotes", "grpcRoutes": [{"name": "quotes"}]}
    named = {"latency", "errors"}

    def margins(metrics):
        return [{k: v for k, v in metric.items() if k not in named} for metric in metrics]

    assert margins(made["metrics"]) == margins(rollouts.metrics())


def test_the_rollout_resolves_with_the_policy_that_it_names():
    made = rollouts.rollout(APP, **call_shop.spec(APP))["spec"]
    found = resolved(made, rollouts.policy()["spec"])
    assert "grpc_server_handling_seconds" in repr(found)
    assert "grpc_server_handled_total" in repr(found)


def test_those_of_requests_stay_what_they_were():
    assert [next(iter(m.values())) for m in rollouts.metrics()] == ["latency", "errors", "restarts"]
    latency, errors, _ = rollouts.metrics()
    assert latency["latency"] == {"histogram": "http_server_request_duration_seconds"}
    assert errors["errors"] == {"counter": "http_server_requests_total", "bad": [{"code": "5.."}]}
