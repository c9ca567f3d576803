"""wasme's FilterDeployments mean what they meant, object for object; ASM's too."""

import json
from typing import Any

import pytest

from weft.errors import UsageError
from weft.mesh import Facts, Intent, Workload, import_document, make_plan
from weft.mesh.intent.image_url import ImageUrl
from worlds.intents import MODULE

STRING = "type.googleapis.com/google.protobuf.StringValue"
FOLDER = "/var/local/lib/wasme-cache"
WORK = Workload(
    kind="Deployment", name="work", namespace="ns", labels={"app": "work"}, pod_labels={"app": "work"}
)


def wasme(**filter_: Any) -> dict[str, Any]:
    given = {"id": "filter-id", "image": "hub/filter/image:v1", "rootID": "root_id", **filter_}
    return {
        "apiVersion": "wasme.io/v1",
        "kind": "FilterDeployment",
        "metadata": {"name": "mine", "namespace": "ns"},
        "spec": {"filter": given, "deployment": {"istio": {"kind": "Deployment"}}},
    }


def intent_of(document: Any) -> Intent:
    return import_document(document, where="f.yaml").intent


def objects(intent: Intent, version: str = "1.9", *workloads: Workload) -> list[Any]:
    known = Facts(
        image=ImageUrl.parse(intent.spec.image),
        module=MODULE,
        workloads=workloads or (WORK,),
        istio_version=version,
    )
    return list(make_plan(intent, known).objects)


def wasmes_envoyfilter(value: dict[str, Any], context: str = "SIDECAR_INBOUND") -> dict[str, Any]:
    """What wasme creates for the workload ``work`` and the filter ``filter-id``."""
    listener = {
        "filterChain": {
            "filter": {"name": "envoy.http_connection_manager", "subFilter": {"name": "envoy.router"}}
        }
    }
    patch = {
        "applyTo": "HTTP_FILTER",
        "match": {"context": context, "listener": listener},
        "patch": {"operation": "INSERT_BEFORE", "value": {"name": "envoy.filters.http.wasm", **value}},
    }
    return {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": "work-filter-id", "namespace": "ns"},
        "spec": {"configPatches": [patch], "workloadSelector": {"labels": {"app": "work"}}},
    }


def wasmes_config(**configuration: Any) -> dict[str, Any]:
    return {
        "name": "filter-id",
        "rootId": "root_id",
        **configuration,
        "vmConfig": {
            "runtime": "envoy.wasm.runtime.v8",
            "vmId": "filter-id",
            "code": {"local": {"filename": f"{FOLDER}/{MODULE.sha256}"}},
        },
    }


def typed(config: dict[str, Any]) -> dict[str, Any]:
    struct = {
        "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
        "typeUrl": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "value": {"config": config},
    }
    return {"typedConfig": struct}


WORLD = {"@type": STRING, "value": "world"}


@pytest.mark.parametrize("version", ["1.7", "1.7.1", "1.8.4", "1.9.9-dev"])
def test_istio_1_7_to_1_9_is_told_what_wasme_told_it(version: str) -> None:
    *_, told = objects(intent_of(wasme(config=WORLD)), version)
    assert told == wasmes_envoyfilter(typed(wasmes_config(configuration=WORLD)))


def test_without_config_there_is_none() -> None:
    assert objects(intent_of(wasme()))[-1] == wasmes_envoyfilter(typed(wasmes_config()))


@pytest.mark.parametrize("version", ["1.5.0", "1.6.6"])
def test_istio_before_1_7_is_told_without_types(version: str) -> None:
    *_, told = objects(intent_of(wasme(config=WORLD)), version)
    assert told == wasmes_envoyfilter({"config": {"config": wasmes_config(configuration="world")}})


@pytest.mark.parametrize("version", ["1.10", "1.30.3", ""])
def test_newer_istio_is_told_by_present_names(version: str) -> None:
    *_, told = objects(intent_of(wasme(config=WORLD)), version)
    [patch] = told["spec"]["configPatches"]
    assert patch["match"]["listener"]["filterChain"]["filter"] == {
        "name": "envoy.filters.network.http_connection_manager",
        "subFilter": {"name": "envoy.filters.http.router"},
    }
    assert patch["patch"]["value"] == {
        "name": "filter-id",
        **typed(wasmes_config(configuration=WORLD)),
    }


@pytest.mark.parametrize(
    ("word", "context"),
    [
        ("", "SIDECAR_INBOUND"),
        ("inbound", "SIDECAR_INBOUND"),
        ("Outbound", "SIDECAR_OUTBOUND"),
        ("ANY", "ANY"),
        ("gateway", "GATEWAY"),
    ],
)
def test_the_patch_context_becomes_istios(word: str, context: str) -> None:
    *_, told = objects(intent_of(wasme(patchContext=word)))
    assert told == wasmes_envoyfilter(typed(wasmes_config()), context)


def annotations(held: Any) -> Any:
    return held["spec"]["template"]["metadata"]["annotations"]


def test_pods_get_wasmes_annotations() -> None:
    assert annotations(objects(intent_of(wasme()))[0]) == {
        "sidecar.istio.io/userVolume": f'[{{"name":"cache-dir","hostPath":{{"path":"{FOLDER}"}}}}]',
        "sidecar.istio.io/userVolumeMount": f'[{{"mountPath":"{FOLDER}","name":"cache-dir"}}]',
    }


def test_without_labels_every_workload_of_the_kind_gets_one() -> None:
    two = Workload(kind="Deployment", name="two", namespace="ns", pod_labels={"app": "two"})
    other = Workload(kind="DaemonSet", name="three", namespace="ns")
    elsewhere = Workload(kind="Deployment", name="four", namespace="other")
    told = objects(intent_of(wasme()), "1.9", WORK, two, other, elsewhere)
    assert [(one["kind"], one["metadata"]["name"]) for one in told] == [
        ("Deployment", "work"),
        ("Deployment", "two"),
        ("EnvoyFilter", "work-filter-id"),
        ("EnvoyFilter", "two-filter-id"),
    ]


def test_the_id_is_name_and_namespace_where_none_is_given() -> None:
    document = wasme()
    del document["spec"]["filter"]["id"]
    *_, told = objects(intent_of(document))
    assert told["metadata"]["name"] == "work-mine.ns"


@pytest.mark.parametrize(
    ("config", "read"),
    [
        pytest.param({"@type": STRING, "value": "world"}, "world", id="text"),
        pytest.param({"@type": STRING}, "", id="empty text"),
        pytest.param({"@type": STRING.replace("String", "Bytes"), "value": "d29ybGQ="}, "world", id="bytes"),
        pytest.param(
            {"@type": STRING.replace("StringValue", "Struct"), "value": {"a": 1}}, {"a": 1}, id="struct"
        ),
    ],
)
def test_a_config_is_what_the_filter_got(config: Any, read: Any) -> None:
    assert intent_of(wasme(config=config)).spec.config == read


def test_how_the_image_is_pulled_is_kept() -> None:
    pull = {"pullSecret": "s", "insecureSkipVerify": True, "plainHttp": True}
    spec = intent_of(wasme(imagePullOptions=pull)).spec
    assert (spec.pull_secret, spec.registry.insecure_skip_verify, spec.registry.plain_http) == (
        "s",
        True,
        True,
    )


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"filter": None}, "must provide spec.filter", id="no filter"),
        pytest.param({"deployment": {}}, "must provide spec.deployment", id="no deployment"),
        pytest.param(
            {"deployment": {"istio": {"kind": "Job"}}},
            "spec.deployment.istio.kind: unknown workload type Job, must be one of Deployment, DaemonSet,"
            " StatefulSet",
            id="kind",
        ),
        pytest.param(
            {"filter": {"image": "a/b", "patchContext": "x"}},
            "spec.filter.patchContext: unknown patch context x, must be one of the following values: any,"
            " inbound, outbound, gateway",
            id="context",
        ),
        pytest.param(
            {"filter": {"image": "a/b", "config": {"@type": "type/Int"}}},
            "spec.filter.config: has the type 'type/Int'",
            id="type of config",
        ),
        pytest.param(
            {"filter": {"image": "a/b", "config": "text"}},
            "spec.filter.config: must be a mapping with '@type'",
            id="config without type",
        ),
        pytest.param(
            {
                "filter": {
                    "image": "a/b",
                    "config": {"@type": STRING.replace("String", "Bytes"), "value": "%"},
                }
            },
            "spec.filter.config: is not base64 of UTF-8 text",
            id="no base64",
        ),
        pytest.param(
            {"filter": {"image": "a/b", "rootId": "x"}},
            "spec.filter.rootId: there is no such field",
            id="field",
        ),
    ],
)
def test_a_mistake_is_told_in_wasmes_words(change: dict[str, Any], complaint: str) -> None:
    document = wasme()
    document["spec"] |= change
    with pytest.raises(UsageError) as caught:
        intent_of(document)
    assert str(caught.value) == f"f.yaml: {complaint}"


def asm(workload: str = "workload", kind: str = "ASMFilterDeployment", **filter_: Any) -> dict[str, Any]:
    given = {
        "parameters": '{"name":"hello"}',
        "image": "registry.example.com/asm/sample:v0.1",
        "imagePullOptions": {"pullSecret": "asmwasm-cache"},
        "rootID": "my_root_id",
        "id": "details-v1-sample.default",
        **filter_,
    }
    return {
        "apiVersion": "istio.alibabacloud.com/v1beta1",
        "kind": kind,
        "metadata": {"name": "details-v1-sample"},
        "spec": {workload: {"kind": "Deployment", "labels": {"app": "details"}}, "filter": given},
    }


@pytest.mark.parametrize("kind", ["ASMFilterDeployment", "ASMFiterDeployment"])
@pytest.mark.parametrize("workload", ["workload", "deployment"])
def test_asm_is_read_in_all_its_spellings(kind: str, workload: str) -> None:
    held = intent_of(asm(workload, kind))
    assert (held.filter_id, held.spec.config, held.spec.pull_secret) == (
        "details-v1-sample.default",
        '{"name":"hello"}',
        "asmwasm-cache",
    )
    assert held.spec.workloads is not None
    assert held.spec.workloads.labels == {"app": "details"}


def test_asm_keeps_its_folder_and_its_name() -> None:
    there = Workload(kind="Deployment", name="details-v1", pod_labels={"app": "details"})
    mounted, told = objects(intent_of(asm(patchContext="SIDECAR_OUTBOUND")), "1.8", there)
    volume = json.loads(annotations(mounted)["sidecar.istio.io/userVolume"])
    mount = json.loads(annotations(mounted)["sidecar.istio.io/userVolumeMount"])
    assert volume == [{"name": "wasmfilters-dir", "hostPath": {"path": "/var/local/lib/wasm-filters"}}]
    assert mount == [{"mountPath": "/var/local/lib/wasm-filters", "name": "wasmfilters-dir"}]
    [patch] = told["spec"]["configPatches"]
    assert patch["match"]["context"] == "SIDECAR_OUTBOUND"
    code = patch["patch"]["value"]["typedConfig"]["value"]["config"]["vmConfig"]["code"]
    assert code["local"]["filename"] == f"/var/local/lib/wasm-filters/{MODULE.sha256}"


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        pytest.param(
            asm(patchContext="inbound"),
            "spec.filter.patchContext: 'inbound' is not one of ANY, SIDECAR_INBOUND,"
            " SIDECAR_OUTBOUND, GATEWAY",
            id="wasme's word",
        ),
        pytest.param(
            {**asm(), "spec": {**asm()["spec"], "deployment": {}}},
            "spec.workload and spec.deployment mean the same; keep one",
            id="both",
        ),
        pytest.param({**asm(), "spec": {"filter": {}}}, "must provide spec.workload", id="nowhere"),
        pytest.param({**asm(), "spec": {"workload": {}}}, "must provide spec.filter", id="nothing"),
    ],
)
def test_a_mistake_in_asms_is_explained(document: Any, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        intent_of(document)
    assert str(caught.value) == f"f.yaml: {complaint}"


def test_a_document_without_a_kind_is_refused_as_such() -> None:
    with pytest.raises(UsageError) as caught:
        intent_of({"a": 1})
    assert str(caught.value) == "f.yaml: there is no kind"


def test_another_kind_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError) as caught:
        intent_of({"apiVersion": "v1", "kind": "Pod"})
    assert str(caught.value) == "f.yaml: v1 Pod cannot be read"
    assert caught.value.hint == (
        "FilterDeployment (weft.dev/v1alpha1), FilterDeployment (wasme.io/v1), WasmPlugin"
        " (extensions.istio.io/v1alpha1), TrafficExtension (extensions.istio.io/v1alpha1),"
        " ASMFilterDeployment"
        " (istio.alibabacloud.com/v1beta1), ASMFiterDeployment (istio.alibabacloud.com/v1beta1)"
    )
