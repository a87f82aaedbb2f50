"""A release that is as good as stable is promoted, step by step, and leaves nothing behind."""

import itertools

import pytest

from causal_rollouts.adapters.kube import GRPC_ROUTE
from e2e.embedded.apiserver import OPERATOR
from e2e.embedded.patches import clone
from tests.unit.control.stories import CLIMB, HTTP_ROUTE, during, tell

QUIET = 600


def test_a_good_release_climbs_the_ladder_and_is_promoted() -> None:
    story = tell()
    route = story.world.api.find(HTTP_ROUTE, "shop", "checkout")
    assert route is not None
    story.request("good")
    assert story.end() == "Promoted"
    assert story.canary == [0, 100, 300, 0]
    assert story.path == CLIMB
    assert story.acts() == ["Advance", "Promote"]
    assert story.world.versions() == {"good"}
    assert story.at_home()
    after = story.world.api.find(HTTP_ROUTE, "shop", "checkout")
    assert after is not None
    assert after["spec"] == route["spec"]
    assert not story.world.target()["spec"].get("paused")
    assert not story.world.rollout()["metadata"].get("finalizers")
    assert story.condition("Ready")["status"] == "True"


@pytest.mark.parametrize("listed", [False, True], ids=["injected", "listed"])
def test_a_service_behind_a_grpc_route_climbs_the_same_ladder(listed: bool) -> None:
    story = tell(routed=GRPC_ROUTE, arms_listed=listed)
    before = clone(story.world.route())
    story.request("good")
    assert story.end() == "Promoted"
    assert story.canary == [0, 100, 300, 0]
    assert story.world.versions() == {"good"}
    assert story.at_home()
    assert story.world.route()["spec"] == before["spec"]


def test_a_converged_object_is_not_written_for_ten_minutes() -> None:
    story = during("Done", stage=1)
    story.run(5)
    before = len(story.world.api.writes)
    story.run(QUIET)
    assert [call for call in story.world.api.writes[before:] if call.user == OPERATOR] == []


def test_each_stage_lasts_at_least_its_shortest_time() -> None:
    story = during("Finishing", stage=1)
    moves = [change for change in story.world.release()["timeline"] if change.get("stage") is not None]
    lasted = [b["time"] - a["time"] for a, b in itertools.pairwise(moves)]
    assert all(seconds >= 30.0 for seconds in lasted[:2]), lasted
