import pytest

from e2e.demo import build


@pytest.fixture
def sources(tmp_path):
    (tmp_path / "service").mkdir()
    for name, text in {
        "go.mod": "module x\n",
        "go.sum": "",
        "service/main.go": "package main\n",
        "service/main_test.go": "package main\n",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("changed", ["go.mod", "go.sum", "service/main.go"])
def test_a_change_of_the_source_is_built_anew(sources, changed):
    before = build.sources_key(sources)
    assert build.sources_key(sources) == before
    (sources / changed).write_text("// other\n")
    assert build.sources_key(sources) != before


def test_a_change_of_a_test_is_not(sources):
    before = build.sources_key(sources)
    (sources / "service/main_test.go").write_text("// other\n")
    assert build.sources_key(sources) == before


def test_what_is_built_is_taken_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSAL_ROLLOUTS_CACHE", str(tmp_path))
    monkeypatch.setattr(build.toolchain, "go", lambda *_: pytest.fail("the compiler was asked for"))
    key = build.sources_key()
    (tmp_path / f"demo-{key}").mkdir()
    binaries = build.build()
    assert binaries.image == f"localhost/causal-rollouts-demo:{key}"
    assert binaries.backend_image == f"localhost/causal-rollouts-demo-backend:{key}"
    assert binaries.load == tmp_path / f"demo-{key}" / "load"
