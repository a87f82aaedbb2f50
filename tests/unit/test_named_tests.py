"""A page that names a test names one that is there."""

import re

import pytest

from e2e.api.manifests import ROOT

NAMED = re.compile(r"`((?:unit|contract|e2e)/[\w/*]+\.py)`(?: (\w+_\w+))?")


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/failure-modes.md"])
def test_each_test_that_a_page_names_is_there(page: str) -> None:
    found = NAMED.findall((ROOT / page).read_text())
    assert len(found) > 15
    for path, words in found:
        files = list((ROOT if path.startswith("e2e/") else ROOT / "tests").glob(path))
        assert files, path
        names = [name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())]
        assert any(words in name for name in names), f"{path}: {words}"
