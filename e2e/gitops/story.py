"""What a team does by commits alone, whichever tool applies them: the tests of both are these."""

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from e2e.cluster.progress import say, wait_for
from e2e.gitops.flux import INTERVAL
from e2e.gitops.shop import GitShop
from e2e.gitops.written import Written, watched

THREE_SYNCS = 3 * float(INTERVAL.rstrip("s")) + 1
ONE_COMMIT = {"deployments": 1}


class Story(ABC):
    """In this order, on one app that starts at v1."""

    def test_at_rest_live_is_what_git_says(self, shop: GitShop) -> None:
        shop.wait_health("Healthy")
        with watched(shop) as rest:
            time.sleep(THREE_SYNCS)
        shop.differences()
        assert not rest.writes, rest.line("at rest")

    def test_an_edit_of_the_route_at_rest_arrives(self, shop: GitShop) -> None:
        shop.edit_route("one")
        wait_for("the route to add the header", lambda: shop.note() == "one", 30)
        shop.differences()

    def test_a_bad_release_is_reverted_and_told_with_its_reason(self, shop: GitShop) -> None:
        with watched(shop) as release:
            shop.request("v3")
            name = shop.look.wait_release()
            shop.look.wait_phase("Observing", seconds=420)
            shop.wait_health("Progressing")
            assert shop.look.wait_end(seconds=420) == "Reverted"
            told = shop.wait_health("Degraded")
        say(f"{name} as the tool tells it: {told}")
        say(release.line(name))
        assert set(shop.look.versions()) == {"v1"}
        nobody_fought(release)
        self.degraded(shop, name, told)

    def test_a_git_revert_heals_it(self, shop: GitShop) -> None:
        records = len(shop.look.records())
        shop.revert()
        wait_for("the target to rest at v1", shop.rests, 60)
        shop.wait_health("Healthy")
        assert set(shop.look.versions()) == {"v1"}
        assert len(shop.look.records()) == records
        shop.differences()

    def test_a_pause_is_kept_and_a_good_release_is_promoted(self, shop: GitShop) -> None:
        with watched(shop) as release:
            shop.request("v2")
            name = shop.look.wait_release(after=len(shop.look.records()) - 1)
            shop.look.wait_phase("Observing", seconds=420, stage=0)
            shop.look.ask("pause")
            shop.look.wait_phase("Paused", seconds=30)
            shop.wait_health(shop.tool.paused)
            time.sleep(THREE_SYNCS)
            more = self.while_weights_are_out(shop)
            assert shop.look.state()["phase"] == "Paused"
            shop.look.ask("resume")
            assert shop.look.wait_end(seconds=600) == "Promoted"
            shop.wait_health("Healthy")
        say(release.line(name))
        assert set(shop.look.versions()) == {"v2"}
        assert release.moves >= 3
        nobody_fought(release, more)
        shop.differences()
        say(f"from push to applied: {', '.join(f'{seconds:.1f} s' for seconds in shop.synced)}")

    def while_weights_are_out(self, shop: GitShop) -> dict[str, int]:  # noqa: ARG002  (one tool looks at it)
        """What else is tried in a pause; writes of the tool that it asks for."""
        return {}

    @abstractmethod
    def degraded(self, shop: GitShop, release: str, told: str) -> None:
        """What the tool's own message must hold of a release that was reverted."""


def nobody_fought(release: Written, more: Mapping[str, int] = MappingProxyType({})) -> None:
    """The tool wrote what was committed and nothing else, and the operator found its weights as it set them.

    more: writes that were asked for beyond the new template.
    """
    assert dict(release.writes) == {**ONE_COMMIT, **more}, release.line("written")
    assert release.contests == 0, release.line("contested")
    assert release.moves >= 2, release.line("weights did not move")
