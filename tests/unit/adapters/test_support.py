"""Refusals that the API server does not let a test create everywhere."""

from causal_rollouts.adapters.support import refusals


def deployment(spec=None, pod=None):
    return {
        "metadata": {"name": "web"},
        "spec": {"replicas": 4, "template": {"spec": pod or {}}, **(spec or {})},
    }


def test_an_ordinary_deployment_is_not_refused():
    assert refusals(deployment(), {}) == ()


def test_a_host_port_is_refused_where_it_stands():
    containers = [{"name": "a"}, {"name": "b", "ports": [{"containerPort": 1}, {"hostPort": 9000}]}]
    [text] = refusals(deployment(pod={"containers": containers}), {})
    assert text.startswith('Deployment "web" spec.template.spec.containers[1].ports[1].hostPort: 9000')
    assert "remove hostPort" in text


def test_a_selector_with_the_arm_label_is_refused():
    selector = {"matchLabels": {"app": "web", "causalrollouts.dev/arm": "stable"}}
    [text] = refusals(deployment({"selector": selector}), {})
    assert "spec.selector" in text
    assert "leaves this label out" in text


def test_shared_volumes_and_claims_that_are_not_there_yet_are_not_refused():
    def claim(*modes):
        return {"metadata": {"name": "c"}, "spec": {"accessModes": list(modes)}}

    pod = {"volumes": [{"name": "tmp"}, {"name": "c", "persistentVolumeClaim": {"claimName": "c"}}]}
    assert refusals(deployment(pod=pod), {}) == ()
    assert refusals(deployment(pod=pod), {"c": claim("ReadWriteOnce", "ReadWriteMany")}) == ()
    [text] = refusals(deployment(pod=pod), {"c": claim("ReadWriteOncePod")})
    assert "spec.template.spec.volumes[1]" in text


def test_everything_that_is_wrong_is_said_at_once():
    wrong = deployment({"replicas": 0, "strategy": {"type": "Recreate"}}, {"hostNetwork": True})
    assert len(refusals(wrong, {})) == 3
