"""The CRDs: structural, as Kubernetes asks of them, and of one mind with the reader of intents."""

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema
import pytest

from weft.installing import Installation, objects
from weft.installing.definitions import intent_definition
from weft.mesh import KINDS, intent_schema, read_intent

ANYTHING = "x-kubernetes-preserve-unknown-fields"
DEFINITIONS = {
    held["metadata"]["name"]: held
    for held in objects(Installation())
    if held["kind"] == "CustomResourceDefinition"
}
# What a structural schema may hold, of what ours do.
KEYWORDS = {
    "type",
    "description",
    "default",
    "enum",
    "pattern",
    "properties",
    "additionalProperties",
    "items",
    "required",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "format",
    "oneOf",
    ANYTHING,
    "x-kubernetes-validations",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-int-or-string",
}


def schema_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    (version,) = definition["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def places(schema: Mapping[str, Any], path: str = "$") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every schema in ``schema``, each with where it stands."""
    yield path, schema
    for name, one in schema.get("properties", {}).items():
        yield from places(one, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from places(schema[key], f"{path}[]")


def spec_schema() -> dict[str, Any]:
    spec: dict[str, Any] = schema_of(intent_definition())["properties"]["spec"]
    return spec


def problems(spec: Mapping[str, Any]) -> list[str]:
    return [error.message for error in jsonschema.Draft4Validator(spec_schema()).iter_errors(spec)]


def test_every_kind_that_is_served_has_its_definition() -> None:
    assert set(DEFINITIONS) == {f"{kind.plural}.{kind.group}" for kind in KINDS}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_place_has_a_type_or_may_hold_anything(name: str) -> None:
    untyped = [
        path
        for path, schema in places(schema_of(DEFINITIONS[name]))
        if "type" not in schema and ANYTHING not in schema and "x-kubernetes-int-or-string" not in schema
    ]
    assert untyped == []


@pytest.mark.parametrize("name", DEFINITIONS)
def test_nothing_stands_in_a_definition_that_kubernetes_forbids(name: str) -> None:
    strange = {
        f"{path}: {word}"
        for path, schema in places(schema_of(DEFINITIONS[name]))
        for word in set(schema) - KEYWORDS
    }
    both = [
        path
        for path, schema in places(schema_of(DEFINITIONS[name]))
        if {"properties", "additionalProperties"} <= set(schema)
    ]
    assert (strange, both) == (set(), [])


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_default_is_valid_where_it_stands(name: str) -> None:
    for path, schema in places(schema_of(DEFINITIONS[name])):
        if "default" in schema:
            assert list(jsonschema.Draft4Validator(schema).iter_errors(schema["default"])) == [], path


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_status_is_written_apart_from_the_spec(name: str) -> None:
    (version,) = DEFINITIONS[name]["spec"]["versions"]
    assert version["subresources"] == {"status": {}}
    assert version["served"]
    assert version["storage"]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_chart_that_is_removed_leaves_the_definitions(name: str) -> None:
    assert DEFINITIONS[name]["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_every_field_that_the_reader_knows_is_in_the_definition() -> None:
    def fields(schema: Mapping[str, Any], types: Mapping[str, Any]) -> Any:
        if "$ref" in schema:
            return fields(types[schema["$ref"].rpartition("/")[2]], types)
        options = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
        if options:
            return fields(options[0], types) if len(options) == 1 else {}
        if "items" in schema:
            return fields(schema["items"], types)
        return {name: fields(one, types) for name, one in schema.get("properties", {}).items()}

    types = intent_schema()["$defs"]
    assert fields(spec_schema(), {}) == fields(types["Spec"], types)


def test_only_defaults_that_say_something_are_written_into_objects() -> None:
    defaults = {
        path: schema["default"] for path, schema in places(spec_schema(), "spec") if "default" in schema
    }
    assert defaults == {
        "spec.targetRefs[].group": "gateway.networking.k8s.io",
        "spec.targetRefs[].kind": "Gateway",
        "spec.target": {"istio": {}},
        "spec.target.istio.mode": "auto",
        "spec.target.istio.namespace": "istio-system",
        "spec.target.istio.volume.name": "cache-dir",
        "spec.target.istio.volume.path": "/var/local/lib/wasme-cache",
        "spec.target.xds.directory": "/var/local/lib/wasme-cache",
        "spec.vm": "separate",
        "spec.failure": "closed",
        "spec.capabilities": "all",
    }


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"image": "hub.example.com/team/add-header:v1"}, id="only an image"),
        pytest.param({"image": "a", "config": "text"}, id="text as config"),
        pytest.param({"image": "a", "config": {"a": [1]}}, id="an object as config"),
        pytest.param({"image": "a", "capabilities": ["proxy_log"]}, id="a list of capabilities"),
        pytest.param(
            {
                "image": "a",
                "routes": [
                    {
                        "match": {"host": "*.a", "path": {"prefix": "/"}, "headers": {"x": {"regex": "a"}}},
                        "config": "",
                    },
                    {"match": {"headers": {"x": "y"}}, "disabled": True},
                ],
            },
            id="routes",
        ),
        pytest.param(
            {"image": "a", "rollout": {"steps": [{"percent": 5, "hold": "5m"}]}},
            id="a rollout",
        ),
    ],
)
def test_what_the_reader_takes_the_definition_takes(spec: dict[str, Any]) -> None:
    read_intent(
        {
            "apiVersion": "weft.dev/v1alpha1",
            "kind": "FilterDeployment",
            "metadata": {"name": "a"},
            "spec": spec,
        },
        where="a.yaml",
    )
    assert problems(spec) == []


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        pytest.param({}, "'image' is a required property", id="no image"),
        pytest.param(
            {"image": "a", "priority": 2**31},
            "2147483648 is greater than the maximum of 2147483647",
            id="range",
        ),
        pytest.param(
            {"image": "a", "failure": "maybe"},
            "'maybe' is not one of ['closed', 'open', 'reload']",
            id="a word",
        ),
        pytest.param(
            {"image": "a", "workloads": {"labels": {"app": "*"}}},
            "'*' does not match '^[^*]*$'",
            id="wildcard",
        ),
        pytest.param(
            {"image": "a", "routes": [{"match": {}, "disabled": True}]},
            "{} should be non-empty",
            id="any request",
        ),
        pytest.param(
            {"image": "a", "routes": [{"match": {"host": "a"}, "config": "a", "disabled": True}]},
            "{'match': {'host': 'a'}, 'config': 'a', 'disabled': True} is valid under each of"
            " {'required': ['disabled'], 'properties': {'disabled': {'enum': [True]}}},"
            " {'required': ['config']}",
            id="config of a disabled route",
        ),
    ],
)
def test_what_is_wrong_by_its_shape_is_refused_by_the_cluster(spec: dict[str, Any], problem: str) -> None:
    assert problems(spec) == [problem]


def test_people_see_image_and_readiness_of_an_intent() -> None:
    (version,) = intent_definition()["spec"]["versions"]
    columns = {one["name"]: one["jsonPath"] for one in version["additionalPrinterColumns"]}
    assert list(columns) == ["Image", "Ready", "Reason", "Message", "Resolved", "Age"]
    assert columns["Ready"] == '.status.conditions[?(@.type=="Ready")].status'


def test_the_status_of_wasmes_kind_may_hold_its_number_as_text() -> None:
    schema = schema_of(DEFINITIONS["filterdeployments.wasme.io"])["properties"]["status"]
    assert schema["properties"]["observedGeneration"] == {"x-kubernetes-int-or-string": True}
    assert set(schema["properties"]) == {"observedGeneration", "workloads", "reason"}


def test_both_spellings_of_asms_kind_have_one_shape() -> None:
    one, other = (
        schema_of(DEFINITIONS[f"{name}.istio.alibabacloud.com"])["properties"]
        for name in ("asmfilterdeployments", "asmfiterdeployments")
    )
    assert one == other
