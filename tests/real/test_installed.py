"""An installation in a real Kubernetes API: what its kinds refuse, what its accounts may do."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from uuid import uuid4

import pytest

from weft.clusters import MODULE_LABEL, node_report
from weft.installing import Certificate, Installation, webhook_host
from weft.kube import Denied, Kube, Lease, Object, Ref, find_cluster, open_kube
from weft.mesh import KINDS, read_intent
from weft.workflows.deploying.cluster import ClusterAccess
from weft.workflows.installing.cluster import How, install
from weft.workflows.serving.webhook import trusted_tls
from worlds.kubernetes import Cluster, api_server
from worlds.threads import Handler, answering

pytestmark = pytest.mark.real("kubernetes")

HERE = Installation(secrets_of=("bookinfo",))
SYSTEM = HERE.namespace
WEFT = KINDS[0]
OPERATOR, NODE_CACHE = (
    f"system:serviceaccount:{SYSTEM}:{name}" for name in ("weft-operator", "weft-node-cache")
)
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
FILTERS = "/apis/weft.dev/v1alpha1/namespaces/bookinfo/filterdeployments"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with weft in it; nothing of weft runs."""
    with api_server(tmp_path_factory.mktemp("installed")) as cluster:
        cluster.namespace("bookinfo")
        cluster.namespace("shop")
        how = How(seconds=30, force=False, show=lambda _: None, say=print)
        access = ClusterAccess(env={}, kubeconfig=cluster.admin)
        asyncio.run(install(access, HERE, how, wait=False))
        yield cluster


@asynccontextmanager
async def account(cluster: Cluster, name: str) -> AsyncIterator[Kube]:
    """The API as the account of a pod sees it."""
    path = cluster.user(name)
    async with open_kube(find_cluster({}, file=path), {}) as kube:
        yield kube


@pytest.fixture
async def operator(installed: Cluster) -> AsyncIterator[Kube]:
    async with account(installed, OPERATOR) as kube:
        yield kube


@pytest.fixture
async def node_cache(installed: Cluster) -> AsyncIterator[Kube]:
    async with account(installed, NODE_CACHE) as kube:
        yield kube


def made(cluster: Cluster, **spec: Any) -> dict[str, Any]:
    """A filter deployment in the cluster; a refusal is a ``ValueError`` with the API's words."""
    held = {
        "apiVersion": "weft.dev/v1alpha1",
        "kind": "FilterDeployment",
        "metadata": {"name": f"filter-{uuid4().hex[:8]}"},
        "spec": {"image": "hub.example.com/team/add-header:v1", **spec},
    }
    try:
        return cluster.ask("POST", FILTERS, held)
    except HTTPError as error:
        raise ValueError(json.load(error)["message"]) from None


def test_an_intent_gets_its_defaults_and_is_read_as_it_was_meant(installed: Cluster) -> None:
    held = made(installed)
    assert held["spec"] == {
        "image": "hub.example.com/team/add-header:v1",
        "target": {"istio": {"mode": "auto", "namespace": "istio-system"}},
        "failure": "closed",
        "vm": "separate",
        "capabilities": "all",
    }
    assert read_intent(held, where="the cluster").document()["spec"] == {
        "image": "hub.example.com/team/add-header:v1"
    }


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"config": "text", "capabilities": ["proxy_log"]}, id="fields of several types"),
        pytest.param({"target": {"gloo": {"labels": {"gateway": "proxy"}}}}, id="another target"),
        pytest.param({"workloads": None, "phase": None}, id="null as nothing"),
        pytest.param(
            {
                "routes": [
                    {"match": {"path": {"prefix": "/v1"}}, "config": {"a": {"b": [1]}}},
                    {"match": {"headers": {"x": "y", "z": {"regex": "a+"}}}, "disabled": True},
                ]
            },
            id="routes",
        ),
        pytest.param(
            {"configFrom": [{"path": "a.b", "secretKeyRef": {"name": "s", "key": "k"}}]}, id="a secret"
        ),
    ],
)
def test_the_cluster_keeps_what_the_reader_reads(installed: Cluster, spec: dict[str, Any]) -> None:
    held = made(installed, **spec)
    wanted = {key: value for key, value in spec.items() if value is not None}
    assert {key: held["spec"][key] for key in wanted} == wanted
    read_intent(held, where="the cluster")


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        pytest.param(
            {"image": "ftp://a"},
            'spec.image: Invalid value: "ftp://a": must be registry/repository:tag, or start with oci://,'
            " http://, https:// or file://",
            id="scheme",
        ),
        pytest.param(
            {"workloads": {}, "targetRefs": [{"name": "a"}]},
            "targetRefs cannot stand beside workloads; name the one or the other",
            id="both places",
        ),
        pytest.param({"target": {}}, "must name one kind of target", id="no target"),
        pytest.param({"target": {"istio": {}, "gloo": {}}}, "must name one kind of target", id="two targets"),
        pytest.param(
            {"target": {"istio": {"ports": [80, 80]}}},
            "spec.target.istio.ports[1]: Duplicate value: 80",
            id="port",
        ),
        pytest.param(
            {"configFrom": [{"path": "a"}]}, "needs either secretKeyRef or configMapKeyRef", id="no source"
        ),
        pytest.param({"verify": {"keys": [{"pem": ""}]}}, "needs either secretRef or pem", id="no key"),
        pytest.param({"environment": {"": "a"}}, "a variable needs a name", id="no name"),
        pytest.param(
            {"rollout": {"steps": [{"percent": 50}, {"percent": 50}]}},
            "each step must have more percent than the one before",
            id="no step forward",
        ),
        pytest.param(
            {"routes": [{"match": {"path": {"exact": "/a", "prefix": "/a"}}, "disabled": True}]},
            "needs one of exact, prefix and regex",
            id="two ways to match",
        ),
        pytest.param(
            {"routes": [{"match": {"path": {"prefix": "a"}}, "disabled": True}]},
            "should match '^/'",
            id="no slash",
        ),
        pytest.param(
            {"routes": [{"match": {"host": "a"}}]}, "spec.routes[0].config: Required value", id="no config"
        ),
        pytest.param({"priority": 2**31}, "should be less than or equal to 2147483647", id="priority"),
    ],
)
def test_the_cluster_refuses_what_cannot_be(installed: Cluster, spec: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="is invalid") as error:
        made(installed, **spec)
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("api", "kind", "spec"),
    [
        pytest.param(
            "wasme.io/v1",
            "FilterDeployment",
            {
                "deployment": {"istio": {"kind": "Deployment"}},
                "filter": {
                    "config": {
                        "@type": "type.googleapis.com/google.protobuf.StringValue",
                        "value": "world",
                    },
                    "image": "webassemblyhub.io/ilackarms/assemblyscript-test:istio-1.5",
                },
            },
            id="wasme",
        ),
        *(
            pytest.param(
                "istio.alibabacloud.com/v1beta1",
                kind,
                {
                    place: {"kind": "Deployment", "labels": {"app": "details"}},
                    "filter": {
                        "parameters": "{}",
                        "image": "r/a:1",
                        "rootID": "my",
                        "id": "details",
                        "more": 1,
                    },
                },
                id=f"{kind} {place}",
            )
            for kind, place in (("ASMFilterDeployment", "workload"), ("ASMFiterDeployment", "deployment"))
        ),
    ],
)
async def test_what_wasme_and_asm_wrote_is_kept_whole_and_gets_a_status_of_their_shape(
    operator: Kube, installed: Cluster, api: str, kind: str, spec: dict[str, Any]
) -> None:
    name = f"theirs-{uuid4().hex[:8]}"
    held = {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec}
    root = f"/apis/{api}/namespaces/bookinfo/{kind.lower()}s"
    assert installed.ask("POST", root, held)["spec"] == spec
    status = {"observedGeneration": "1", "workloads": {"details-v1": {"state": "Succeeded"}}, "reason": ""}
    written = await operator.merge(Ref(api, kind, name, "bookinfo"), {"status": status}, subresource="status")
    assert (written["spec"], written["status"]) == (spec, status)


async def test_the_operator_keeps_status_and_finalizer_of_an_intent(
    operator: Kube, installed: Cluster
) -> None:
    held = made(installed)
    ref = Ref.of(held)
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "Programmed",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    workload = {"kind": "Deployment", "name": "details", "state": "Succeeded"}
    status = {"observedGeneration": 1, "conditions": [condition], "workloads": [workload]}
    metadata = {"name": ref.name, "namespace": ref.namespace}

    async def apply(subresource: str = "", *, finalizers: tuple[str, ...] = (), **fields: Any) -> Object:
        marked = metadata | ({"finalizers": list(finalizers)} if finalizers else {})
        held = {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": marked, **fields}
        return await operator.apply(held, manager="weft-operator", subresource=subresource)

    await apply("status", status=status)
    kept = await apply(finalizers=("weft.dev/filter",))
    assert (kept["status"], kept["metadata"]["finalizers"]) == (status, ["weft.dev/filter"])
    with pytest.raises(Denied):
        await operator.delete(ref)
    assert "finalizers" not in (await apply())["metadata"]


MAY = (
    ("list", "apps", "deployments", ""),
    ("patch", "apps", "statefulsets", "shop"),
    ("watch", "", "pods", SYSTEM),
    ("list", "", "configmaps", ""),
    ("create", "", "configmaps", SYSTEM),
    ("create", "", "configmaps", "bookinfo"),
    ("create", "networking.istio.io", "envoyfilters", "shop"),
    ("delete", "extensions.istio.io", "wasmplugins", "shop"),
    ("patch", "gateway.solo.io", "gateways", "shop"),
    ("get", "", "secrets", "bookinfo"),
)
MAY_NOT = (
    ("get", "", "secrets", "shop"),
    ("create", "", "configmaps", "shop"),
    ("list", "", "pods", "shop"),
    ("list", "", "secrets", "bookinfo"),
    ("get", "", "secrets", SYSTEM),
    ("create", "", "secrets", SYSTEM),
    ("create", "apps", "deployments", "shop"),
    ("delete", "apps", "deployments", "shop"),
    ("create", "", "pods", SYSTEM),
    ("create", "", "pods/exec", "shop"),
    ("create", "", "serviceaccounts/token", SYSTEM),
    ("create", "rbac.authorization.k8s.io", "clusterroles", ""),
    ("create", "rbac.authorization.k8s.io", "rolebindings", "shop"),
    ("patch", "apiextensions.k8s.io", "customresourcedefinitions", ""),
    ("delete", "weft.dev", "filterdeployments", "shop"),
)


async def test_the_operator_may_do_its_work_and_nothing_else(operator: Kube) -> None:
    async def allowed(verb: str, group: str, plural: str, namespace: str) -> bool:
        return await operator.allowed(verb, group, plural, namespace=namespace)

    granted = {asked: await allowed(*asked) for asked in (*MAY, *MAY_NOT)}
    assert granted == dict.fromkeys(MAY, True) | dict.fromkeys(MAY_NOT, False)


async def test_the_operator_reads_a_secret_where_that_was_granted_and_nowhere_else(
    operator: Kube, installed: Cluster
) -> None:
    name = f"pull-{uuid4().hex[:8]}"
    for namespace in ("bookinfo", "shop", SYSTEM):
        installed.ask("POST", f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": name}})
    assert (await operator.get(Ref("v1", "Secret", name, "bookinfo")))["metadata"]["name"] == name
    for namespace in ("shop", SYSTEM):
        with pytest.raises(Denied, match='cannot get resource "secrets"'):
            await operator.get(Ref("v1", "Secret", name, namespace))


async def test_the_operator_can_become_the_one_that_acts(operator: Kube) -> None:
    lease = Lease(operator, "weft-operator", SYSTEM, "me")
    async with asyncio.timeout(20), lease.held():
        held = await operator.get(Ref("coordination.k8s.io/v1", "Lease", "weft-operator", SYSTEM))
        assert held["spec"]["holderIdentity"] == "me"


async def test_replicas_of_the_operator_share_a_certificate_that_stays_when_weft_is_installed_again(
    operator: Kube, installed: Cluster
) -> None:
    await asyncio.gather(*(trusted_tls(operator, SYSTEM) for _ in range(3)))
    outcomes: list[str] = []
    how = How(seconds=30, force=False, show=lambda one: outcomes.append(one.done), say=print)
    await install(ClusterAccess(env={}, kubeconfig=installed.admin), HERE, how, wait=False)
    assert set(outcomes) == {"unchanged"}
    secret = await operator.get(Ref("v1", "Secret", "weft-webhook", SYSTEM))
    kept = Certificate.kept(secret, webhook_host(HERE), datetime.now(UTC))
    assert kept is not None
    configuration = installed.ask("GET", f"{WEBHOOKS}/weft-webhook")
    (entry,) = kept.webhook()["webhooks"]
    assert configuration["webhooks"][0]["clientConfig"]["caBundle"] == entry["clientConfig"]["caBundle"]


async def test_the_node_cache_hears_what_is_wanted_and_says_what_it_holds(
    operator: Kube, node_cache: Kube
) -> None:
    name, labels = f"weft-module-{uuid4().hex[:8]}", {MODULE_LABEL: "wanted"}
    wish = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": SYSTEM, "labels": labels},
    }
    await operator.apply(wish, manager="weft-modules")
    heard = await node_cache.list("v1", "ConfigMap", namespace=SYSTEM, labels=MODULE_LABEL)
    assert name in {one["metadata"]["name"] for one in heard.items}
    for _ in range(2):
        await node_cache.apply(node_report("node-1", SYSTEM, {"images": []}), manager="weft-node-cache")
    for ref in (Ref("v1", "ConfigMap", name, SYSTEM), Ref("v1", "ConfigMap", "weft-node-node-1", SYSTEM)):
        with pytest.raises(Denied):
            await node_cache.delete(ref)
        assert await operator.delete(ref)


@pytest.mark.parametrize(
    ("verb", "group", "plural", "namespace"),
    [
        ("get", "", "secrets", SYSTEM),
        ("get", "", "configmaps", "bookinfo"),
        ("list", "", "pods", ""),
        ("list", "weft.dev", "filterdeployments", ""),
        ("patch", "apps", "daemonsets", SYSTEM),
    ],
)
async def test_the_node_cache_may_not(
    node_cache: Kube, verb: str, group: str, plural: str, namespace: str
) -> None:
    assert not await node_cache.allowed(verb, group, plural, namespace=namespace)


async def test_who_is_given_weft_edit_in_a_namespace_may_deploy_filters_there_and_only_there(
    installed: Cluster,
) -> None:
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"generateName": "edit-"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "weft-edit"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "someone"}],
    }
    installed.ask("POST", f"/apis/{group}/v1/namespaces/shop/rolebindings", binding)
    async with account(installed, "someone") as kube:
        for kind in KINDS:
            for namespace, may in (("shop", True), ("bookinfo", False)):
                assert await kube.allowed("create", kind.group, kind.plural, namespace=namespace) == may
        assert not await kube.allowed("patch", WEFT.group, f"{WEFT.plural}/status", namespace="shop")


@contextmanager
def webhook(certificate: Certificate, folder: Path, answer: Callable[[Any], dict[str, Any]]) -> Iterator[int]:
    """A server that answers the API server's questions, on a port of its own."""

    class Webhook(Handler):
        def respond(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            response = {"uid": review["request"]["uid"], **answer(review["request"]["object"])}
            body = json.dumps({**review, "response": response}).encode()
            self.answer(body=body, content_type="application/json")

    (folder / "crt").write_bytes(certificate.certificate)
    (folder / "key").write_bytes(certificate.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt", folder / "key")
    with answering(Webhook, tls=context) as port:
        yield port


def test_the_api_server_trusts_the_certificate_and_hears_the_answer(
    installed: Cluster, tmp_path: Path
) -> None:
    certificate = Certificate.issued("localhost", datetime.now(UTC))
    (entry,) = certificate.webhook()["webhooks"]
    configuration = installed.ask("GET", f"{WEBHOOKS}/weft-webhook")
    said = {"allowed": False, "status": {"message": "spec.routes[0]: not RE2"}}
    with webhook(certificate, tmp_path, lambda _: said) as port:
        (rules,) = configuration["webhooks"]
        config = {"url": f"https://localhost:{port}/validate", **entry["clientConfig"]}
        held = {
            "metadata": {"generateName": "test-"},
            # What fails open for users must not fail unseen here.
            "webhooks": [{**rules, "clientConfig": config, "failurePolicy": "Fail"}],
        }
        name = installed.ask("POST", WEBHOOKS, held)["metadata"]["name"]
        try:
            with pytest.raises(ValueError, match="denied the request") as error:
                until_refused(installed)
        finally:
            installed.ask("DELETE", f"{WEBHOOKS}/{name}")
    assert "spec.routes[0]: not RE2" in str(error.value)


def until_refused(installed: Cluster) -> None:
    """The API server takes a moment to notice a new webhook."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        made(installed)
        time.sleep(0.05)
