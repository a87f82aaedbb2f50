"""Segments in a release of the operator: on record, told, and out of the way of everything else."""

import math

from causal_rollouts.adapters.record_form import record_of
from causal_rollouts.web import segments
from causal_rollouts.web.report import page
from e2e import rollouts
from tests.unit.control.stories import tell

ZONES = {"node": "zone", "values": ["a", "nowhere"]}


def test_segments_are_on_record_and_in_the_report_and_not_in_the_status() -> None:
    latency, *others = rollouts.metrics()
    story = tell(policy={"metrics": [{**latency, "segments": [ZONES]}, *others]})
    story.request("good")
    assert story.reach("Observing", stage=1)
    record = record_of(story.world.newest())
    known, unknown = segments.judged(record)
    assert known[0].segment.name == "latency[zone=a]"
    assert known[0].lower < known[0].effect < known[0].upper
    assert math.isnan(unknown[0].effect)
    assert not known[1]
    assert not unknown[1]
    shown = page("checkout", [record])
    assert "<h3>Segments</h3>" in shown
    assert "latency[zone=nowhere]" in shown
    assert not any("zone=" in line for line in story.world.rollout()["status"]["metrics"])
    assert not any("zone=" in r.name for point in record.trace for r in point.readings)
    assert story.end(1200) == "Promoted", "a zone without pods holds nobody up"
