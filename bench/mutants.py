"""Mutation tests of the safety argument: `decision/` changed in every way mutmut knows, against its tests.

mutmut wants its sources in `src` and leaves properties alone, so it works on a
copy in `build/mutants` in which the package lies there and properties are
methods first. Fails under 95%.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
WORK = ROOT / "build" / "mutants"
LEAST = 0.95
CONFIG = """
[tool.pytest.ini_options]
pythonpath = ["src", "."]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/causal_rollouts/decision/*"]
pytest_add_cli_args_test_selection = ["tests/unit/decision"]
use_git_change_detection = false
track_dependencies = false
"""


def prepare() -> None:
    """The copy that mutmut works on."""
    shutil.rmtree(WORK, ignore_errors=True)
    kept = shutil.ignore_patterns("__pycache__")
    for part in ("model", "decision"):
        target = WORK / "src" / "causal_rollouts" / part
        shutil.copytree(ROOT / "operator" / "causal_rollouts" / part, target, ignore=kept)
    shutil.copy(ROOT / "operator/causal_rollouts/__init__.py", WORK / "src/causal_rollouts")
    shutil.copytree(ROOT / "tests/unit/decision", WORK / "tests/unit/decision", ignore=kept)
    for file in ("tests/__init__.py", "tests/conftest.py", "tests/unit/__init__.py"):
        shutil.copy(ROOT / file, WORK / file)
    for path in (WORK / "src/causal_rollouts/decision").glob("*.py"):
        path.write_text(without_properties(path.read_text()))
    (WORK / "pyproject.toml").write_text(CONFIG)


def without_properties(source: str) -> str:
    """Each `@property def x` becomes `def _x` and `x = property(_x)`."""
    found = re.compile(r"    @property\n    def (\w+)(.*?\n)(?=\n    \S|\n\n|\Z)", re.DOTALL)
    return found.sub(r"    def _\1\2\n    \1 = property(_\1)\n", source)


def main() -> int:
    """Run, print the score and what survived."""
    prepare()
    mutmut = Path(sys.executable).parent / "mutmut"
    subprocess.run([mutmut, "run"], cwd=WORK, check=False, stdout=subprocess.DEVNULL)
    subprocess.run([mutmut, "export-cicd-stats"], cwd=WORK, check=True, stdout=subprocess.DEVNULL)
    told = json.loads((WORK / "mutants" / "mutmut-cicd-stats.json").read_text())
    left = subprocess.run([mutmut, "results"], cwd=WORK, check=True, capture_output=True, text=True).stdout
    caught = told["killed"] + told.get("timeout", 0)
    share = caught / max(told["total"], 1)
    print(left.rstrip())
    print(f"{caught} of {told['total']} mutants of decision/ killed: {share:.1%}; {LEAST:.0%} are asked")
    return 0 if share >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
