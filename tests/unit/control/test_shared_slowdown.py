"""The whole service gets slow for a reason that is not the release: held, not blamed, and promoted after."""

from causal_rollouts.analysis.simulation.climate import Incident
from tests.unit.control.stories import tell


def test_a_shared_slowdown_is_held_and_then_promoted() -> None:
    story = tell()
    story.request("good")
    assert story.reach("Observing", 0)
    story.world.source.strike(Incident(story.world.api.time, 90.0, slower=0.8))
    assert story.run(60, until=lambda: "SharedIncident" in story.reasons())
    held = story.weight
    story.run(30)
    assert story.weight == held
    assert story.end() == "Promoted"
    assert "Revert" not in story.acts()
