"""`get`: a tree that fits a terminal, live with -w, and never more certain than the evidence."""

import io
import math
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import yaml

from causal_rollouts.cli.bar import WIDE, Bar
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.knowledge import known
from causal_rollouts.cli.pace import Span, until_safe, until_step
from causal_rollouts.cli.standing import Standing, State
from causal_rollouts.cli.terminal import Line, Terminal, Tone, terminal
from causal_rollouts.cli.tree import tree
from causal_rollouts.model.reasons import Phase
from causal_rollouts.model.trace import Point, Reading
from causal_rollouts.ports import Broken
from e2e.api.manifests import ROOT
from tests.unit.cli.test_status import _becomes
from tests.unit.cli.town import NAME
from tests.unit.web.records import BEGIN, ERRORS, INF, LATENCY, NAN, record


def running(safe, *, metrics=(LATENCY,), harm=-INF, **release):
    """A release in its first stage (60 s to 600 s), with one look every 30 s that found so much safety."""
    state = {"phase": Phase.OBSERVING, "stage": 0, "stage_since": BEGIN, "outcome": None, **release}
    trace = tuple(
        Point(
            BEGIN + 30.0 * i,
            0,
            100,
            harm,
            "Inconclusive",
            tuple(Reading(metric.name, 0.02, -0.05, 0.2, harm, nats) for metric in metrics),
        )
        for i, nats in enumerate(safe)
    )
    return replace(record(metrics=metrics, **state), final=False, trace=trace)


def seen(made):
    return Standing(
        "checkout", "shop", State.RUNNING, "Observing", "gathering", made, "1/2", 10.0, 10.0, since=BEGIN
    )


def text(made, now=BEGIN + 150, *, signs=True):
    return "\n".join(line.text for line in tree(seen(made), now, signs=signs))


STEADY = [0.1 * i for i in range(7)]
"""0.6 after 3 min of the 1.0 that are needed: two more."""


def test_what_grew_steadily_is_told_in_minutes():
    made = running(STEADY)
    (metric,) = known(made)
    span = until_safe(made, metric)
    assert span.least == pytest.approx(120)
    assert span.most == pytest.approx(120)
    assert until_step(made, BEGIN + 180).most == pytest.approx(120)
    assert "safety 0.6 of 1.0 nats, about 2 min" in text(made)
    assert "until the next step  about 2 min" in text(made)


@pytest.mark.parametrize(
    "safe",
    [
        STEADY[:5],
        [0.6 - 0.1 * i for i in range(7)],
        [0.0, 0.3, 0.6, 0.6, 0.6, 0.61, 0.6],
        [-INF] * 7,
        [NAN] * 7,
        [],
    ],
    ids=["too few looks", "it falls", "it stands still", "none yet", "unknown", "no look"],
)
def test_what_cannot_be_foretold_is_not(safe):
    made = running(safe)
    assert until_step(made, BEGIN + 180) is None
    assert "about" not in text(made)
    assert not safe or "not known yet" in text(made)


def test_a_stage_ends_neither_before_its_least_time_nor_is_it_foretold_after_its_longest():
    enough = running([0.2 * i for i in range(7)])
    assert until_step(enough, BEGIN + 20) == Span(40.0, 40.0)
    assert until_step(running([0.001 * i for i in range(7)]), BEGIN + 180) is None
    slow = running([0.02 * i for i in range(7)])
    assert until_step(slow, BEGIN + 180) is None, "nine minutes more than maxDuration leaves"
    late = replace(slow, release=replace(slow.release, invalid_seconds=1e4))
    assert until_step(late, BEGIN + 180) is not None


def test_a_metric_without_a_forecast_leaves_the_step_without_one():
    made = running(STEADY, metrics=(LATENCY, ERRORS))
    point = made.trace[-1]
    latency, errors = point.readings
    unknown = replace(point, readings=(latency, replace(errors, safe=-INF)))
    assert until_step(replace(made, trace=(*made.trace[:-1], unknown)), BEGIN + 180) is None


@pytest.mark.parametrize("width", [80])
@pytest.mark.parametrize("signs", [True, False])
def test_the_tree_fits_into_80_columns(width, signs):
    lines = text(running(STEADY, metrics=(LATENCY, ERRORS)), signs=signs).splitlines()
    assert max(map(len, lines)) <= width
    assert signs or all(line.isascii() for line in lines)
    assert any("stages  [10%] 30%" in line for line in lines)
    assert any("[#####" in line and "2m, min 60s passed, max 10m" in line for line in lines)


def test_harm_that_reverts_is_red_and_named_against_its_threshold():
    lines = tree(seen(running(STEADY, harm=4.7)), BEGIN, signs=True)
    (evidence,) = [line for line in lines if "evidence" in line.text]
    assert "harm 4.7 of the 4.6 nats that revert" in evidence.text
    assert evidence.tone is Tone.BAD


def test_a_bar_shows_the_interval_against_both_margins():
    drawn = Bar(0.02, -0.03, 0.08, math.log(1.05), math.log(1.10)).drawn(signs=False)
    assert len(drawn) == WIDE + 2
    cells = drawn[1:-1]
    assert cells[WIDE // 2] == "|"
    order = [cells.index(sign) for sign in "|o!:"]
    assert order == sorted(order)
    assert cells.strip("[] ").startswith("-")
    worse = Bar(0.5, 0.3, 0.9, 0.05, 0.1).drawn(signs=True)
    assert worse.endswith(">]")
    assert "<" not in worse


@pytest.mark.parametrize("effect", [NAN, INF, -INF, 0.0, 800.0])
@pytest.mark.parametrize("bound", [NAN, INF, 5.0])
@pytest.mark.parametrize("margin", [0.0, 0.1, 5.0])
def test_a_bar_of_anything_has_its_width(effect, bound, margin):
    for signs in (True, False):
        assert len(Bar(effect, -bound, bound, margin, margin).drawn(signs=signs)) == WIDE + 2


def test_get_prints_the_tree_and_the_same_as_data(moments, capsys):
    town = moments.town("observing")
    found = town.run(capsys, "get", NAME)
    for words in (
        "stage 1 of 2",
        "weights canary 10%, baseline 10%, stable 80%",
        "stable  6 of 6 pods ready",
        "canary-2  ready",
        "latency",
        "safety none of 1.0 nats, not known yet",
    ):
        assert words in found.out
    assert "checkout-canary-0" not in found.out
    wide = town.run(capsys, "get", NAME, "-o", "wide").out
    assert "checkout-canary-0" in wide
    assert "Hold WaitingForHistory" in wide
    plain = town.run(capsys, "get", NAME, "-o", "json").json
    assert plain == yaml.safe_load(town.run(capsys, "get", NAME, "-o", "yaml").out)
    assert plain["nextStepSeconds"] is None
    assert town.run(capsys, "get", "-o", "name").out == "causalrollout.causalrollouts.dev/checkout\n"


@pytest.mark.parametrize("command", ["list", "status", "explain", "get"])
@pytest.mark.parametrize("output", ["wide", "json", "yaml"])
def test_every_view_takes_the_same_outputs(moments, capsys, command, output):
    words = [command] if command == "list" else [command, NAME]
    town = moments.town("observing")
    out = town.run(capsys, *words, "-o", output).out
    if output == "yaml":
        assert yaml.safe_load(out) == town.run(capsys, *words, "-o", "json").json
        assert out[0] not in "{[", "JSON is YAML too, and not what was asked for"
    elif output == "wide":
        assert len(out) >= len(town.run(capsys, *words).out)


def test_list_wide_says_why_and_name_is_kubectls(moments, capsys):
    town = moments.town("aborted")
    wide = town.run(capsys, "list", "-o", "wide").out
    assert wide.splitlines()[0].endswith("MESSAGE")
    assert wide.rstrip().endswith("aborted by bob")
    assert town.run(capsys, "list", "-o", "name").out == "causalrollout.causalrollouts.dev/checkout\n"


def test_watched_into_a_pipe_it_prints_a_line_for_each_change_and_ends_with_the_release(moments, capsys):
    town = moments.town("observing", operator=_becomes(moments, "aborted", 30))
    found = town.run(capsys, "get", NAME, "-w")
    assert found.code == Exit.FAILED
    assert "\x1b" not in found.out
    lines = found.out.splitlines()
    assert lines[0].startswith("checkout-1: Observing 1/2, canary 10%")
    assert lines[1] == "checkout-1: latency no estimate yet; safety none of 1.0 nats"
    assert lines[-1] == "checkout-1: Aborted: aborted by bob"
    assert len(lines) == len(set(lines)) == 5
    town = moments.town("observing", operator=_becomes(moments, "aborted", 30))
    assert [one["phase"] for one in town.run(capsys, "get", "-w", "-o", "json").lines][-1] == "Aborted"


class Screen(io.StringIO):
    """A terminal: knows the two movements that are used, and shows what is left of it all."""

    encoding = "utf-8"

    def isatty(self):
        return True

    @property
    def shown(self):
        lines, at = [""], 0
        for part in re.findall(r"\x1b\[\d*[A-Za-z]|\n|[^\x1b\n]+", self.getvalue()):
            if part == "\n":
                at += 1
                lines += [""] * (at + 1 - len(lines))
            elif part.endswith("F") and part.startswith("\x1b"):
                at -= int(part[2:-1])
                assert at >= 0
            elif part == "\x1b[J":
                lines[at:] = [""]
            elif not part.startswith("\x1b"):
                lines[at] += part
        return lines


@pytest.fixture
def screen(monkeypatch):
    found = Screen()
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "50")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return found


def test_on_a_terminal_it_is_drawn_in_place(moments, capsys, screen, monkeypatch):
    town = moments.town("observing", operator=_becomes(moments, "aborted", 12))

    def away(call):
        if 4 <= town.slept < 8:
            raise Broken("the API server does not answer")

    town.api.before = away
    monkeypatch.setattr(sys, "stdout", screen)
    assert town.run(capsys, "get", NAME, "-w").code == Exit.FAILED
    assert screen.getvalue().count("cannot be seen for now") == 2
    assert screen.shown[0] == "checkout  Aborted  (namespace shop)"
    assert sum("namespace shop" in line for line in screen.shown) == 1
    assert not any("cannot be seen" in line for line in screen.shown)


def test_a_small_terminal_shows_the_top(screen, monkeypatch):
    monkeypatch.setattr(sys, "stdout", screen)
    shown = Terminal(live=True, width=20, height=5)
    lines = [Line(f"{i} " + "x" * 40) for i in range(9)]
    assert shown.picture(lines, over=shown.picture(lines)) == 4
    assert screen.shown == ["0 " + "x" * 17, "1 " + "x" * 17, "2 " + "x" * 17, "(6 more lines do no", ""]


def test_colour_is_for_terminals_that_want_it(screen):
    assert terminal(screen, {"TERM": "xterm"}).colour
    assert terminal(screen, {"TERM": "xterm", "NO_COLOR": ""}).colour
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert not terminal(screen, environment).colour
    assert terminal(screen, {}).signs
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert terminal(plain, {}) == Terminal()


def test_colour_is_ours_alone(screen, monkeypatch):
    monkeypatch.setattr(sys, "stdout", screen)
    Terminal(colour=True).picture([Line("a\x1b[2Jb\nc", Tone.BAD), Line("d")])
    assert screen.getvalue() == "\x1b[31ma\N{REPLACEMENT CHARACTER}[2Jb c\x1b[0m\nd\n"


def test_signs_that_stdout_does_not_know_are_no_error(monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    Terminal().picture([Line("grün")])
    assert out.buffer.getvalue() == b"gr?n\n"


def test_ctrl_c_ends_the_watch_with_130():
    code = (
        # Whoever runs in the background inherits that the signal is ignored.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys; sys.path[:0] = ['operator', '.']\n"
        "from contextlib import asynccontextmanager\n"
        "from causal_rollouts.cli import get\n"
        "from causal_rollouts.cli.main import main\n"
        "from causal_rollouts.cli.cluster import Cluster, RealTime\n"
        "from causal_rollouts.cli.standing import Standing, State\n"
        "import causal_rollouts.cli.watching as watching\n"
        "async def standing(cluster, name): return Standing(name, 'shop', State.RUNNING, 'Paused', 'x')\n"
        "watching.standing = standing\n"
        "@asynccontextmanager\n"
        "async def opener(where): yield Cluster(None, 'shop', RealTime())\n"
        "sys.exit(main(['get', 'checkout', '-w'], opener))\n"
    )
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ}
    ) as process:
        try:
            assert process.stdout.readline().startswith("checkout: Paused")
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == Exit.INTERRUPTED
            assert process.stderr.read() == ""
        finally:
            process.kill()
