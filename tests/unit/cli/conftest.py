import pytest

from tests.unit.cli.town import play


@pytest.fixture(scope="session")
def moments():
    return play()
