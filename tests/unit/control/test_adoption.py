"""A Deployment that is gated before its pods carry the arm label gets out of that by itself."""

from causal_rollouts.adapters.kube import ARM_LABEL, DEPLOYMENT, SERVICE
from tests.unit.control.stories import Json, Story, tell


def template_label(value: str | None):
    """Write the arm label into the pod template, or take it out."""

    def change(deployment: Json) -> None:
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        labels.pop(ARM_LABEL, None)
        if value is not None:
            labels[ARM_LABEL] = value

    return change


def selector_label(value: str | None):
    def change(service: Json) -> None:
        service["spec"]["selector"].pop(ARM_LABEL, None)
        if value is not None:
            service["spec"]["selector"][ARM_LABEL] = value

    return change


def unlabelled() -> Story:
    """Runs without the label, under the gate: what somebody has who wrote the gate's line first."""
    story = tell()
    story.world.api.bypass.add("ann")
    story.edit(SERVICE, selector_label(None), user="ann")
    story.edit(DEPLOYMENT, template_label(None), user="ann")
    story.edit(DEPLOYMENT, lambda obj: obj["spec"].update(paused=False), user="ann")
    story.promises.disturbed = True
    story.run(90)
    return story


def test_the_label_is_let_through_and_a_release_can_begin() -> None:
    story = unlabelled()
    assert "arm: stable" in story.condition("Ready")["message"]
    story.edit(DEPLOYMENT, template_label("stable"))
    assert story.world.target()["spec"]["paused"]
    story.run(2)
    assert not story.world.target()["spec"].get("paused")
    story.run(90)
    assert "spec.selector" in story.condition("Ready")["message"]
    story.edit(SERVICE, selector_label("stable"))
    story.run(700)
    assert not story.world.records()
    story.request("good")
    assert story.reach("Observing", stage=0)


def test_the_label_beside_another_change_is_not() -> None:
    story = unlabelled()

    def both(deployment: Json) -> None:
        template_label("stable")(deployment)
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "checkout:v9"

    story.edit(DEPLOYMENT, both)
    story.run(30)
    assert story.world.target()["spec"]["paused"]
