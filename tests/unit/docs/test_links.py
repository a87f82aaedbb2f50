"""Every link within the repository leads somewhere, and every page can be found on the site."""

import pytest
import yaml

from e2e.api.manifests import ROOT
from tests.unit.docs.pages import NAMES, anchors, links


@pytest.mark.parametrize("page", NAMES)
def test_each_relative_link_and_anchor_leads_somewhere(page: str):
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        assert target.resolve().is_relative_to(ROOT), f"{page}: {link} leads out of the repository"
        if anchor:
            assert anchor in anchors(target.resolve()), f"{page}: {link} names no heading"


def test_there_are_links_to_check():
    assert sum(len(links(page)) for page in NAMES) > 60


def listed(node: object) -> list[str]:
    match node:
        case str():
            return [node]
        case dict():
            return [found for inner in node.values() for found in listed(inner)]
        case list():
            return [found for inner in node for found in listed(inner)]
    return []


def test_every_page_stands_in_the_navigation_of_the_site():
    text = (ROOT / "mkdocs.yml").read_text()
    inside = {page.removeprefix("docs/") for page in NAMES if page.startswith("docs/")}
    named = listed(yaml.safe_load(text)["nav"])
    assert inside <= set(named), "add the page to nav in mkdocs.yml"
    assert len(named) == len(set(named))
