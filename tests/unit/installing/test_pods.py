"""What runs: with as little as it needs, and with words that the program understands."""

from typing import Any

import click
import pytest

from weft.cli.serve import serve
from weft.clusters import CACHE_PODS
from weft.errors import UsageError
from weft.installing import Installation, checked, objects

HELD = {(held["kind"], held["metadata"]["name"]): held for held in objects(Installation())}
PODS = {
    name: HELD[kind, name]["spec"]["template"]["spec"]
    for kind, name in (("Deployment", "weft-operator"), ("DaemonSet", "weft-node-cache"))
}


def container(name: str) -> dict[str, Any]:
    (only,) = PODS[name]["containers"]
    held: dict[str, Any] = only
    return held


@pytest.mark.parametrize("name", PODS)
def test_a_pod_can_do_nothing_beside_its_work(name: str) -> None:
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert PODS[name]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(name)["resources"]["limits"].keys() == {"memory"}
    assert container(name)["resources"]["requests"].keys() == {"cpu", "memory"}


def test_only_the_node_cache_is_root_because_its_folder_is_roots() -> None:
    users = {name: pod["securityContext"]["runAsUser"] for name, pod in PODS.items()}
    assert users == {"weft-operator": 65532, "weft-node-cache": 0}
    assert PODS["weft-operator"]["securityContext"]["runAsNonRoot"]
    folders = {
        name: [one["hostPath"] for one in pod["volumes"] if "hostPath" in one] for name, pod in PODS.items()
    }
    assert folders == {
        "weft-operator": [],
        "weft-node-cache": [{"path": "/var/local/lib/wasme-cache", "type": "DirectoryOrCreate"}],
    }


@pytest.mark.parametrize("name", PODS)
def test_everything_that_is_mounted_is_there(name: str) -> None:
    mounted = {one["name"] for one in container(name)["volumeMounts"]}
    assert mounted == {one["name"] for one in PODS[name]["volumes"]}
    told = {held["metadata"]["name"] for (kind, _), held in HELD.items() if kind in {"ConfigMap", "Secret"}}
    asked = {
        one.get("configMap", {}).get("name") or one.get("secret", {}).get("secretName")
        for one in PODS[name]["volumes"]
    }
    assert asked - {None} <= told


@pytest.mark.parametrize(
    ("name", "understood"),
    [
        pytest.param(
            "weft-node-cache",
            {
                "cluster": "True",
                "cache_namespace": "weft-system",
                "directory": "/var/local/lib/wasme-cache",
                "node": "$(NODE_NAME)",
                "address": "$(POD_IP)",
                "port": "9979",
            },
            id="node cache",
        ),
        pytest.param(
            "weft-operator",
            {
                "cache_namespace": "weft-system",
                "address": "$(POD_IP)",
                "port": "9978",
                "webhook_port": "8443",
            },
            id="operator",
        ),
    ],
)
def test_the_program_understands_how_it_is_started(name: str, understood: dict[str, str]) -> None:
    program, service, *words = container(name)["args"]
    assert (program, service) == ("serve", name.removeprefix("weft-"))
    command = serve.commands[service]
    with command.make_context(service, list(words), help_option_names=["-h", "--help"]) as context:
        given = {
            name: str(value)
            for name, value in context.params.items()
            if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        }
    assert given == understood


def test_deployers_find_the_node_caches() -> None:
    name, _, value = CACHE_PODS.partition("=")
    assert HELD["DaemonSet", "weft-node-cache"]["spec"]["template"]["metadata"]["labels"][name] == value


@pytest.mark.parametrize("name", PODS)
def test_every_variable_in_the_words_is_set(name: str) -> None:
    words = " ".join(container(name)["args"])
    named = {word.partition(")")[0] for word in words.split("$(")[1:]}
    assert named <= {one["name"] for one in container(name)["env"]}


@pytest.mark.parametrize("name", PODS)
def test_probes_and_services_name_ports_that_are_there(name: str) -> None:
    ports = {one["name"] for one in container(name)["ports"]}
    probed = {container(name)[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")}
    service = HELD["Service", name]["spec"]
    assert probed | {one["targetPort"] for one in service["ports"]} <= ports
    (workload,) = [
        held for (kind, one), held in HELD.items() if one == name and kind in {"Deployment", "DaemonSet"}
    ]
    assert service["selector"] == workload["spec"]["selector"]["matchLabels"]
    assert service["selector"].items() <= workload["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("name", PODS)
def test_what_prometheus_is_told_of_a_pod_is_where_the_program_serves(name: str) -> None:
    (workload,) = [
        held for (kind, one), held in HELD.items() if one == name and kind in {"Deployment", "DaemonSet"}
    ]
    ports = {one["name"]: one["containerPort"] for one in container(name)["ports"]}
    assert workload["spec"]["template"]["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(ports["http"]),
        "prometheus.io/path": "/metrics",
    }
    assert f"--port={ports['http']}" in container(name)["args"]


def test_one_image_that_cannot_be_had_does_not_take_the_node_cache_out_of_its_service() -> None:
    assert container("weft-node-cache")["readinessProbe"]["httpGet"]["path"] == "/healthz"
    assert HELD["Service", "weft-node-cache"]["spec"]["internalTrafficPolicy"] == "Local"


def test_the_node_cache_is_on_every_node() -> None:
    assert PODS["weft-node-cache"]["tolerations"] == [{"operator": "Exists"}]


def test_the_webhook_stands_in_nobodys_way() -> None:
    (entry,) = HELD["ValidatingWebhookConfiguration", "weft-webhook"]["webhooks"]
    assert entry["failurePolicy"] == "Ignore"
    assert entry["sideEffects"] == "None"
    assert entry["timeoutSeconds"] <= 5
    assert {operation for rule in entry["rules"] for operation in rule["operations"]} == {"CREATE", "UPDATE"}


def test_the_namespace_is_restricted_where_no_folder_of_the_node_is_needed() -> None:
    levels = [
        held["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for node_cache in (True, False)
        for held in objects(Installation(node_cache=node_cache))
        if held["kind"] == "Namespace"
    ]
    assert levels == ["privileged", "restricted"]


def test_more_folders_are_mounted_under_their_own_names() -> None:
    asm = "/var/local/lib/wasm-filters"
    (pod,) = [
        held["spec"]["template"]["spec"]
        for held in objects(Installation(folders=(asm,)))
        if held["kind"] == "DaemonSet"
    ]
    (running,) = pod["containers"]
    assert f"--also-directory={asm}" in running["args"]
    assert {"name": "modules-2", "mountPath": asm} in running["volumeMounts"]
    assert {"name": "modules-2", "hostPath": {"path": asm, "type": "DirectoryOrCreate"}} in pod["volumes"]


@pytest.mark.parametrize("folder", ["modules", "/", "/a/../b", "/a/..", "//a", ""])
def test_what_is_no_folder_of_a_node_is_refused(folder: str) -> None:
    with pytest.raises(UsageError, match="is no folder of a node"):
        checked(Installation(folders=(folder,)))
