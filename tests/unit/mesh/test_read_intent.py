"""An intent is read strictly: a complaint names file, line and field, and what may have been meant."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as some

from weft.base.documents import parse_documents
from weft.errors import UsageError
from weft.mesh import intent_schema, read_intent
from worlds.intents import an_intent, document

EVERYTHING: dict[str, Any] = {
    "id": "add-header",
    "pullSecret": "regcred",
    "registry": {"plainHttp": True},
    "verify": {"keys": [{"secretRef": {"name": "cosign-pub"}}, {"pem": "-----BEGIN"}]},
    "rootId": "add_header",
    "config": {"name": "hello", "nested": {"list": [1, None, True]}},
    "configFrom": [{"secretKeyRef": {"name": "s", "key": "k"}, "path": "token"}],
    "environment": {"MODE": "dry"},
    "hostEnvironment": ["POD_NAME"],
    "workloads": {"kind": "Deployment", "labels": {"app": "details"}},
    "target": {
        "istio": {"mode": "envoyfilter", "context": "outbound", "ports": [80, 8080], "revision": "canary"}
    },
    "phase": "AUTHN",
    "priority": -10,
    "routes": [
        {"match": {"host": "*.example.com", "path": {"prefix": "/v1"}}, "config": {"value": "v1"}},
        {"match": {"headers": {"x-env": "test", "x-kind": {"regex": "a|b"}}}, "disabled": True},
    ],
    "vm": "shared",
    "failure": "reload",
    "capabilities": ["proxy_log"],
    "rollout": {"steps": [{"percent": 5, "hold": "5m"}, {"percent": 50}]},
}


def test_what_was_read_is_printed_as_it_was() -> None:
    assert an_intent(**EVERYTHING).document() == document(**EVERYTHING)


def test_the_schema_takes_what_the_reader_takes() -> None:
    jsonschema.validate(document(**EVERYTHING), intent_schema())


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    with pytest.raises(jsonschema.ValidationError, match="imge"):
        jsonschema.validate(document(imge="x"), intent_schema())


def test_a_filter_is_named_by_its_intent_unless_it_has_an_id() -> None:
    assert [an_intent().filter_id, an_intent(id="mine").filter_id] == ["add-header.bookinfo", "mine"]


def test_what_kubernetes_adds_is_left_alone() -> None:
    held = document()
    held["metadata"] |= {"uid": "u", "generation": 3, "managedFields": []}
    held["status"] = {"anything": 1}
    assert read_intent(held, where="cluster").metadata.uid == "u"


@pytest.mark.parametrize(
    ("spec", "complaint", "hint"),
    [
        pytest.param({"imge": 1}, "imge: there is no such field", "did you mean image?", id="misspelt field"),
        pytest.param(
            {"zzz": 1},
            "zzz: there is no such field",
            "there are image, id, pullSecret, registry, verify,"
            " rootId, config, configFrom, environment, hostEnvironment, workloads, targetRefs, target,"
            " phase, priority, routes, vm, failure, capabilities, rollout",
            id="unknown field",
        ),
        pytest.param(
            {"routes": [{"macth": {}}]},
            "routes[0].macth: there is no such field",
            "did you mean match?",
            id="deep inside",
        ),
        pytest.param(
            {"failure": "opne"},
            "failure: 'opne' is not known; it must be one of closed, open, reload",
            "did you mean open?",
            id="misspelt word",
        ),
        pytest.param({"priority": "high"}, "priority: expected a number, got text", None, id="kind of value"),
        pytest.param({"config": [1]}, "config: expected text or a mapping, got a list", None, id="config"),
        pytest.param(
            {"image": "ftp://x"},
            "image: 'ftp://x': ftp:// is not one of oci://, http://, https://, file://",
            None,
            id="scheme",
        ),
        pytest.param(
            {"image": "Hub/x"},
            "image: image reference 'Hub/x': the repository name must be lower case",
            None,
            id="reference",
        ),
        pytest.param(
            {"image": "file://host/x"},
            "image: 'file://host/x' must be file:// and an absolute path",
            None,
            id="file on a host",
        ),
        pytest.param({"target": {}}, "target: must name one kind of target, not none", None, id="no target"),
        pytest.param(
            {"target": {"gloo": {}, "xds": {}}},
            "target: must name one kind of target, not gloo and xds",
            None,
            id="two targets",
        ),
        pytest.param(
            {"target": {"istio": {"ports": [0]}}},
            "target.istio.ports[0]: expected a number >= 1",
            None,
            id="port",
        ),
        pytest.param(
            {"workloads": {}, "targetRefs": [{"name": "gw"}]},
            "targetRefs: cannot stand beside workloads; name the one or the other",
            None,
            id="both",
        ),
        pytest.param(
            {"routes": [{"match": {}}]},
            "routes[0].match: names nothing; what all requests get stands in spec.config",
            None,
            id="route for everything",
        ),
        pytest.param(
            {"routes": [{"match": {"path": {"prefix": "v1"}}}]},
            "routes[0].match.path.prefix: 'v1' must start with /",
            None,
            id="path without slash",
        ),
        pytest.param(
            {"routes": [{"match": {"path": {"prefix": "/", "exact": "/"}}}]},
            "routes[0].match.path: needs one of exact, prefix and regex",
            None,
            id="two ways",
        ),
        pytest.param(
            {"routes": [{"match": {"headers": {"x": {"regex": "(?=a)"}}}}]},
            "routes[0].match.headers.x.regex: RE2, which Envoy uses, has no '(?='",
            None,
            id="RE2",
        ),
        pytest.param(
            {"routes": [{"match": {"path": {"regex": "("}}}]},
            "routes[0].match.path.regex: '(' is no regular expression: missing ), unterminated"
            " subpattern at position 0",
            None,
            id="no regex",
        ),
        pytest.param(
            {"routes": [{"match": {"host": "a"}, "config": "x", "disabled": True}]},
            "routes[0].config: cannot stand beside disabled: true",
            None,
            id="disabled with config",
        ),
        pytest.param(
            {"routes": [{"match": {"host": "a"}}]},
            "routes[0]: needs a config, or disabled: true",
            None,
            id="route without config",
        ),
        pytest.param(
            {"configFrom": [{"path": "a"}]},
            "configFrom[0]: needs either secretKeyRef or configMapKeyRef",
            None,
            id="no source",
        ),
        pytest.param(
            {"config": "text", "configFrom": [{"path": "a", "secretKeyRef": {"name": "s"}}]},
            "configFrom: needs a config that is a mapping, not text",
            None,
            id="into text",
        ),
        pytest.param(
            {"verify": {"keys": [{}]}}, "verify.keys[0]: needs either secretRef or pem", None, id="no key"
        ),
        pytest.param(
            {"rollout": {"steps": [{"percent": 50}, {"percent": 5}]}},
            "rollout.steps: each step must have more percent than the one before",
            None,
            id="steps",
        ),
    ],
)
def test_a_mistake_is_explained(spec: dict[str, Any], complaint: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        read_intent(document(**spec), where="f.yaml")
    assert (str(caught.value), caught.value.hint) == (f"f.yaml: spec.{complaint}", hint)


@pytest.mark.parametrize(
    ("held", "complaint"),
    [
        pytest.param(
            [], "f.yaml: holds no kind of object, not weft.dev/v1alpha1 FilterDeployment", id="list"
        ),
        pytest.param(
            {"kind": "Pod", "apiVersion": "v1"},
            "f.yaml: holds v1 Pod, not weft.dev/v1alpha1 FilterDeployment",
            id="another kind",
        ),
        pytest.param(document() | {"spec": {}}, "f.yaml: spec.image: is missing", id="no image"),
        pytest.param(
            document() | {"metadata": {"name": "No"}},
            "f.yaml: metadata.name: expected text matching regex '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'",
            id="name",
        ),
    ],
)
def test_what_is_no_intent_is_refused(held: Any, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_intent(held, where="f.yaml")
    assert str(caught.value) == complaint


TEXT = """\
apiVersion: weft.dev/v1alpha1
kind: FilterDeployment
metadata: {name: a}
spec:
  image: hub/a/b
  routes:
  - match: {host: a.b}
    config: x
  - match:
      path: {prefix: v1}
"""


@pytest.mark.parametrize(
    ("change", "place"),
    [
        pytest.param(("", ""), "line 10: spec.routes[1].match.path.prefix:", id="a value"),
        pytest.param(("    config", "    confg"), "line 8: spec.routes[0].confg:", id="a field"),
        pytest.param(("  image: hub/a/b\n", ""), "line 4: spec.image:", id="missing: what is around it"),
    ],
)
def test_a_mistake_has_its_line(change: tuple[str, str], place: str) -> None:
    [held] = parse_documents(TEXT.replace(*change), where="f.yaml")
    with pytest.raises(UsageError) as caught:
        read_intent(held.value, where=held.where, line_of=held.line_of)
    assert str(caught.value).startswith(f"f.yaml {place} ")


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(JSON | some.fixed_dictionaries({}, optional=dict.fromkeys(EVERYTHING, JSON)))
def test_whatever_stands_there_is_read_or_refused(spec: Any) -> None:
    held = document() | {"spec": {"image": "hub/a/b", **spec} if isinstance(spec, dict) else spec}
    try:
        intent = read_intent(held, where="f")
    except UsageError:
        return
    assert read_intent(json.loads(json.dumps(intent.document())), where="f") == intent
