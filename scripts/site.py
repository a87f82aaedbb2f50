"""Lets the site hold what lies outside of docs/: its pages link to the README, to SECURITY.md, to examples.

A hook of MkDocs (mkdocs.yml), which knows one folder only. In the repository the same links work as they stand.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "threats.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Pages beside docs/, and what they are called on the site."""

LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, and every file that any page links to."""
    texts = {f"docs/{file.src_uri}": file.content_string for file in files.documentation_pages()}
    for source, name in PAGES.items():
        texts[source] = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=texts[source]))
    linked = {target for source, text in texts.items() for target in _targets(source, text)}
    for target in sorted(linked):
        if (ROOT / target).is_file() and target not in PAGES and not target.startswith("docs/"):
            files.append(File(target, str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links of the repository into links of the site; a folder is no page, so its link goes."""
    there = next((source for source, name in PAGES.items() if name == page.file.src_uri), None)
    source = there or f"docs/{page.file.src_uri}"
    here = posixpath.dirname(page.file.src_uri)

    def turned(link: re.Match[str]) -> str:
        text, target, anchor = link[1], _resolved(source, link[2]), link[3] or ""
        if target is None:
            return link[0]
        if (ROOT / target).is_dir():
            return text
        name = PAGES.get(target) or target.removeprefix("docs/")
        return f"[{text}]({posixpath.relpath(name, here or '.')}{anchor})"

    return LINK.sub(turned, markdown)


def _targets(source: str, text: str) -> Iterator[str]:
    found = (_resolved(source, link[2]) for link in LINK.finditer(text))
    yield from (target for target in found if target is not None)


def _resolved(source: str, target: str) -> str | None:
    """The path in the repository; None of what leads out of it."""
    if "://" in target or target.startswith("mailto:"):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
