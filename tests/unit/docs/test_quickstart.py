"""What the quickstart promises of itself; e2e/chart/test_quickstart.py types it on a cluster."""

import itertools

from tests.unit.docs.pages import files, snippets

PAGE = "docs/quickstart.md"


def test_the_manifest_is_of_twelve_lines():
    assert len(files(PAGE)["checkout.yaml"].splitlines()) == 12


def test_a_file_that_a_command_reads_is_one_that_the_page_shows_or_makes():
    words = " ".join(s.text for s in snippets(PAGE) if s.language == "sh").split()
    named = {file for flag, file in itertools.pairwise(words) if flag == "-f"}
    assert named == {*files(PAGE), "values.yaml"}
    assert "--local values.yaml" in " ".join(words)
