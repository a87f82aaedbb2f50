"""`python -m e2e.transcript`: play the release, check how it ends, and write docs/walkthrough.md."""

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

from e2e import rollouts
from e2e.api.manifests import ROOT
from e2e.demo.manifests import App
from e2e.embedded.scene import CLIMATE, HARMS, HISTORY
from e2e.embedded.world import EmbeddedWorld
from e2e.transcript.desk import Desk

PAGE = ROOT / "docs" / "walkthrough.md"
RECORDING = ROOT / "tests" / "recordings" / "slow-node"
STAGES = [
    {"weight": 10, "minDuration": "30s", "maxDuration": "15m"},
    {"weight": 30, "minDuration": "30s", "maxDuration": "15m", "approval": {"required": 1}},
]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        desk = Desk(EmbeddedWorld(CLIMATE, HARMS))
        _before(desk)
        _bad(desk)
        _good(desk)
        _after(desk)
    PAGE.write_text(desk.notebook.page())
    print(f"wrote {os.path.relpath(PAGE)}")
    return 0


def _before(desk: Desk) -> None:
    desk.notebook.chapter(
        "Before",
        "The platform team keeps a policy, the app team twelve lines and its stages. `lint` reads them\n"
        "without a cluster. `plan` takes a past of the service, here a recording from a real cluster, and\n"
        "says what a release could show at that traffic.",
    )
    rollout = rollouts.rollout(App("demo", desk.world.name, "shop"), stages=STAGES)
    for name, obj in (("policy.yaml", rollouts.policy()), ("checkout.yaml", rollout)):
        text = yaml.safe_dump(obj, sort_keys=False)
        Path(name).write_text(text)
        desk.notebook.file(name, text)
    shutil.copytree(RECORDING, "past")
    desk.type("causal-rollouts lint -f policy.yaml -f checkout.yaml --scrape 2.5")
    desk.type("causal-rollouts plan -f checkout.yaml --policy policy.yaml --recording past --scrape 2.5")
    desk.notebook.text(
        "Git applies both (`kubectl apply -f policy.yaml -f checkout.yaml`), and nothing moves."
    )
    desk.world.apply(rollouts.policy(), rollout)
    desk.world.run(HISTORY)
    desk.type("causal-rollouts get checkout")


def _bad(desk: Desk) -> None:
    desk.notebook.chapter(
        "A release that is slow",
        "Git applies `v3`, whose answers take 1.6 times as long. `get -w` tells each change and is stopped\n"
        "here after half a minute; `status --watch` waits for the end and says by its exit code how it was.",
    )
    desk.world.request("v3")
    desk.type("causal-rollouts get checkout -w", seconds=30)
    assert desk.type("causal-rollouts status checkout --watch") == 1
    desk.type("causal-rollouts explain checkout")
    desk.notebook.text("Git goes back to `v1`, which is let through at once: it is what runs.")
    desk.world.request("v1")
    desk.world.run(60, lambda: not desk.world.target()["spec"].get("paused"))


def _good(desk: Desk) -> None:
    desk.notebook.chapter(
        "A release that is as good",
        "Git applies `v2`. Somebody pauses it and says why; harm would still revert it. The step beyond 30%\n"
        "waits for somebody who agrees.",
    )
    desk.world.request("v2")
    desk.wait("Observing")
    desk.world.run(15)
    desk.type("causal-rollouts get checkout")
    assert desk.type("causal-rollouts pause checkout --reason 'the newsletter goes out at nine'") == 0
    desk.world.run(30)
    desk.type("causal-rollouts status checkout")
    desk.type("causal-rollouts resume checkout --reason 'it is out'")
    desk.wait("AwaitingApproval")
    desk.type("causal-rollouts explain checkout")
    assert desk.type("causal-rollouts approve checkout --reason 'graphs look fine'") == 0
    assert desk.type("causal-rollouts status checkout --watch") == 0


def _after(desk: Desk) -> None:
    desk.notebook.chapter(
        "After",
        "The ledger is computed again from its first record; the report is one HTML file without script.",
    )
    desk.world.run(30)
    desk.type("causal-rollouts list")
    assert desk.type("causal-rollouts verify checkout") == 0
    desk.type("causal-rollouts report checkout")


if __name__ == "__main__":
    sys.exit(main())
