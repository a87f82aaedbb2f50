"""Who wrote, as a watch tells it: by the time of each manager's entry."""

import io
import json
import subprocess
from collections import Counter

from e2e.gitops import written


def version(**times: str) -> str:
    fields = [
        {"manager": name.replace("_", "-"), "operation": "Apply", "time": when, "fieldsV1": {}}
        for name, when in times.items()
    ]
    return json.dumps({"metadata": {"managedFields": fields}}, indent=4) + "\n"


def counted(*versions: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    process = subprocess.Popen(["true"], stdout=subprocess.PIPE, text=True)
    with process:
        process.communicate()
        process.stdout = io.StringIO("".join(versions))
        written._count(process, found)
    return dict(found)


def test_the_state_in_which_it_was_found_is_no_write():
    assert counted(version(flux="1", operator="1")) == {}


def test_a_new_time_is_a_write_of_that_manager_alone():
    assert counted(version(flux="1", operator="1"), version(flux="1", operator="2")) == {"operator": 1}


def test_a_manager_that_comes_later_wrote():
    assert counted(version(flux="1"), version(flux="1", operator="1")) == {"operator": 1}


def test_one_that_is_gone_did_not():
    assert counted(version(flux="1", operator="1"), version(flux="1")) == {}


def test_every_version_counts():
    assert counted(*(version(flux=str(at)) for at in range(4))) == {"flux": 3}
