import pytest
import yaml

from causal_rollouts.analysis.manifest import manifest
from causal_rollouts.analysis.recording import write
from tests.unit.analysis.pasts import long_recording, registration
from tests.unit.cli.town import play


@pytest.fixture(scope="session")
def moments():
    return play()


@pytest.fixture(scope="session")
def recording(tmp_path_factory):
    """A directory with a past that is long enough for `plan` and `aa`."""
    path = tmp_path_factory.mktemp("long")
    write(long_recording(), path)
    return path


@pytest.fixture(scope="session")
def rollout(tmp_path_factory):
    """The manifest that goes with it."""
    path = tmp_path_factory.mktemp("manifest") / "rollout.yaml"
    path.write_text(yaml.safe_dump(manifest(registration())))
    return path
