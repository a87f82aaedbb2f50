"""A report as a browser shows it: light and dark, on a page, a phone and paper. `make browser` runs it."""

import math
import os
from dataclasses import replace
from pathlib import Path

import pytest

from causal_rollouts.analysis.recording import read
from causal_rollouts.analysis.second_opinion import second_opinion
from causal_rollouts.model.checks import Check, CheckName
from causal_rollouts.model.segment import Axis, Segment, SegmentEvidence
from causal_rollouts.web.report import page
from tests.browser.looking import CLIPPED, OVERLAPPING, SPILLED, keys, wide
from tests.unit.web.records import BEGIN, record
from tests.unit.web.test_report import with_evidence

pytestmark = pytest.mark.browser

RECORDING = Path(__file__).parent.parent / "recordings" / "slow-node"
LARGEST = 1_500_000
WIDTHS = (1400, 820, 380)
EVERY_VIEW = [(scheme, width) for scheme in ("light", "dark") for width in WIDTHS]
SENTENCE = "the candidate causes harm: latency +49.2% (+28.4% to +82.2%) against baseline; evidence 7.5 nats"


def a_record(name):
    """With everything that a report can show of one release."""
    parts = [
        SegmentEvidence(
            Segment("latency", Axis.LABEL, value, "route"), at, at - 0.1, at + 0.2, 3.0, 0.05, acts=False
        )
        for value, at in (("/pay", 0.3), ("/a/path/that/goes/on/and/on/and/on", 0.01))
    ]
    checks = [
        Check(CheckName.BALANCE, 1.0, 2 / 3, ok=False, note="places of the canary a 100%"),
        Check(CheckName.OVERLAP, 0.8, 0.5, ok=True, note="80% of the canary's pods have a control"),
        Check(CheckName.LOAD, math.nan, 0.05, ok=None, note="too few requests"),
    ]
    made = with_evidence(record(name, SENTENCE), segments=tuple(parts), checks=tuple(checks))
    before = replace(made.release.timeline[0], time=BEGIN + 20, stage=None)
    return replace(made, release=replace(made.release, timeline=(before, *made.release.timeline)))


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    records = [a_record("checkout-7"), a_record("checkout-8")]
    path.write_text(page("Releases of checkout", records, ["  0:00  told"], second_opinion(read(RECORDING))))
    return path


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(params=EVERY_VIEW, ids=lambda view: f"{view[0]}-{view[1]}")
def shown(request, browser, html):
    """The report, laid out. What the console said is in `said`."""
    scheme, width = request.param
    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab.said = []
    tab.on("console", lambda message: tab.said.append(message.text))
    tab.on("pageerror", lambda error: tab.said.append(str(error)))
    tab.goto(html.as_uri())
    yield tab
    tab.close()


def test_nothing_is_said_on_the_console_and_nothing_scrolls_sideways(shown):
    assert shown.said == []
    assert wide(shown) == 0
    assert shown.evaluate(SPILLED) == []


def test_no_word_of_a_plot_is_clipped_or_lies_on_another(shown):
    assert shown.evaluate(CLIPPED) == []
    assert shown.evaluate(OVERLAPPING) == []


def test_each_plot_is_shown_once_with_a_name_and_a_text_alternative(shown):
    figures = shown.locator("figure").count()
    pictures = shown.get_by_role("img")
    assert figures > 20
    assert pictures.count() == figures, "one for each, and none that is hidden"
    for picture in pictures.all():
        names = picture.get_attribute("aria-labelledby").split()
        texts = [shown.locator(f"#{name}").text_content() for name in names]
        assert all(len(text) > 5 for text in texts), texts


def test_axe_finds_nothing(shown):
    from axe_playwright_python.sync_playwright import Axe

    shown.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    found = Axe().run(shown).response["violations"]
    assert [(v["id"], [node["html"][:120] for node in v["nodes"]][:3]) for v in found] == []


def test_keys_come_to_links_and_what_opens_in_the_order_of_the_page(shown):
    asks = (
        'SUMMARY Are users of Deployment "shop/checkout" worse off with the candidate than with the stable '
    )
    *links, first, one, second, other = keys(shown)
    assert links == ["A checkout-7", "A checkout-8"]
    assert [first.startswith(asks), second.startswith(asks)] == [True, True]
    assert [one, other] == ["SUMMARY Every look in numbers"] * 2


def test_paper_has_every_look_and_the_broad_plots(browser, html):
    tab = browser.new_page(color_scheme="dark")
    tab.goto(html.as_uri())
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    looks = tab.locator("details table").first.bounding_box()
    assert looks is not None
    assert looks["height"] > 100
    assert tab.locator("figure > svg.slim:visible").count() == 0
    assert len(tab.pdf()) > 50_000
    tab.close()


def test_it_is_small(html):
    assert html.stat().st_size < LARGEST
