"""Pages for people say of the gate what the tables of the referees say, and no other figure."""

import re

from causal_rollouts.model.reasons import Verdict
from tests.unit.docs.pages import read

HARMS = {
    "latency +50%": "latency+50%",
    "latency +25%": "latency+25%",
    "latency +25%, low traffic": "latency+25%-low-traffic",
    "errors +2 points": "errors+2pp",
    "errors +0.5 points": "errors+0.5pp",
    "a leak, 2% slower each minute": "leak",
    "six crashes an hour and pod": "crash-6/h",
    "neighbours +25%": "neighbours+25%",
    "three times as many slow requests": "tail-x3",
    "one crash an hour and pod": "crash-1/h",
    "a shared backend, without a probe": "shared-backend",
}
"""Rows of the guarantee and the scenario that they are of."""

SLOTS = {"three pods (default)": "design (default)", "four": "four pods an arm", "five": "five pods an arm"}


def row(page: str, first: str, nth: int = 0) -> list[str]:
    """Cells behind the first one, of the nth row that begins with it."""
    bare = (
        line.replace("**", "").strip().strip("|").split("|")
        for line in read(page).splitlines()
        if "|" in line
    )
    return [[cell.strip() for cell in cells[1:]] for cells in bare if cells[0].strip() == first][nth]


def test_the_guarantee_tells_harm_as_calibration_measured_it():
    for told, scenario in HARMS.items():
        _, reverted, _, promoted, paused, minutes = row("docs/calibration.md", scenario)
        median = minutes.partition(" min")[0].partition(",")[0]
        assert row("docs/guarantee.md", told) == [reverted, promoted, paused, median], told


def test_sizing_tells_slots_as_calibration_measured_them():
    for told, allocation in SLOTS.items():
        plain, large, small, errors, _ = row("docs/calibration.md", allocation)
        assert row("docs/sizing.md", told) == [large, small, errors, plain], told


def test_false_reverts_are_those_of_calibration():
    measured, told = " ".join(read("docs/calibration.md").split()), read("docs/guarantee.md")
    now = re.search(r"\*\*(\d+ of [\d,]+) reverted: ([\d.]+%), at most ([\d.]+%)\*\*", measured)
    assert now
    assert f"| {now[1]} | {now[2]}, {now[3]} |" in told
    for runs, share, bound in (("3 of 3,700", "0.08%", "0.24%"), ("3 of 6,436", "0.05%", "0.14%")):
        assert re.search(f"{runs} (?:were )?reverted[:,] {share}, at most {bound}", measured)
        assert re.search(f"{runs} \\| {share}, {bound}", told)


def test_concepts_say_of_each_verdict_what_to_do():
    for verdict in Verdict:
        means, gate, you = row("docs/concepts.md", str(verdict))
        assert means
        assert gate
        assert you
