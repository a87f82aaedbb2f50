import pytest

from tests.contract.labs import in_process, on_cluster

LABS = {"in-process": in_process, "cluster": on_cluster}


@pytest.fixture(params=["in-process", pytest.param("cluster", marks=pytest.mark.cluster)])
async def lab(request):
    async with LABS[request.param]() as made:
        yield made
