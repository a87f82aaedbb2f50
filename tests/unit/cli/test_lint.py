"""`lint`: what a cluster would refuse, by line, without one; and never a stack, whatever a file holds."""

import io
import json
import sys

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from causal_rollouts.api.strict import refused
from causal_rollouts.cli.exits import Exit
from causal_rollouts.cli.main import main
from causal_rollouts.cli.yaml_tree import Flaw, document, documents
from e2e.api.manifests import EXAMPLES, REJECTED, ROOT, Rejected

GOOD = """apiVersion: causalrollouts.dev/v1alpha1
kind: CausalRollout
metadata:
  name: checkout
spec:
  targetRef: {name: checkout}
  traffic: {service: checkout, httpRoutes: [{name: checkout}]}
"""
POLICY = """---
apiVersion: causalrollouts.dev/v1alpha1
kind: RolloutPolicy
metadata: {name: standard}
spec:
  guardrails: {maxAlphaRevert: "0.01", minStageDuration: 5m}
"""
NAMESPACE = """---
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {causalrollouts.dev/policy: standard}}
"""


@pytest.fixture
def lint(tmp_path, capsys):
    """Lints a text as the file `rollout.yaml`: the code, the findings, the rest of the JSON."""

    def judged(text, *more):
        path = tmp_path / "rollout.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        code = main(["lint", "-f", str(path), "-o", "json", *more])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        said = json.loads(out)
        lines = [
            f"{f['line']}:{f['column']}: {f['field']}: {f['what']}; {f['fix']}" for f in said["findings"]
        ]
        assert code == (Exit.FAILED if lines else Exit.OK)
        return lines, said

    return judged


def test_the_examples_are_clean(capsys):
    assert main(["lint", "-f", str(ROOT / "examples")]) == Exit.OK
    assert capsys.readouterr().out.startswith("7 checked, 3 of other kinds")


ONLY_A_SERVER = {"record-registered-anew", "record-without-a-registration"}
"""Records are written by the operator, and are no manifests."""


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.stem)
def test_a_file_that_the_api_server_refuses_is_found(lint, path):
    lines, _ = lint(path.read_bytes())
    if path.stem in ONLY_A_SERVER:
        assert lines == []
        return
    case = Rejected.read(path)
    field = case.field.partition(" is ")[0]
    if path.stem == "target-changed":
        field = "metadata.name"
    assert len(lines) == 1
    named = lines[0].split(": ")[1]
    # Of two items with one name, the API server names the second and we the list.
    assert named.startswith(field) or field.partition("[1]")[0] == named


def test_a_finding_is_at_the_field_and_a_missing_one_at_its_parent(lint):
    lines, _ = lint(
        GOOD.replace("targetRef: {name", "targetRef: {nam")
        + "  stages:\n  - weight: 90\n    minDuration: 5m\n    maxDuration: 30m\n"
    )
    assert [line.split("; ")[0] for line in lines] == [
        "6:3: spec.targetRef.name: is missing",
        "6:15: spec.targetRef.nam: is not known here",
        "9:5: spec.stages[0].weight: 90 is too large",
    ]


def test_text_output_is_what_editors_read(tmp_path, capsys):
    path = tmp_path / "a.yaml"
    path.write_text(GOOD.replace("targetRef", "targetref"))
    assert main(["lint", "-f", str(path)]) == Exit.FAILED
    first, second, summary = capsys.readouterr().out.splitlines()
    assert first == f"{path}:5:1: spec.targetRef: is missing; add it"
    assert second == f"{path}:6:3: spec.targetref: is not known here; write targetRef, or remove it"
    assert summary == "1 checked, 0 of other kinds skipped: 2 findings"


@pytest.mark.parametrize(
    ("word", "binds"),
    [("  policyRef: {name: standard}\n", ""), ("", NAMESPACE)],
    ids=["by name", "by the namespace's label"],
)
def test_a_rollout_is_judged_under_the_policy_that_is_among_the_files(lint, word, binds):
    text = GOOD + word + '  alphaRevert: "0.05"\n'
    lines, said = lint(text + POLICY + binds)
    assert len(lines) == 1
    assert "spec.alphaRevert: 0.05 is above the guardrail maxAlphaRevert; use 0.01 or less" in lines[0]
    assert said["policiesAbsent"] == []
    lines, said = lint(text)
    assert lines == []
    assert said["policiesAbsent"] == (["standard"] if word else [])


def test_a_policy_that_contradicts_the_namespace_is_found(lint):
    lines, _ = lint(GOOD + "  policyRef: {name: other}\n" + POLICY + NAMESPACE)
    assert len(lines) == 1
    assert 'is bound to RolloutPolicy "standard"' in lines[0]
    assert lines[0].startswith("8:15: spec.policyRef.name")


def test_what_is_wrong_in_the_policy_is_said_once_and_there(lint):
    policy = POLICY + '  defaults: {alphaRevert: "0.02"}\n'
    text = GOOD + "  policyRef: {name: standard}\n"
    lines, _ = lint(text + "---\n" + text.replace("checkout", "basket") + policy)
    assert [line.partition(" 0.02")[0] for line in lines] == ["24:14: spec.defaults.alphaRevert:"]


def test_what_could_never_come_true_is_found(lint):
    history = GOOD + "  history: 15m\n"
    lines, _ = lint(history)
    assert lines == [
        "8:3: spec.history: 900 s are 30 bins of 30 s and 40 are needed; use 20m or more",
    ]
    assert lint(history, "--scrape", "7.5")[0] == []
    silent = GOOD + "  metrics: [{name: restarts, restarts: {}}]\n"
    assert "no release could be proven safe" in lint(silent)[0][0]


def test_what_a_policy_out_of_sight_may_mend_is_not_said(lint):
    """Parts of the budget add up with those of the policy, which may give the others less."""
    heavy = '  weights: {latency: "0.9"}\n'
    assert "add up to more than 1" in lint(GOOD + heavy)[0][0]
    assert lint(GOOD + heavy + "  policyRef: {name: standard}\n")[0] == []
    bad = "  metrics: [{name: errors, errors: {counter: c, bad: [{code: '('}]}}]\n"
    assert "bad[0].code" in lint(GOOD + bad + "  policyRef: {name: standard}\n")[0][0]


def test_two_of_one_name_and_two_of_one_target_are_found(lint):
    lines, _ = lint(f"{GOOD}---\n{GOOD}")
    assert len(lines) == 1
    assert "12:3: metadata.name" in lines[0]
    lines, _ = lint(f"{GOOD}---\n{GOOD.replace('name: checkout', 'name: again', 1)}")
    assert "14:15: spec.targetRef.name: checkout is the target of checkout" in lines[0]
    elsewhere = GOOD.replace("  name: checkout", "  name: checkout\n  namespace: b", 1)
    assert lint(f"{GOOD}---\n{elsewhere}")[0] == []


def test_other_kinds_are_counted_and_a_misspelt_one_of_ours_is_found(lint):
    lines, said = lint(f"{GOOD}---\nkind: Service\n---\n# nothing\n---\n[1]\n")
    assert (lines, said["checked"], said["skipped"]) == ([], 1, 2)
    lines, _ = lint(GOOD.replace("CausalRollout", "CausalRolout"))
    assert lines == ["2:1: kind: 'CausalRolout' is not known; write CausalRollout or RolloutPolicy"]
    assert "apiVersion: is missing" in lint(GOOD.partition("\n")[2])[0][0]


def test_a_list_as_kubectl_prints_it_is_read(lint):
    inner = yaml.safe_load(GOOD)
    inner["spec"]["warmUp"] = 99
    lines, said = lint(yaml.safe_dump({"kind": "List", "items": [inner, {"kind": "Pod"}]}))
    assert "spec.warmUp: 99 is too large" in lines[0]
    assert said["skipped"] == 1
    assert lint(json.dumps(inner, indent="\t"))[0]


def test_stdin_and_directories_are_read_as_kubectl_reads_them(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    assert main(["lint", "-f", "-"]) == Exit.OK
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("{{")
    deeper = tmp_path / "deeper"
    deeper.mkdir()
    (deeper / "b.yml").write_text("kind: [")
    assert main(["lint", "-f", str(tmp_path)]) == Exit.OK
    assert main(["lint", "-R", "-f", str(tmp_path)]) == Exit.FAILED
    capsys.readouterr()
    (deeper / "b.yml").unlink()
    assert main(["lint", "-f", str(deeper)]) == Exit.USAGE
    assert "holds no .json, .yaml, .yml" in capsys.readouterr().err
    assert main(["lint", "-f", str(tmp_path / "nothing.yaml")]) == Exit.USAGE
    assert "nothing.yaml: cannot be read: No such file" in capsys.readouterr().err


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"\x00\x01\x02", "is no text"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "is no text"),
        (b"\xff\xfe\x00", "is no text"),
        (b"spec:\n\tweight: 5\n", "2:1: : is no YAML"),
        (b"- " * 100_000, "nested deeper than"),
        (b"[" * 5000, "nesting depth"),
        (GOOD + "  stages: &a [*a]\n", "aliases written out"),
        (GOOD + LAUGHS, "aliases written out"),
        (GOOD + "  stages: *nothing\n", 'no anchor is called "nothing"'),
        (GOOD + "  warmUp: 5\n  warmUp: 6\n", "9:3: spec.warmUp: is given twice; remove one"),
        (GOOD + f"  warmUp: {'9' * 6000}\n", "spec.warmUp: is no int"),
        (GOOD + f"  warmUp: 0x{'f' * 6000}\n", "is no whole number"),
        (GOOD + "  warmUp: !!python/object/apply:os.system [x]\n", "is no whole number"),
        (GOOD + "  ? [a, b]\n  : c\n", "a key is no text"),
        (GOOD + "  bake: [[[[[[1]]]]]]\n", "is no text"),
        (GOOD + "  <<: 5\n", "what is merged holds no fields"),
        (GOOD.replace("spec:", "spec: 5\nother:"), "spec: 5 holds no fields"),
        (GOOD.replace("  name: checkout\n", "  name: 5\n", 1), "metadata.name: 5 is no name"),
        (GOOD.replace("metadata:", "metadata: []\nmeta:"), "metadata: [] holds no fields"),
        (GOOD + "  bake: " + "x" * 10_000 + "\n", "..."),
        ("%YAML 9.9\n---\na: 1\n", "incompatible"),
    ],
)
def test_whatever_a_file_holds_is_answered_in_words(lint, text, says):
    lines, _ = lint(text)
    assert any(says in line for line in lines), lines
    assert all(len(line) < 500 for line in lines)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=60) | st.text(alphabet="a:{}[]-&*!<?|>'\"#%@, \n\t0x~", max_size=60).map(str.encode)
)
def test_no_text_breaks_the_reader(tmp_path, capsys, text):
    path = tmp_path / "any.yaml"
    for whole in (text, GOOD.encode() + b"  stages: " + text):
        path.write_bytes(whole)
        assert main(["lint", "-f", str(path)]) in {Exit.OK, Exit.FAILED}
        assert capsys.readouterr().err == ""


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = sorted(yaml.safe_load(EXAMPLES[2].read_text())["spec"])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*FIELDS, "metadata", "apiVersion"]), JUNK)
def test_no_value_breaks_the_judge(field, value):
    obj = yaml.safe_load(GOOD)
    inner = obj if field in {"metadata", "apiVersion"} else obj["spec"]
    assert all(problem.fix for problem in refused({**obj, "spec": obj["spec"] | {field: value}}))
    inner[field] = value
    assert all(problem.field for problem in refused(obj))


@pytest.mark.parametrize("path", [*EXAMPLES, *REJECTED], ids=lambda path: path.stem)
def test_what_is_read_is_what_a_yaml_loader_reads(path):
    text = path.read_bytes()
    read = [document(root).value for root in documents(text)]
    assert read == list(yaml.load_all(text, Loader=Texts))


class Texts(yaml.SafeLoader):
    """Dates are texts, as Kubernetes takes them."""


Texts.add_constructor("tag:yaml.org,2002:timestamp", Texts.construct_yaml_str)


def test_anchors_and_merges_are_read():
    (root,) = documents(b"a: &a {x: 1, y: 2}\nb: {y: 3, <<: [*a, {x: 9, z: 4}]}\nc: *a\n")
    found = document(root)
    assert found.value["b"] == {"x": 1, "y": 3, "z": 4}
    assert found.value["c"] == {"x": 1, "y": 2}
    assert (found.place("b.y").line, found.place("b.x").line, found.place("c.nothing").line) == (2, 1, 3)


def test_documents_before_a_broken_one_are_judged(lint):
    lines, said = lint(GOOD + "  warmUp: 99\n---\na: [\n")
    assert said["checked"] == 1
    assert [line.partition(" ")[0] for line in lines] == ["8:3:", "11:1:"]


def test_a_broken_text_is_told_with_its_place():
    with pytest.raises(Flaw) as error:
        list(documents(b"a: 1\nb: \x07\n"))
    assert error.value.place.line == 2
