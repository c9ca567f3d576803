"""Istio's own kinds become intents, and intents become them again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from weft.errors import UsageError
from weft.mesh import Facts, ImageUrl, Imported, import_document, make_plan, read_intent
from worlds.intents import DIGEST, a_plan, an_intent
from worlds.istio_rules import complaints

URL = f"oci://hub.example.com/team/f@sha256:{DIGEST}"


def plugin(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {"name": "theirs", "namespace": "ns"},
        "spec": {"url": URL, **spec},
    }


def extension(wasm: Any = None, **spec: Any) -> dict[str, Any]:
    held = {"url": URL} if wasm is None else wasm
    return {**plugin(), "kind": "TrafficExtension", "spec": {"wasm": held, **spec}}


def imported(document: Any) -> Imported:
    return import_document(document, where="f.yaml")


def told(document: Any) -> Any:
    """What weft tells Istio after it imported ``document``."""
    intent = imported(document).intent
    [held] = make_plan(intent, Facts(image=ImageUrl.parse(intent.spec.image))).objects
    return held


names = some.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
json_values = some.recursive(
    some.none() | some.booleans() | some.integers(-9, 9) | some.text(max_size=5),
    lambda inner: some.lists(inner, max_size=2) | some.dictionaries(names, inner, max_size=2),
    max_leaves=5,
)
ports = some.sets(some.integers(1, 65535), min_size=1, max_size=2).map(
    lambda numbers: [{"number": number} for number in numbers]
)
env = some.one_of(
    some.builds(lambda name, value: {"name": f"i{name}", "value": value}, names, some.text(max_size=5)),
    some.builds(lambda name: {"name": f"x{name}", "valueFrom": "HOST"}, names),
)
modules = some.fixed_dictionaries(
    {
        "url": some.sampled_from(
            [URL, "oci://localhost:5000/a/b@sha256:" + "2" * 64, "file:///opt/filter.wasm"]
        ),
        "failStrategy": some.sampled_from(["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"]),
    },
    optional={
        "imagePullSecret": names,
        "pluginConfig": some.dictionaries(names, json_values, max_size=3),
        "pluginName": names,
        "vmConfig": some.lists(env, min_size=1, max_size=3, unique_by=lambda one: one["name"]).map(
            lambda held: {"env": sorted(held, key=lambda one: "valueFrom" in one)}
        ),
    },
)
places = some.builds(
    lambda where, rest: {**where, **rest},
    some.one_of(
        some.just({}),
        some.fixed_dictionaries(
            {
                "selector": some.fixed_dictionaries(
                    {"matchLabels": some.dictionaries(names, names, min_size=1)}
                )
            }
        ),
        some.fixed_dictionaries(
            {
                "targetRefs": some.lists(
                    some.fixed_dictionaries(
                        {
                            "group": some.just("gateway.networking.k8s.io"),
                            "kind": some.just("Gateway"),
                            "name": names,
                        }
                    ),
                    min_size=1,
                    max_size=2,
                )
            }
        ),
    ),
    some.fixed_dictionaries(
        {},
        optional={
            "phase": some.sampled_from(["AUTHN", "AUTHZ", "STATS"]),
            "priority": some.integers(-(2**31), 2**31 - 1),
            "match": some.one_of(
                some.sampled_from(["SERVER", "CLIENT"]).map(lambda mode: [{"mode": mode}]),
                some.builds(
                    lambda mode, held: [{"mode": mode, "ports": held}],
                    some.sampled_from(["SERVER", "CLIENT", "CLIENT_AND_SERVER"]),
                    ports,
                ),
            ),
        },
    ),
)


@given(modules, places)
def test_a_wasmplugin_comes_back_as_it_went(module: Any, place: Any) -> None:
    document = plugin(**module, **place)
    assert told(document)["spec"] == document["spec"]


@given(modules, places)
def test_a_trafficextension_comes_back_as_it_went(module: Any, place: Any) -> None:
    document = extension(module, **place)
    assert told(document)["spec"] == document["spec"]


@given(modules, places)
def test_what_becomes_of_them_is_what_istio_takes(module: Any, place: Any) -> None:
    assert complaints(told(plugin(**module, **place))) == []
    assert complaints(told(extension(module, **place))) == []


@given(modules, places)
def test_one_kind_becomes_the_other(module: Any, place: Any) -> None:
    intent = imported(plugin(**module, **place)).intent
    other = imported(extension(module, **place)).intent
    assert other.document()["spec"] | {"target": 0} == intent.document()["spec"] | {"target": 0}


@pytest.mark.parametrize("mode", ["wasmplugin", "trafficextension"])
def test_an_intent_comes_back_as_it_went(mode: str) -> None:
    asked: dict[str, Any] = {
        "rootId": "root",
        "config": {"a": 1},
        "workloads": {"labels": {"app": "details"}},
        "phase": "AUTHN",
        "priority": 0,
        "failure": "open",
        "pullSecret": "s",
        "environment": {"A": "1"},
    }
    istio = {"mode": mode, "context": "outbound", "ports": [80]}
    before = an_intent(istio=istio, **asked)
    [held] = a_plan(istio=istio, **asked).objects
    after = imported(held).intent.document()["spec"]
    image = after.pop("image")
    expected = before.document()["spec"]
    assert image == expected.pop("image").replace(":v1.2", "").join(["oci://", ""])
    assert after == expected


def test_a_plugin_says_what_an_intent_does_not_keep() -> None:
    given_ = plugin(imagePullPolicy="IfNotPresent", verificationKey="k")
    assert imported(given_).notes == (
        "imagePullPolicy IfNotPresent is left out: weft pins the digest",
        "verificationKey is left out: Istio never looks at it; name keys in spec.verify",
    )


@pytest.mark.parametrize(
    ("spec", "field", "value"),
    [
        pytest.param(
            {"url": "hub/a/b:v1", "sha256": DIGEST}, "image", f"hub/a/b:v1@sha256:{DIGEST}", id="sha256"
        ),
        pytest.param({"url": URL, "sha256": "0" * 64}, "image", URL, id="a digest in the URL wins"),
        pytest.param(
            {"targetRef": {"kind": "Gateway", "name": "gw"}},
            "targetRefs",
            [{"group": "", "name": "gw"}],
            id="old single reference",
        ),
        pytest.param({"priority": None}, "priority", None, id="no priority"),
        pytest.param({"priority": 0}, "priority", 0, id="priority zero"),
        pytest.param({"phase": "UNSPECIFIED_PHASE"}, "phase", None, id="no phase"),
        pytest.param(
            {"match": [{}]}, "target", {"istio": {"mode": "wasmplugin", "context": "any"}}, id="match all"
        ),
    ],
)
def test_a_field_is_read_as_istio_means_it(spec: Any, field: str, value: Any) -> None:
    assert imported(plugin(**spec)).intent.document()["spec"].get(field) == value


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(plugin(type="NETWORK"), "type NETWORK: weft deploys HTTP filters only", id="network"),
        pytest.param(
            plugin(match=[{"mode": "CLIENT"}, {"mode": "SERVER"}]),
            "spec.match has 2 entries; an intent has one context and its ports",
            id="two matches",
        ),
        pytest.param(
            plugin(selector={}, targetRefs=[{"kind": "Gateway", "name": "g"}]),
            "only one of targetRefs or selector can be set",
            id="both",
        ),
        pytest.param(
            plugin(targetRefs=[{"kind": "Gateway", "name": "g", "namespace": "other"}]),
            "spec.targetRefs: Istio does not refer to other namespaces",
            id="another namespace",
        ),
        pytest.param(
            plugin(match=[{"mode": "SERVER", "ports": [{"number": 80}, {"number": 80}]}]),
            "spec.target.istio.ports: names a port twice",
            id="a port twice",
        ),
        pytest.param(plugin(urll=1), "spec: urll: there is no such field", id="misspelt"),
        pytest.param(plugin(phase="X"), "spec: phase: 'X' is not known", id="phase"),
        pytest.param(
            extension(selector=1), "spec: selector: expected a mapping, got a number", id="selector"
        ),
        pytest.param(
            {**extension(), "spec": {"lua": {}}},
            "spec.wasm is not there; weft deploys wasm filters only",
            id="lua",
        ),
        pytest.param(
            plugin(url="ftp://x"),
            "spec.image: 'ftp://x': ftp:// is not one of oci://, http://, https://, file://",
            id="url",
        ),
        pytest.param({**plugin(), "spec": None}, "spec: expected a mapping, got null", id="no spec"),
    ],
)
def test_what_an_intent_cannot_say_is_refused(document: Any, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        imported(document)
    assert str(caught.value) == f"f.yaml: {complaint}"


@given(json_values)
def test_whatever_stands_there_is_read_or_refused(spec: Any) -> None:
    for document in (plugin(), extension()):
        held = {**document, "spec": {**document["spec"], **spec} if isinstance(spec, dict) else spec}
        try:
            intent = imported(held).intent
        except UsageError:
            continue
        assert read_intent(intent.document(), where="again") == intent
