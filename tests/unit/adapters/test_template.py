"""One name for a template, whoever wrote it down."""

from causal_rollouts.model.template import template_hash

WEB = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}


def test_the_hash_of_the_deployment_controller_makes_no_other_template():
    labelled = {**WEB, "metadata": {"labels": {"app": "web", "pod-template-hash": "abc"}}}
    assert template_hash(labelled) == template_hash(WEB)


def test_how_absence_is_written_makes_no_other_template():
    written = {**WEB, "metadata": {"creationTimestamp": None, "labels": {"app": "web"}, "annotations": {}}}
    assert template_hash(written) == template_hash(WEB)
    assert template_hash({"spec": {}}) == template_hash({"metadata": {"labels": {}}, "spec": {}})


def test_order_of_keys_does_not_matter_and_everything_else_does():
    turned = {"spec": {"containers": [{"image": "web:1", "name": "web"}]}, "metadata": WEB["metadata"]}
    assert template_hash(turned) == template_hash(WEB)
    for other in (
        {**WEB, "spec": {"containers": [{"name": "web", "image": "web:2"}]}},
        {**WEB, "metadata": {"labels": {"app": "web", "x": "1"}}},
        {**WEB, "metadata": {"labels": {"app": "web"}, "annotations": {"config": "1"}}},
    ):
        assert template_hash(other) != template_hash(WEB)
    assert len(template_hash(WEB)) == 12
