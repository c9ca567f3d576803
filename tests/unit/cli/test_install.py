"""``weft install --render`` and ``weft uninstall --render``."""

from pathlib import Path

import pytest
import yaml

from conftest import Weft
from weft.installing import Installation, objects


def test_the_objects_are_printed_in_the_order_in_which_they_are_made(weft: Weft) -> None:
    result = weft("install", "--render", "yaml", "-n", "mesh", "--image", "hub/weft:2")
    assert (result.code, result.err) == (0, "")
    assert list(yaml.safe_load_all(result.out)) == list(
        objects(Installation(namespace="mesh", image="hub/weft:2"))
    )


def test_they_are_removed_the_other_way_round(weft: Weft) -> None:
    result = weft("uninstall", "--render")
    assert list(yaml.safe_load_all(result.out)) == list(reversed(objects(Installation())))


def test_the_node_cache_can_be_left_out(weft: Weft) -> None:
    result = weft("install", "--render", "yaml", "--no-node-cache")
    assert "DaemonSet" not in {held["kind"] for held in yaml.safe_load_all(result.out)}


@pytest.mark.parametrize(
    ("form", "files"),
    [
        pytest.param("yaml", ["weft.yaml"], id="yaml"),
        pytest.param(
            "kustomize",
            [
                "kustomization.yaml",
                "definitions.yaml",
                "namespace.yaml",
                "access.yaml",
                "operator.yaml",
                "node-cache.yaml",
            ],
            id="kustomize",
        ),
        pytest.param(
            "helm",
            [
                "Chart.yaml",
                "values.yaml",
                "templates/definitions.yaml",
                "templates/access.yaml",
                "templates/operator.yaml",
                "templates/node-cache.yaml",
            ],
            id="helm",
        ),
    ],
)
def test_files_are_written_and_named(weft: Weft, tmp_path: Path, form: str, files: list[str]) -> None:
    result = weft("install", "--render", form, "--to", tmp_path / "out")
    assert result.out.splitlines() == [str(tmp_path / "out" / name) for name in files]
    assert all((tmp_path / "out" / name).read_text() for name in files)


def test_a_folder_of_files_needs_a_place(weft: Weft) -> None:
    result = weft("install", "--render", "helm")
    assert result.code == 2
    assert result.err == (
        "error: --render helm makes a folder of 6 files\n\nhint: say where, with --to DIR\n"
    )


def test_a_place_that_cannot_be_written_is_named(weft: Weft, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    result = weft("install", "--render", "yaml", "--to", tmp_path / "out")
    assert result.code != 0
    assert "Traceback" not in result.err


def test_a_namespace_that_cannot_be_is_refused_before_anything_is_done(weft: Weft) -> None:
    result = weft("install", "--render", "yaml", "-n", "My Namespace")
    assert result.code == 2
    assert result.err.startswith("error: 'My Namespace' is no name of a namespace\n")
