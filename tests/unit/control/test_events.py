"""Every transition of a release is an event of Kubernetes, also those that no decision made."""

import pytest

from causal_rollouts.adapters.kube import EVENT
from causal_rollouts.control import reconcile
from tests.unit.control import scripted
from tests.unit.control.scripted import quick
from tests.unit.control.stories import Story


def events(story: Story) -> list[tuple[str, str]]:
    """(reason, note) in the order they were written."""
    found = story.world.api.stored(EVENT, "shop")
    ordered = sorted(found, key=lambda e: (e["eventTime"], int(e["metadata"]["resourceVersion"])))
    return [(e["reason"], e["note"]) for e in ordered]


def phases(story: Story) -> list[str]:
    """As the events tell them."""
    told = [note.split(": ")[1] for _, note in events(story) if note.count(": ")]
    return [phase for i, phase in enumerate(told) if i == 0 or told[i - 1] != phase]


@pytest.mark.parametrize(
    ("script", "end"),
    [
        (scripted.harmless, "Promoted"),
        (scripted.harm_in_a_stage, "Reverted"),
        (scripted.harm_while_baking, "Reverted"),
        (scripted.everybody_worse(p=0.5), "Promoted"),
    ],
)
def test_each_phase_that_a_release_is_in_is_told(script: scripted.Script, end: str, monkeypatch) -> None:
    monkeypatch.setattr(reconcile, "look", scripted.looking(script))
    story = quick()
    story.request("v2", START_SECONDS="1")
    assert story.end() == end
    passed = [phase for i, (phase, _) in enumerate(story.path) if i == 0 or story.path[i - 1][0] != phase]
    # That it was requested is that it prepares.
    assert (passed[0], events(story)[0][0]) == ("Preparing", "ReleaseRequested")
    assert [p for p in phases(story) if p in passed[1:]] == passed[1:]
    assert events(story)[-1][0] == end


def test_a_pause_and_its_end_are_told(monkeypatch) -> None:
    monkeypatch.setattr(reconcile, "look", scripted.looking(scripted.harmless))
    story = quick()
    story.request("v2", START_SECONDS="1")
    assert story.reach("Observing", 0)
    story.ask("pause", "ann:checkout-1 lunch")
    assert story.reach("Paused", seconds=5)
    story.run(60)
    (told,) = (note for _, note in events(story) if ": Paused" in note)
    assert told == "checkout-1: Paused: ann (lunch) asked to pause", "told again, or as what it is not"
    story.ask("resume", "ann:checkout-1")
    assert story.reach("Observing", seconds=5)
    assert phases(story)[-3:] == ["Observing", "Paused", "Observing"]
