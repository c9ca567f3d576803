"""What Helm and kustomize make of what `weft install --render` writes: the same objects."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Weft
from parts import tool
from weft.installing import Installation, objects

SYSTEM = "weft-system"
# What this Helm would otherwise take for the cluster's is that of a library, and very old.
CLUSTER = ("--kube-version", "1.30.0")


def ran(name: str, *words: str | Path) -> str:
    program = tool(name, name)
    assert program is not None
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def documents(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one is not None]


def named(held: Any) -> dict[tuple[str, str, str], Any]:
    found = {
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one for one in held
    }
    assert len(found) == len(held)
    return found


@pytest.fixture
def chart(weft: Weft, tmp_path: Path) -> Path:
    assert weft("install", "--render", "helm", "--to", tmp_path / "chart").code == 0
    return tmp_path / "chart"


def rendered(chart: Path, *words: str, namespace: str = SYSTEM) -> dict[tuple[str, str, str], Any]:
    return named(documents(ran("helm", "template", "weft", chart, "-n", namespace, *CLUSTER, *words)))


def wanted(**choices: Any) -> dict[tuple[str, str, str], Any]:
    """The objects of an installation; Helm makes the namespace itself."""
    return named([one for one in objects(Installation(**choices)) if one["kind"] != "Namespace"])


@pytest.mark.real("helm")
def test_a_chart_with_its_own_values_is_what_plain_yaml_says(chart: Path) -> None:
    assert rendered(chart) == wanted()


@pytest.mark.real("helm")
@pytest.mark.parametrize(
    ("words", "choices"),
    [
        pytest.param(["--set", "nodeCache.enabled=false"], {"node_cache": False}, id="no node cache"),
        pytest.param(["--set", "image=hub/weft:2"], {"image": "hub/weft:2"}, id="image"),
        pytest.param(["--set", "secretsOf={a,b}"], {"secrets_of": ("a", "b")}, id="secrets"),
        pytest.param([], {"namespace": "123"}, id="a namespace like a number"),
    ],
)
def test_values_are_choices_of_an_installation(
    chart: Path, words: list[str], choices: dict[str, Any]
) -> None:
    assert rendered(chart, *words, namespace=choices.get("namespace", SYSTEM)) == wanted(**choices)


@pytest.mark.real("helm")
def test_values_reach_the_pods(chart: Path) -> None:
    held = rendered(
        chart,
        "--set", "operator.replicas=2",
        "--set", "operator.resources.limits.memory=1Gi",
        "--set", "imagePullSecrets[0].name=regcred",
        "--set-json", "nodeCache.tolerations=[]",
        "--set", "definitions=false",
    )  # fmt: skip
    operator = held["Deployment", SYSTEM, "weft-operator"]["spec"]
    pod = operator["template"]["spec"]
    assert operator["replicas"] == 2
    assert pod["containers"][0]["resources"]["limits"] == {"memory": "1Gi"}
    assert pod["imagePullSecrets"] == [{"name": "regcred"}]
    assert held["DaemonSet", SYSTEM, "weft-node-cache"]["spec"]["template"]["spec"]["tolerations"] == []
    assert "CustomResourceDefinition" not in {kind for kind, _, _ in held}


@pytest.mark.real("helm")
def test_helm_finds_nothing_wrong_with_the_chart(chart: Path) -> None:
    assert "0 chart(s) failed" in ran("helm", "lint", "--strict", chart, *CLUSTER)


@pytest.mark.real("kustomize")
@pytest.mark.parametrize("words", [[], ["--no-node-cache"]], ids=["all", "no node cache"])
def test_a_kustomize_folder_is_what_plain_yaml_says(weft: Weft, tmp_path: Path, words: list[str]) -> None:
    assert weft("install", "--render", "kustomize", "--to", tmp_path / "base", *words).code == 0
    plain = weft("install", "--render", "yaml", *words)
    assert documents(ran("kustomize", "build", tmp_path / "base")) == documents(plain.out)


@pytest.mark.real("kustomize")
def test_an_overlay_changes_the_image_everywhere(weft: Weft, tmp_path: Path) -> None:
    weft("install", "--render", "kustomize", "--to", tmp_path / "base")
    overlay = {
        "resources": ["../base"],
        "images": [{"name": "weft", "newName": "hub.example.com/weft", "newTag": "2"}],
    }
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/kustomization.yaml").write_text(yaml.safe_dump(overlay))
    held = documents(ran("kustomize", "build", tmp_path / "mine"))
    assert named(held) == named(objects(Installation(image="hub.example.com/weft:2")))
