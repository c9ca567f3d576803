"""The same installation as YAML, as a kustomize folder, as a chart."""

import json
import re
from typing import Any

import pytest
import yaml

from weft.errors import UsageError
from weft.installing import Installation, chart, checked, kustomization, manifest, objects

ALL = Installation(namespace="mesh", image="hub.example.com/weft:1", secrets_of=("bookinfo",))
BARE = Installation(node_cache=False)


def documents(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one is not None]


def as_helm(text: str, values: dict[str, Any], namespace: str) -> list[dict[str, Any]]:
    """The documents of a template, for the few words of Helm's that ours have."""

    def value(expression: str, item: str) -> Any:
        found: Any = {"Release": {"Namespace": namespace}, "Values": values}
        if expression == ".":
            return item
        for word in expression.removeprefix("$.").split("."):
            found = found[word]
        return found

    def spelled(text: str, item: str = "") -> str:
        text = re.sub(r"{{ (\S+) \| toJson }}", lambda found: json.dumps(value(found[1], item)), text)
        return re.sub(r"{{ (\S+) }}", lambda found: str(value(found[1], item)), text)

    def repeated(found: re.Match[str]) -> str:
        return "".join(spelled(found[2], item) for item in value(found[1], ""))

    text = re.sub(r"{{- range (\S+) }}\n(.*?){{- end }}\n", repeated, text, flags=re.DOTALL)
    if only := re.fullmatch(r"{{- if (\S+) }}\n(.*){{- end }}\n", text, re.DOTALL):
        text = only[2] if value(only[1], "") else ""
    return documents(spelled(text))


@pytest.mark.parametrize("installation", [ALL, BARE], ids=["all", "bare"])
def test_plain_yaml_holds_every_object_in_its_order(installation: Installation) -> None:
    (text,) = manifest(installation).values()
    assert documents(text) == list(objects(installation))


@pytest.mark.parametrize("installation", [ALL, BARE], ids=["all", "bare"])
def test_a_kustomize_folder_holds_every_object_in_its_order(installation: Installation) -> None:
    files = kustomization(installation)
    index = yaml.safe_load(files.pop("kustomization.yaml"))
    assert index["resources"] == list(files)
    assert [one for name in index["resources"] for one in documents(files[name])] == list(
        objects(installation)
    )


@pytest.mark.parametrize("installation", [ALL, BARE], ids=["all", "bare"])
def test_a_chart_with_its_own_values_is_the_installation(installation: Installation) -> None:
    files = chart(installation)
    values = yaml.safe_load(files["values.yaml"])
    made = [
        one
        for name, text in files.items()
        if name.startswith("templates/")
        for one in as_helm(text, values, installation.namespace)
    ]

    def key(held: dict[str, Any]) -> tuple[str, str]:
        return held["kind"], f"{held['metadata'].get('namespace')}/{held['metadata']['name']}"

    wanted = [dict(held) for held in objects(installation) if held["kind"] != "Namespace"]
    assert sorted(made, key=key) == sorted(wanted, key=key)


def test_a_charts_templates_are_the_same_whatever_the_values() -> None:
    one, other = chart(ALL), chart(BARE)
    assert {name for name in one if one[name] != other[name]} == {"values.yaml"}


def test_values_name_what_an_installer_may_choose() -> None:
    values = yaml.safe_load(chart(ALL)["values.yaml"])
    assert values["image"] == "hub.example.com/weft:1"
    assert values["secretsOf"] == ["bookinfo"]
    assert values["operator"].keys() == {"replicas", "resources", "nodeSelector"}
    assert values["nodeCache"].keys() == {
        "enabled",
        "resources",
        "nodeSelector",
        "tolerations",
        "priorityClassName",
    }


def test_a_namespace_that_looks_like_a_number_stays_text() -> None:
    (text,) = manifest(Installation(namespace="123")).values()
    assert {held["metadata"]["namespace"] for held in documents(text) if "namespace" in held["metadata"]} == {
        "123"
    }


def test_rendering_twice_gives_the_same_bytes() -> None:
    assert (manifest(ALL), kustomization(ALL), chart(ALL)) == (manifest(ALL), kustomization(ALL), chart(ALL))


@pytest.mark.parametrize(
    ("installation", "complaint"),
    [
        pytest.param(Installation(namespace="Weft"), "'Weft' is no name of a namespace", id="capitals"),
        pytest.param(
            Installation(namespace="a" * 64), f"'{'a' * 64}' is no name of a namespace", id="too long"
        ),
        pytest.param(Installation(secrets_of=("-a",)), "'-a' is no name of a namespace", id="a dash first"),
        pytest.param(Installation(image="a b"), "'a b' is no name of an image", id="a space in the image"),
        pytest.param(Installation(image=""), "'' is no name of an image", id="no image"),
    ],
)
def test_what_no_cluster_would_take_is_refused(installation: Installation, complaint: str) -> None:
    with pytest.raises(UsageError) as error:
        checked(installation)
    assert str(error.value) == complaint


def test_an_installation_is_taken_as_it_is() -> None:
    assert checked(ALL) is ALL
