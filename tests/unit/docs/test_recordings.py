"""The page of recordings shows each file: what it shows is a recording, and can be replayed."""

import gzip
import re

from causal_rollouts.analysis.recording import FILES, read
from causal_rollouts.analysis.replay import replay
from tests.unit.docs.pages import read as page

FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)


def test_what_the_page_shows_is_a_recording(tmp_path):
    shown = dict(FILE.findall(page("docs/recordings.md")))
    assert {*FILES} <= shown.keys()
    for name, text in shown.items():
        pack = gzip.compress if name.endswith(".gz") else bytes
        (tmp_path / name).write_bytes(pack(text.encode()))
    recording = read(tmp_path)
    assert [pod.arm for pod in recording.pods] == ["stable", "baseline", "canary"]
    assert len(recording.looks) == 2
    assert [line.reason for line in replay(recording)]
    (tmp_path / "looks.jsonl").unlink()
    assert len(list(replay(read(tmp_path)))) > 2
