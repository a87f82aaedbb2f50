"""`make demo` where it cannot run: said at once, and the same story told elsewhere."""

from e2e.story import __main__ as story


def test_somebody_elses_cluster_is_named_and_left_alone(tmp_path, monkeypatch, capsys):
    theirs = tmp_path / "kubeconfig"
    monkeypatch.setenv("KUBECONFIG", str(theirs))
    monkeypatch.setattr(story.subprocess, "run", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(story, "_embedded", lambda: 0)
    assert story.main([]) == story.NO_CLUSTER
    said = capsys.readouterr().out
    assert str(theirs) in said
    assert "docs/quickstart.md" in said


def test_the_cluster_that_was_made_here_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSAL_ROLLOUTS_RUN", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfigs" / "admin"))
    asked = []

    class Failed:
        returncode = 2

    monkeypatch.setattr(story.subprocess, "run", lambda words, **_: asked.append(words[-2:]) or Failed)
    assert story.main([]) == Failed.returncode
    assert asked == [["e2e.cluster", "up"]]
