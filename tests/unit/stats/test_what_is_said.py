"""Whoever referees the statistics reads in every function of which kind its guarantee is."""

import ast
import re
from pathlib import Path

import causal_rollouts.stats

KIND = re.compile(r"\b(exact|asymptotic|model|numerical|monte carlo)\b", re.IGNORECASE)


def public():
    """(place, docstring) of each public function."""
    for path in sorted(Path(causal_rollouts.stats.__path__[0]).glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            overloaded = isinstance(node, ast.FunctionDef) and any(
                isinstance(mark, ast.Name) and mark.id == "overload" for mark in node.decorator_list
            )
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not overloaded:
                yield f"{path.name}: {node.name}", ast.get_docstring(node) or ""


def test_every_public_function_says_of_which_kind_it_is():
    said = list(public())
    assert len(said) > 50
    assert [place for place, text in said if not KIND.search(text)] == []
