"""The walkthrough is a release from its first line to its report, and every command shows what it printed."""

import shlex
from pathlib import Path

import pytest

from causal_rollouts.cli.arguments import parse
from e2e.transcript.notebook import HEAD, Notebook
from tests.unit.docs.pages import read, snippets

PAGE = "docs/walkthrough.md"
VERBS = ["lint", "plan", "get", "status", "explain", "pause", "resume", "approve", "list", "verify", "report"]
TYPED = [s for s in snippets(PAGE) if s.language == "sh"]


@pytest.mark.parametrize("snippet", TYPED, ids=lambda snippet: snippet.text.strip())
def test_a_command_is_one_that_the_parser_knows(snippet):
    program, *words = shlex.split(snippet.text)
    assert program == "causal-rollouts"
    assert parse(program, words).command


def test_the_whole_life_of_a_release_is_there_in_its_order():
    verbs = [shlex.split(snippet.text)[1] for snippet in TYPED]
    assert list(dict.fromkeys(verbs)) == VERBS
    assert "causal-rollouts get checkout -w\n" in [s.text for s in TYPED]


def test_each_command_is_followed_by_what_it_printed_and_by_its_end():
    blocks = [s.language for s in snippets(PAGE) if s.language in {"sh", "text"}]
    assert blocks == ["sh", "text"] * len(TYPED)
    page = read(PAGE)
    assert page.startswith(HEAD)
    assert "It ended with 1." in page.partition("## A release that is slow")[2]


def test_the_page_names_no_place_of_a_machine():
    assert not any(place in read(PAGE) for place in ("/tmp/", "/home/", "/root/", str(Path.cwd())))


def test_a_command_that_says_nothing_has_no_empty_block():
    book = Notebook([])
    book.command("true", " \n", 0)
    book.command("false", "no", 1)
    assert book.page() == "```sh\ntrue\n```\n\n```sh\nfalse\n```\n\n```text\nno\n```\n\nIt ended with 1.\n"
