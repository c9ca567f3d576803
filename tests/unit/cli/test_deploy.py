"""The words of ``weft deploy``, ``undeploy``, ``render`` and ``diff``: those of wasme, and what they mean."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Weft
from worlds.intents import IMAGE

NOWHERE = "error: no cluster: there is no {file}"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(
            "deploy istio IMAGE --id i --root-id r --config c --namespace n --labels a=b,c=d"
            " --workload-type statefulset --patch-context Outbound --istio-namespace i --istiod-name d"
            " --cache-timeout 1m0s --cache-namespace w --ignore-version-check --dry-run",
            id="istio",
        ),
        pytest.param("deploy istio IMAGE -n n -l a=b -t daemonset --cache-timeout 0", id="istio, short"),
        pytest.param(
            "deploy gloo IMAGE --id i --root-id r --config c --namespaces a,b --labels a=b --dry-run",
            id="gloo",
        ),
        pytest.param("deploy gloo IMAGE -n a -n b -l a=b --gateway g", id="gloo, short"),
        pytest.param("deploy envoy-gateway IMAGE --id i -n n --gateway g/l --route r", id="envoy-gateway"),
        pytest.param("undeploy istio --id i --namespace n --dry-run", id="undeploy istio"),
        pytest.param("undeploy gloo --id i --dry-run --timeout 1m", id="undeploy gloo"),
    ],
)
def test_every_word_is_known(weft: Weft, tmp_path: Path, words: str) -> None:
    """All that is missing is a cluster."""
    file = tmp_path / "none"
    done = weft(*words.replace("IMAGE", IMAGE).split(), KUBECONFIG=str(file))
    assert (done.code, done.out, done.err.splitlines()[0]) == (2, "", NOWHERE.format(file=file))


@pytest.mark.parametrize("name", ["name", "repo", "tag", "custom-command", "image-pull-policy"])
def test_wasmes_words_for_its_cache_are_explained(weft: Weft, name: str) -> None:
    done = weft("deploy", "istio", IMAGE, f"--cache-{name}", "x")
    assert done.code == 2
    assert done.err.splitlines() == [
        f"error: --cache-{name}: deploying changes no node cache",
        "",
        "hint: `weft install` brings node caches: --image, and --render for all else",
    ]


def rendered(weft: Weft, *words: str, stdin: str = "") -> Any:
    done = weft("render", *words, stdin=stdin)
    assert done.code == 0, done.err
    return next(held for held in yaml.safe_load_all(done.out) if held)


def test_gateways_of_gloo_are_named(weft: Weft) -> None:
    held = rendered(
        weft, IMAGE, "--target", "gloo", "--gateway", "front", "-n", "gloo-system", "--id", "mine"
    )
    assert held["metadata"] == {"name": "front", "namespace": "gloo-system"}
    (entry,) = held["spec"]["httpGateway"]["options"]["wasm"]["filters"]
    assert (entry["name"], entry["image"]) == ("mine", "hub.example.com/team/add-header:v1.2")


def test_gateways_and_routes_of_envoy_gateway_are_named(weft: Weft) -> None:
    words = ("--target", "envoy-gateway", "--gateway", "eg/http", "--route", "back", "--id", "mine")
    held = rendered(weft, IMAGE, *words)
    assert [(ref["kind"], ref["name"], ref.get("sectionName")) for ref in held["spec"]["targetRefs"]] == [
        ("Gateway", "eg", "http"),
        ("HTTPRoute", "back", None),
    ]


def test_gateways_of_istio_are_named(weft: Weft) -> None:
    held = rendered(weft, IMAGE, "--gateway", "ingress", "--id", "mine")
    assert held["spec"]["targetRefs"] == [
        {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "ingress"}
    ]


INTENT = """\
apiVersion: weft.dev/v1alpha1
kind: FilterDeployment
metadata: {{name: {name}{namespace}}}
spec: {{image: "{image}"{more}}}
"""


def intent(name: str, namespace: str = "", **more: str) -> str:
    return INTENT.format(
        name=name,
        namespace=f", namespace: {namespace}" if namespace else "",
        image=IMAGE,
        more="".join(f", {key}: {value}" for key, value in more.items()),
    )


@pytest.mark.parametrize(
    ("documents", "complaint"),
    [
        pytest.param(
            (intent("a"), intent("a")), "filter a of namespace default is there twice", id="one name"
        ),
        pytest.param(
            (intent("a"), intent("a", "default")),
            "filter a of namespace default is there twice",
            id="one of them says the namespace",
        ),
        pytest.param(
            (intent("a", id="x"), intent("b", id="x")), "filter b: its id x is that of filter a", id="one id"
        ),
    ],
)
def test_filters_are_not_there_twice(weft: Weft, documents: tuple[str, ...], complaint: str) -> None:
    done = weft("render", "-f", "-", stdin="---\n".join(documents))
    assert (done.code, done.out, done.err.splitlines()[0]) == (2, "", f"error: {complaint}")


def test_of_two_namespaces_they_may_be_alike(weft: Weft) -> None:
    done = weft("render", "-f", "-", stdin="---\n".join((intent("a", id="x"), intent("a", "b", id="x"))))
    assert done.code == 0, done.err
