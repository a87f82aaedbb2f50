"""Takes out of an image's environment what the operator never reads, and compiles only what it does.

Run by the environment's own Python: slim.py FOLDER. Tests, type stubs and C headers go. Bytecode of
everything would double the client's thousands of models, of which a few are ever imported.
"""

import importlib
import pkgutil
import shutil
import sys
from pathlib import Path

USELESS = ("*.pyi", "*.pxd", "*.h", "*.c", "*.a", "*.f")
EXTRA = ("prometheus_api_client", "statsmodels")
"""Of a workstation: the image has neither, and what needs them stays as it is."""
LAZY = ("scipy.stats", "kubernetes.aio.config.incluster_config", "kopf._cogs.clients.watching")
"""Imported while the operator runs, not when it starts."""


def main() -> None:
    """Slim the environment in the folder that is named."""
    environment = Path(sys.argv[1])
    for folder in list(environment.rglob("tests")):
        if folder.is_dir() and (folder.parent / "__init__.py").exists():
            shutil.rmtree(folder)
    for pattern in USELESS:
        for file in list(environment.rglob(pattern)):
            file.unlink()
    import causal_rollouts

    found = pkgutil.walk_packages(causal_rollouts.__path__, "causal_rollouts.")
    for name in (*(module.name for module in found), *LAZY):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as lacking:
            if str(lacking.name).partition(".")[0] not in EXTRA:
                raise


if __name__ == "__main__":
    main()
