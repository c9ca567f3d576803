"""What weft tells Istio, told on by a real istiod to real Envoys: clients see what the filter does."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from modules.tiny import tiny_filter
from weft.mesh import KINDS
from worlds.deployments import VOLUMES, World
from worlds.istio_proxies import Proxy, found, gateway, outside, sidecar
from worlds.istiod import Istiod, control_plane
from worlds.kubernetes import Cluster
from worlds.waiting import until

pytestmark = pytest.mark.real("kubernetes", "distribution", "istiod", "envoy")

VERSION = "1.31"


@pytest.fixture(scope="module")
def istiod(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Istiod]:
    with control_plane(cluster, tmp_path_factory.mktemp("istiod")) as istiod:
        yield istiod


@pytest.fixture
def details(istiod: Istiod, world: World, tmp_path: Path) -> Iterator[Proxy]:
    """The sidecar of the workload details."""
    world.workload("details")
    with sidecar(istiod, world.namespace, "details", tmp_path / "details") as proxy:
        yield proxy


def eventually(found: Callable[[], Any], what: str) -> Any:
    """What ``found`` gives once that is something, however busy the machine is."""
    return until(found, what, 120)


def said(answer: HTTPResponse) -> Any:
    """What the filter put into an answer: its config. Istio may write JSON in other words."""
    value = answer.headers["x-one"]
    return json.loads(value) if value and value.startswith("{") else value


def adds(proxy: Proxy, value: Any) -> None:
    """Wait until the filter says ``value``."""
    eventually(lambda: said(proxy.ask()) == value, f"header {value}")


@pytest.mark.parametrize("mode", ["wasmplugin", "trafficextension"])
def test_a_filter_of_an_image_comes_changes_and_goes(world: World, details: Proxy, mode: str) -> None:
    adds(details, None)
    for number in (1, 2):
        config = f'{{"value": {number}}}'
        done = world.deploy("--mode", mode, "--istio-version", VERSION, "--config", config)
        assert done.code == 0, done.err
        adds(details, {"value": number})
    gone = world.undeploy()
    assert gone.code == 0, gone.err
    adds(details, None)
    assert details.refusals() == ""


@pytest.fixture
def node(world: World, tmp_path: Path) -> Path:
    """The folder of a node's cache, with the module that the image holds."""
    folder = tmp_path / "node"
    folder.mkdir()
    (folder / world.sha256).write_bytes(tiny_filter("x-one"))
    world.node_cache("one", world.sha256)
    return folder


Deploy = Callable[..., None]


@pytest.fixture
def deploy(world: World, node: Path) -> Deploy:
    """Deploy the filter as an intent says; ``istio`` are fields of its target."""

    def run(istio: dict[str, Any], *, name: str = "headers", **spec: Any) -> None:
        target = {"version": VERSION, "namespace": world.istio, "volume": {"path": str(node)}, **istio}
        held = {
            "apiVersion": "weft.dev/v1alpha1",
            "kind": "FilterDeployment",
            "metadata": {"name": name, "namespace": world.namespace},
            "spec": {"image": world.image, "target": {"istio": target}, **spec},
        }
        file = node.with_suffix(".json")
        file.write_text(json.dumps(held))
        words = ("--cache-namespace", world.system, "--timeout", "20")
        with world.cluster.kubelet(world.namespace):
            done = world.weft("deploy", "istio", "-f", str(file), *words)
        assert done.code == 0, done.err

    return run


def test_a_filter_of_a_file_comes_changes_and_goes(world: World, details: Proxy, deploy: Deploy) -> None:
    adds(details, None)
    for config in ("first", "second"):
        deploy({"mode": "envoyfilter"}, config=config)
        adds(details, config)
    with world.cluster.kubelet(world.namespace):
        gone = world.undeploy()
    assert gone.code == 0, gone.err
    adds(details, None)
    assert details.refusals() == ""


@pytest.fixture
def ways(istiod: Istiod, world: World, details: Proxy, tmp_path: Path) -> Iterator[Callable[[], set[str]]]:
    """A sidecar and a gateway; call it for the ways on which a client meets the filter now."""
    host = "outside.test"
    outside(istiod, world.namespace, host, details)
    world.workload("front")

    with gateway(istiod, world.namespace, "front", host, tmp_path / "front") as front:

        def filtered() -> set[str]:
            answers = {
                "inbound": details.ask(),
                "outbound": details.ask(by="outbound", to=("240.0.0.1", 80), host=host),
                "gateway": front.ask(by="gateway"),
            }
            assert {one.headers["x-from"] for one in answers.values()} == {"details"}
            return {way for way, answer in answers.items() if answer.headers["x-one"]}

        yield filtered
        assert front.refusals() == ""


ALL = {"inbound", "outbound", "gateway"}
# For Istio's own kinds, what a sidecar sends and what a gateway takes are one traffic: that of clients.
CLIENT = {"outbound", "gateway"}


@pytest.mark.parametrize(
    ("mode", "met"),
    [
        ("wasmplugin", {"inbound": {"inbound"}, "outbound": CLIENT, "gateway": CLIENT, "any": ALL}),
        ("trafficextension", {"inbound": {"inbound"}, "outbound": CLIENT, "gateway": CLIENT, "any": ALL}),
        (
            "envoyfilter",
            {"inbound": {"inbound"}, "outbound": {"outbound"}, "gateway": {"gateway"}, "any": ALL},
        ),
    ],
    ids=["wasmplugin", "trafficextension", "envoyfilter"],
)
def test_a_context_says_on_which_ways(
    ways: Callable[[], set[str]], deploy: Deploy, mode: str, met: dict[str, set[str]]
) -> None:
    assert ways() == set()
    for context, expected in met.items():
        deploy({"mode": mode, "context": context}, config={"way": context})
        eventually(lambda: ways() == expected, f"filter on {expected}")  # noqa: B023 - asked at once


@pytest.mark.parametrize("mode", ["wasmplugin", "envoyfilter"])
def test_ports_are_those_of_the_pod_and_of_the_hosts(
    ways: Callable[[], set[str]], deploy: Deploy, details: Proxy, mode: str
) -> None:
    """A service's own port (80) is not that of its pods."""
    for context, port, expected in (
        ("inbound", details.port, {"inbound"}),
        ("inbound", 80, set[str]()),
        ("outbound", 80, {"outbound"}),
        ("any", details.port, {"inbound"}),
    ):
        deploy({"mode": mode, "context": context, "ports": [port]}, config={"port": port})
        eventually(lambda: ways() == expected, f"filter on {expected}")  # noqa: B023 - asked at once


@pytest.mark.parametrize("mode", ["wasmplugin", "trafficextension"])
@pytest.mark.parametrize("failure", ["closed", "open", "reload"])
def test_a_proxy_is_told_what_was_asked(details: Proxy, deploy: Deploy, mode: str, failure: str) -> None:
    config = {"integer": 2**53, "fraction": 0.1, "text": "<ü\n", "nothing": None, "list": [{}, True]}
    asked = {"environment": {"A": "1"}, "hostEnvironment": ["PATH"], "rootId": "other", "failure": failure}
    deploy({"mode": mode}, config=config, **asked)
    [told] = eventually(lambda: list(found(details.told(), "ecds_filter")), "extension config")
    plugin = told["typed_config"]["config"]
    assert json.loads(plugin["configuration"]["value"]) == config
    assert plugin["root_id"] == "other"
    assert plugin["failure_policy"] == f"FAIL_{failure.upper()}"
    variables = {"host_env_keys": ["PATH"], "key_values": {"A": "1"}}
    assert plugin["vm_config"]["environment_variables"] == variables


@pytest.mark.parametrize(("mode", "different"), [("envoyfilter", 2), ("wasmplugin", 1)])
def test_two_configs_of_one_module_share_a_vm_only_where_istio_has_it_so(
    details: Proxy, deploy: Deploy, mode: str, different: int
) -> None:
    """The tiny filter keeps its config in a global: in a VM the last one counts."""
    for name in ("one", "two"):
        deploy({"mode": mode}, name=name, config={"name": name})

    def values() -> list[str]:
        return details.ask().headers.get_all("x-one", [])

    eventually(lambda: len(values()) == 2, "both filters")
    assert len(set(values())) == different


ROUTES = [
    {"match": {"path": {"prefix": "/healthz"}}, "disabled": True},
    {"match": {"host": "api.example.com", "path": {"regex": "/v[0-9]+"}}, "config": "api"},
    {"match": {"headers": {"x-user": {"prefix": "t-"}}}, "config": "tester"},
]


def test_each_request_gets_the_config_of_its_route(details: Proxy, deploy: Deploy) -> None:
    deploy({"mode": "envoyfilter"}, config="all", routes=ROUTES)
    adds(details, "all")
    asked = [
        details.ask("/healthz/live"),
        details.ask("/v1?x", host="api.example.com"),
        details.ask("/v1"),
        details.ask(x_user="t-1"),
    ]
    assert [said(one) for one in asked] == [None, "api", "all", "tester"]


@pytest.mark.parametrize(("failure", "then"), [("closed", 503), ("open", 200)], ids=["closed", "open"])
def test_a_crash_costs_its_own_request_and_what_failure_says(
    details: Proxy, deploy: Deploy, failure: str, then: int
) -> None:
    deploy({"mode": "envoyfilter"}, config="#", failure=failure, capabilities="auto")
    eventually(lambda: details.ask().status == 503, "crash")
    assert {details.ask().status for _ in range(5)} == {then}


@pytest.mark.parametrize(
    ("mode", "phases", "last"),
    [
        ("wasmplugin", ["AUTHN", "AUTHZ", "STATS", None], ["negative", "unsaid"]),
        ("envoyfilter", ["AUTHN", None], ["unsaid", "negative"]),
    ],
    ids=["wasmplugin", "envoyfilter"],
)
def test_filters_stand_in_the_order_of_phases_and_priorities(
    details: Proxy, deploy: Deploy, mode: str, phases: list[str | None], last: list[str]
) -> None:
    """What no priority means is Istio's; nothing else depends on which came first."""
    asked: dict[str, tuple[str | None, int | None]] = {
        f"{phase or 'any'}-{priority}".lower(): (phase, priority) for phase in phases for priority in (9, 1)
    }
    asked |= {"unsaid": (None, None), "negative": (None, -1)}
    for name, (phase, priority) in sorted(asked.items()):
        deploy({"mode": mode}, name=name, config={"a": name}, phase=phase, priority=priority)

    def order() -> list[str]:
        return [name for one in details.chain() for name in asked if f"{name}." in one or f".{name}~" in one]

    eventually(lambda: order() == [*list(asked)[:-2], *last], "order")


@contextmanager
def clients(proxy: Proxy) -> Iterator[list[tuple[int, Any]]]:
    """Somebody asks all the time; gives what was answered."""
    over, answers = threading.Event(), list[tuple[int, Any]]()

    def ask() -> None:
        while not over.wait(0.005):
            answer = proxy.ask()
            answers.append((answer.status, said(answer)))

    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(ask)
        try:
            yield answers
        finally:
            over.set()
            asking.result()


@pytest.mark.parametrize("mode", ["wasmplugin", "trafficextension", "envoyfilter"])
def test_no_client_meets_an_error_or_a_gap(world: World, details: Proxy, deploy: Deploy, mode: str) -> None:
    with clients(details) as answers:
        for number in (1, 2):
            deploy({"mode": mode}, config={"number": number})
            adds(details, {"number": number})
        with world.cluster.kubelet(world.namespace):
            assert world.undeploy().code == 0
        eventually(lambda: answers[-1][1] is None, "client without the filter")
    assert {status for status, _ in answers} == {200}
    values = [value for value, _ in itertools.groupby(value for _, value in answers)]
    assert values == [None, {"number": 1}, {"number": 2}, None]


def test_another_mode_takes_over(world: World, details: Proxy, deploy: Deploy) -> None:
    modes = ("wasmplugin", "envoyfilter", "trafficextension", "wasmplugin")
    with clients(details) as answers:
        for number, mode in enumerate(modes):
            deploy({"mode": mode}, config={"number": number})
            adds(details, {"number": number})
    assert {status for status, _ in answers} == {200}
    eventually(lambda: len([one for one in details.chain() if "headers" in one]) == 1, "one filter")


@pytest.mark.parametrize("mode", ["wasmplugin", "trafficextension"])
def test_a_filter_meets_the_gateways_that_it_refers_to(
    ways: Callable[[], set[str]], deploy: Deploy, mode: str
) -> None:
    deploy({"mode": mode}, targetRefs=[{"name": "front"}], config={"on": "gateways"})
    eventually(lambda: ways() == {"gateway"}, "filter on the gateway alone")


def test_what_is_in_the_root_namespace_is_for_all_pods_with_the_labels_and_no_others(
    istiod: Istiod, world: World, deploy: Deploy, tmp_path: Path
) -> None:
    with (
        sidecar(istiod, world.namespace, "shared", tmp_path / "shared") as shared,
        sidecar(istiod, world.namespace, "bystander", tmp_path / "bystander") as bystander,
    ):
        world.namespace = istiod.root
        world.workload("shared")
        deploy({"mode": "wasmplugin", "namespace": istiod.root}, config={"from": "root"})
        adds(shared, {"from": "root"})
        assert said(bystander.ask()) is None
        assert world.undeploy().code == 0


def test_a_configmap_is_where_the_proxy_is_told(world: World, details: Proxy, deploy: Deploy) -> None:
    """No kubelet mounts it here, so Envoy says which file it lacks, and goes on as before."""
    deploy({"mode": "configmap"}, config="one")
    [volume] = json.loads(world.annotations("details")[VOLUMES[0]])
    [mount] = json.loads(world.annotations("details")[VOLUMES[1]])
    [held] = [one for one in world.configs() if one["metadata"]["name"] == volume["configMap"]["name"]]
    [key] = held["binaryData"]
    eventually(lambda: f"Invalid path: {mount['mountPath']}/{key}" in details.refused(), "refusal")
    assert details.ask().status == 200


def test_an_operator_and_node_caches_do_it_all(world: World, details: Proxy, tmp_path: Path) -> None:
    """Nothing but the kubelet is played: a resource is made, and clients see what it says."""
    own, node = KINDS[0], tmp_path / "one"
    world.cluster.knows(own.group, own.version, own.name, own.plural)
    resources = f"{own.api_version}/namespaces/{world.namespace}/{own.plural}"
    target = {"mode": "envoyfilter", "namespace": world.istio, "volume": {"path": str(node)}}
    held = {
        "apiVersion": own.api_version,
        "kind": own.name,
        "metadata": {"name": "headers"},
        "spec": {"image": world.image, "config": "one", "target": {"istio": target}},
    }
    world.node_cache(node.name)
    with (
        world.cache_process(node, named=str(node)),
        world.process("operator", tmp_path / "operator.log", "--port", "0", "--again", "1"),
        world.cluster.kubelet(world.namespace),
    ):
        world.ask("POST", resources, held)
        adds(details, "one")
        world.ask("PATCH", f"{resources}/headers", {"spec": {"config": "two"}})
        adds(details, "two")
        world.ask("DELETE", f"{resources}/headers")
        adds(details, None)
        eventually(lambda: not world.ask("GET", resources)["items"], "end of the resource")
    assert details.refusals() == ""
