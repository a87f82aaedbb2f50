"""An A/A test on a service at rest: both arms on the version that runs, and nothing released."""

import pytest

from causal_rollouts.adapters.record_form import record_of
from causal_rollouts.analysis.aa_record import aa_record
from causal_rollouts.web.report import page
from tests.unit.control.stories import Story, tell


def _testing(seconds: str = "60s") -> Story:
    story = tell()
    story.ask("aa", f"ann:{seconds}")
    assert story.reach("PrePeriod")
    return story


def test_both_arms_run_the_stable_version_and_the_target_is_never_paused() -> None:
    story = _testing()
    while story.phase != "Done":
        assert not story.world.target()["spec"].get("paused")
        story.step()
    assert story.end() == "AATested"
    assert story.at_home()
    assert not any(stage >= 0 for _, stage in story.path)
    assert "causalrollouts.dev/aa" not in story.world.rollout()["metadata"].get("annotations", {})
    assert "do not differ" in story.world.release()["why"]
    story.run(90)
    assert len(story.world.records()) == 1, "it is not asked for twice"


def test_what_it_showed_is_one_more_trial_of_the_design() -> None:
    story = _testing("120s")
    story.end()
    story.ask("aa", "ann:90s")
    assert story.run(120, until=lambda: len(story.world.records()) == 2)
    story.end()
    told = aa_record([record_of(obj) for obj in story.world.records()])
    assert [t.release for t in told.trials] == ["checkout-1", "checkout-2"]
    assert told.fired == 0
    assert told.rate[0] == 0.0 < told.rate[1]
    for trial in told.trials:
        assert trial.lower < trial.effect < trial.upper
        assert 0.0 < trial.se < trial.upper - trial.effect
    assert told.scatter_bounds is not None
    assert told.scatter_bounds[0] < told.scatter < told.scatter_bounds[1]


def test_the_next_release_registers_what_the_tests_told_of_fresh_pods() -> None:
    story = _testing("90s")
    story.end()
    (test,) = map(record_of, story.world.records())
    assert test.registration.scatter == ()
    (told,) = test.release.scatter
    assert told.metric == "latency"
    assert told.ratio >= 0.0
    assert 0.0 < told.df <= 5.0
    story.request("good")
    assert story.run(120, until=lambda: len(story.world.records()) == 2)
    release = record_of(story.world.newest())
    assert release.registration.scatter == (told,)
    assert story.end(1200) == "Promoted"
    assert record_of(story.world.newest()).release.scatter == (), "a release tells nothing of chance alone"
    assert aa_record([test]).fresh == (told,)
    assert "Arms of one template in earlier releases" in page("checkout", [record_of(story.world.newest())])
    assert "Arms of one template in earlier releases" not in page("checkout", [test])


def test_a_release_of_a_pre_period_adds_a_trial_too() -> None:
    story = tell(policy={"arms": {"prePeriod": "60s"}})
    story.request("good")
    assert story.reach("Observing", stage=0)
    told = aa_record([record_of(story.world.newest())])
    assert len(told.trials) == 1
    assert not told.trials[0].fired


def test_a_new_template_ends_the_test_and_gets_its_own_release() -> None:
    story = _testing("10m")
    assert story.run(120, until=lambda: story.weight > 0)
    story.request("good")
    assert story.run(90, until=lambda: len(story.world.records()) == 2)
    assert story.world.records()[0]["status"]["release"]["outcome"] == "Superseded"
    assert story.world.target()["spec"]["paused"]
    assert story.end(1200) == "Promoted"


@pytest.mark.parametrize("value", ["ann:soon", "ann:", "true", "ann:-5m"])
def test_a_wish_that_makes_no_sense_is_put_away(value: str) -> None:
    story = tell()
    story.ask("aa", value)
    story.run(90)
    assert not story.world.records()
    assert "causalrollouts.dev/aa" not in story.world.rollout()["metadata"].get("annotations", {})


def test_an_operator_that_was_killed_goes_on_with_the_test() -> None:
    story = _testing("60s")
    assert story.run(120, until=lambda: story.weight > 0)
    story.world.operator_down = True
    story.run(30)
    story.world.operator_down = False
    assert story.end() == "AATested"


def test_the_report_tells_what_both_arms_showed_before_the_release() -> None:
    story = tell(policy={"arms": {"prePeriod": "60s"}})
    story.request("good")
    assert story.reach("Observing", stage=0)
    told = page("checkout", [record_of(story.world.newest())])
    assert "Before the release both arms ran the stable version from minute" in told
    assert "not told apart: latency" in told
