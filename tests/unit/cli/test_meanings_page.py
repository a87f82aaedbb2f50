from causal_rollouts.cli.meanings_page import page
from causal_rollouts.model.reasons import Reason
from e2e.api.manifests import ROOT


def test_the_committed_page_has_every_reason_in_todays_words():
    assert (ROOT / "docs" / "reasons.md").read_text() == page(), "run `make crds` and commit the result"
    assert all(f"\n## {reason}\n" in page() for reason in Reason)
