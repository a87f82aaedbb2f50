"""Only what the cluster started is ever stopped."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from e2e.cluster.programs import Identity, Program, Programs
from e2e.cluster.progress import wait_for
from e2e.cluster.trouble import ClusterTrouble

SLEEPER = Program("sleeper", (sys.executable, "-c", "import time; time.sleep(60)"))


@pytest.fixture
def programs(tmp_path):
    found = Programs(tmp_path)
    yield found
    found.stop(found.names(), 2)


def test_a_recycled_pid_is_somebody_else():
    mine = Identity.of(os.getpid())
    assert mine is not None
    assert mine.is_alive()
    assert not replace(mine, started=mine.started - 1).is_alive()


def test_a_pid_of_another_boot_is_somebody_else():
    mine = Identity.of(os.getpid())
    assert mine is not None
    assert not replace(mine, boot="another").is_alive()


def test_a_name_with_brackets_and_blanks_does_not_shift_the_start_time(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7/stat").write_text("7 (a) S 1 (b) S 1 " + " ".join(str(n) for n in range(5, 53)))
    found = Identity.of(7, tmp_path)
    assert found is not None
    assert found.started == 22


def test_a_corpse_does_not_count_as_running():
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert Identity.of(child.pid) is None
    child.wait()


def test_a_second_start_leaves_the_first_alone(programs):
    programs.start(SLEEPER)
    first = programs.identity("sleeper")
    programs.start(SLEEPER)
    assert programs.identity("sleeper") == first


POLITE = """
import signal, sys, time
def leave(*_):
    sys.exit("goodbye")
signal.signal(signal.SIGTERM, leave)
print("settled", flush=True)
time.sleep(60)
"""


def test_stop_lets_a_frozen_program_end_by_itself(programs):
    programs.start(Program("polite", (sys.executable, "-c", POLITE)))
    wait_for("the program to settle", lambda: "settled" in programs.last_words("polite"), 30)
    programs.pause("polite")
    programs.stop(["polite"], 5)
    assert "goodbye" in programs.last_words("polite")
    assert programs.names() == []


def test_a_program_whose_note_was_never_written_is_still_found(programs, tmp_path):
    programs.start(SLEEPER)
    identity = programs.identity("sleeper")
    # The kernel shows an environment a moment after it has let go of the old program.
    wait_for("the program to carry our mark", lambda: identity in list(programs.strays()), 30)
    assert identity not in list(Programs(tmp_path / "elsewhere").strays())


def test_a_program_that_died_is_told_with_its_last_words(programs):
    # Long enough to be seen as started: one that ends before is told by `start` itself.
    dies = "import time; time.sleep(0.5); raise SystemExit('port taken')"
    programs.start(Program("loser", (sys.executable, "-c", dies)))
    identity = programs.identity("loser")
    if identity:
        os.waitid(os.P_PID, identity.pid, os.WEXITED)
    with pytest.raises(ClusterTrouble, match="loser does not run"):
        programs.check("loser")
