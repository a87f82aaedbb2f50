"""The pages as a reader meets them: links, headings, snippets, commands.

A snippet is exempt where the line before it is `<!-- not tested: WHY -->`.
"""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from e2e.api.manifests import ROOT

PAGES = sorted(
    [ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    + list((ROOT / "docs").rglob("*.md"))
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
EXEMPT = re.compile(r"^<!-- not tested: \S.* -->$")
PART_OF = re.compile(r"^<!-- of a (\w+)'s spec -->$")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?<=\n\n)((?: {4}.*\n|\n(?= {4}))+)")
_SPAN = re.compile(r"`([^`]+)`")
_FILE = re.compile(r"`([\w.-]+\.yaml)`:$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Snippet:
    """before: the line above it, which may be a marker. line: where it begins, for messages."""

    page: str
    line: int
    language: str
    text: str
    before: str

    @property
    def exempt(self) -> bool:
        return bool(EXEMPT.match(self.before))

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"


def read(page: str | Path) -> str:
    return (ROOT / page).read_text()


def prose(text: str) -> str:
    """Without snippets, in which brackets are no links."""
    return _INDENTED.sub("\n", _FENCE.sub("", text))


def links(page: str) -> list[str]:
    return _LINK.findall(_SPAN.sub("", prose(read(page))))


def anchors(page: str | Path) -> set[str]:
    """As the repository's host and the site both name headings."""
    return {anchor(heading) for heading in _HEADING.findall(_FENCE.sub("", read(page)))}


def anchor(heading: str) -> str:
    bare = re.sub(r"[^\w\s-]", "", _LINK.sub("", heading).replace("`", ""))
    return re.sub(r"\s", "-", bare.strip().lower())


def snippets(page: str) -> Iterator[Snippet]:
    text = read(page)
    for found in _FENCE.finditer(text):
        yield _snippet(page, text, found.start(), found[1], found[2])
    for found in _INDENTED.finditer(_blank(text)):
        yield _snippet(page, text, found.start(), "", textwrap.dedent(found[1]))


def files(page: str) -> dict[str, str]:
    """Files that a reader saves: a snippet below a line that ends with `NAME.yaml`:"""
    named = ((_FILE.search(snippet.before), snippet.text) for snippet in snippets(page))
    return {found[1]: text for found, text in named if found}


def spans(page: str) -> list[str]:
    """Code within sentences, on one line."""
    return [" ".join(found.split()) for found in _SPAN.findall(prose(read(page)))]


def commands(page: str) -> Iterator[tuple[str, str]]:
    """Where, and one command as a shell reads it: of snippets, and of sentences that quote one."""
    for snippet in snippets(page):
        if not snippet.exempt and snippet.language in {"", "sh", "bash"}:
            joined = re.sub(r"\\\n\s*", "", snippet.text)
            yield from ((snippet.where, line.strip()) for line in joined.splitlines() if line.strip())
    yield from ((page, span) for span in spans(page))


def _snippet(page: str, text: str, start: int, language: str, body: str) -> Snippet:
    above = text[:start].rstrip("\n").rpartition("\n")[2]
    return Snippet(page, text.count("\n", 0, start) + 1, language, body, above)


def _blank(text: str) -> str:
    """With fenced snippets as empty lines, so that positions stay."""
    return _FENCE.sub(lambda found: "-" + re.sub(r"[^\n]", "-", found[0])[1:], text)
