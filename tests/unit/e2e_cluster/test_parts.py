"""A part in the cache is whole, and built from the pins that are in the tree."""

import io
import json
import tarfile

import pytest

from e2e.cluster import images, parts
from e2e.cluster.folder import fill
from e2e.cluster.images import StaticImage
from e2e.cluster.places import Places
from e2e.cluster.toolchain import version_of


def test_a_build_that_breaks_leaves_no_folder_behind(tmp_path):
    def break_off():
        with fill(tmp_path / "part-1") as folder:
            (folder / "half").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert not (tmp_path / "part-1").exists()


def test_a_part_built_from_other_pins_is_built_again(tmp_path):
    places = Places(tmp_path, tmp_path, tmp_path)
    folder = parts.PAUSE.folder(places)
    folder.mkdir()
    assert not parts.is_whole(parts.PAUSE, places)
    (folder / "built.json").write_text(json.dumps({"recipe": parts.PAUSE.recipe()}))
    assert parts.is_whole(parts.PAUSE, places)
    (folder / "built.json").write_text(json.dumps({"recipe": "of old"}))
    assert not parts.is_whole(parts.PAUSE, places)


def test_programs_are_named_as_the_compiler_names_them():
    assert parts.KUBE_STATE_METRICS.programs == ("kube-state-metrics",)
    assert "kubelet" in parts.KUBERNETES.programs


def test_every_part_has_its_pins():
    for part in (*parts.HOST_PARTS, parts.KIND, parts.PROMETHEUS_OPERATOR):
        assert part.recipe()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version go1.27 linux/arm64", (1, 27, 0)),
        ("", None),
    ],
)
def test_the_compilers_age_is_read(answer, expected):
    assert version_of(answer) == expected


def test_an_image_is_the_same_bytes_each_time_and_carries_its_program(tmp_path):
    program = tmp_path / "serve"
    program.write_bytes(b"\x7fELF")
    image = StaticImage("localhost/demo:v1", program, args=["-v"], files={"/etc/demo.conf": b"a"})
    first = images.write_archive(image, tmp_path / "a.tar")
    second = images.write_archive(image, tmp_path / "b.tar")
    assert first == second
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    with tarfile.open(tmp_path / "a.tar") as archive:
        index = json.load(archive.extractfile("index.json"))
        manifest = json.load(archive.extractfile(_blob(index["manifests"][0])))
        config = json.load(archive.extractfile(_blob(manifest["config"])))
        layer = archive.extractfile(_blob(manifest["layers"][0])).read()
    assert index["manifests"][0]["annotations"]["io.containerd.image.name"] == "localhost/demo:v1"
    assert config["config"]["Entrypoint"] == ["/serve"]
    with tarfile.open(fileobj=io.BytesIO(layer)) as content:
        assert content.getmember("serve").mode & 0o111
        assert content.extractfile("etc/demo.conf").read() == b"a"


def _blob(descriptor):
    return f"blobs/{descriptor['digest'].replace(':', '/')}"
