import pytest

from tests.contract.labs import in_process, on_cluster


@pytest.fixture(scope="session")
def installed():
    """CRDs, roles and admission policies on the real cluster."""
    from e2e.cluster import state
    from e2e.operator_host import install

    install(state.load())


@pytest.fixture(params=["in-process", pytest.param("cluster", marks=pytest.mark.cluster)])
async def lab(request):
    if request.param == "cluster":
        request.getfixturevalue("installed")
    async with in_process() if request.param == "in-process" else on_cluster() as made:
        yield made
