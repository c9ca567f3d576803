"""`weft deploy gloo` and `weft deploy envoy-gateway` on a real Kubernetes API, which knows what those take.

Nobody is Gloo or Envoy Gateway here: what they would read is looked at.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from conftest import Result
from weft.mesh import KINDS
from worlds.deployments import World
from worlds.gateway_kinds import ENVOY_GATEWAY, GLOO

pytestmark = pytest.mark.real("kubernetes", "distribution")

OTHERS = [{"name": "aa", "image": "hub/a:v1"}, {"name": "zz", "filePath": "/z.wasm"}]
TEXT = "type.googleapis.com/google.protobuf.StringValue"


@pytest.fixture
def world(world: World) -> World:
    world.cluster.knows(*GLOO)
    world.cluster.knows(*ENVOY_GATEWAY)
    return world


class Gloo:
    """The gateways of the world's namespace."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.root = f"gateway.solo.io/v1/namespaces/{world.namespace}/gateways"

    def make(self, name: str = "gateway-proxy", *, http: Any = None, **labels: str) -> dict[str, Any]:
        held = {
            "apiVersion": "gateway.solo.io/v1",
            "kind": "Gateway",
            "metadata": {"name": name, "labels": labels},
            "spec": {"bindPort": 8080, "httpGateway": {} if http is None else http},
        }
        return self.world.ask("POST", f"{self.root}?fieldManager=helm", held)

    def says(self, state: str, **more: str) -> None:
        """What Gloo writes of what it reads."""
        said = {"statuses": {"gloo-system": {"reportedBy": "gateway", "state": state, **more}}}
        self.world.ask("PATCH", f"{self.root}/gateway-proxy/status", {"status": said})

    def spec(self, name: str = "gateway-proxy") -> dict[str, Any]:
        return dict(self.world.ask("GET", f"{self.root}/{name}")["spec"])

    def filters(self, name: str = "gateway-proxy") -> list[dict[str, Any]]:
        return list(self.spec(name)["httpGateway"].get("options", {}).get("wasm", {}).get("filters", []))

    def deploy(self, *words: str, id: str = "myfilter", who: Path | None = None) -> Result:  # noqa: A002
        where = ("-n", self.world.namespace, "--cache-namespace", self.world.system)
        return self.world.weft("deploy", "gloo", self.world.image, "--id", id, *where, *words, who=who)

    def undeploy(self, *words: str, id: str = "myfilter") -> Result:  # noqa: A002
        where = ("-n", self.world.namespace, "--cache-namespace", self.world.system)
        return self.world.weft("undeploy", "gloo", "--id", id, *where, *words)


@pytest.fixture
def gloo(world: World) -> Gloo:
    return Gloo(world)


class TestGloo:
    def test_a_filter_comes_changes_and_goes(self, gloo: Gloo) -> None:
        before = gloo.make(http={"options": {"buffer": {"maxRequestBytes": 7}}})["spec"]
        done = gloo.deploy("--config", "world", "--root-id", "add_header", "--failure", "open")
        assert done.code == 0, done.err
        assert gloo.filters() == [
            {
                "name": "myfilter",
                "image": gloo.world.image,
                "rootId": "add_header",
                "vmType": "V8",
                "failOpen": True,
                "config": {"@type": TEXT, "value": "world"},
            }
        ]
        assert gloo.spec()["httpGateway"]["options"]["buffer"] == {"maxRequestBytes": 7}
        shown = gloo.world.status("myfilter")
        assert shown.code == 1
        said = (
            f"Gateway {gloo.world.namespace}/gateway-proxy Unread Gloo has said nothing of it: is it there?"
        )
        assert said in " ".join(shown.out.split())
        gloo.says("Rejected", reason="no such stage")
        shown = gloo.world.status("myfilter")
        assert (shown.code, "Failed Gloo does not take it: no such stage" in shown.out) == (1, True)
        gloo.says("Accepted")
        shown = gloo.world.status("myfilter")
        assert shown.code == 0, shown.out
        assert f"Gateway {gloo.world.namespace}/gateway-proxy Ready" in " ".join(shown.out.split())

        assert gloo.deploy("--config", "moon").code == 0
        assert [one["config"]["value"] for one in gloo.filters()] == ["moon"]

        gone = gloo.undeploy()
        assert gone.code == 0, gone.err
        assert gloo.spec() == before
        assert gloo.world.configs() == []

    def test_what_others_have_in_the_list_and_in_the_gateway_stays(self, gloo: Gloo) -> None:
        gloo.make(http={"options": {"wasm": {"filters": OTHERS}}})
        assert gloo.deploy().code == 0
        assert [one["name"] for one in gloo.filters()] == ["aa", "myfilter", "zz"]
        path = f"{gloo.root}/gateway-proxy?fieldManager=kubectl"
        later = [*gloo.filters(), {"name": "later", "image": "hub/l:v1"}]
        options = {"wasm": {"filters": later}, "buffer": {"maxRequestBytes": 9}}
        gloo.world.ask("PATCH", path, {"spec": {"bindPort": 9090, "httpGateway": {"options": options}}})
        assert gloo.undeploy().code == 0
        assert [one["name"] for one in gloo.filters()] == ["aa", "zz", "later"]
        spec = gloo.spec()
        assert (spec["bindPort"], spec["httpGateway"]["options"]["buffer"]) == (9090, {"maxRequestBytes": 9})

    def test_gateways_that_are_not_meant_are_not_written(self, gloo: Gloo) -> None:
        gloo.make("front", tier="front")
        made = {gloo.make(name)["metadata"]["resourceVersion"] for name in ("back", "other")}
        tcp = {
            "apiVersion": "gateway.solo.io/v1",
            "kind": "Gateway",
            "metadata": {"name": "tcp", "labels": {"tier": "front"}},
            "spec": {"tcpGateway": {}},
        }
        made.add(gloo.world.ask("POST", gloo.root, tcp)["metadata"]["resourceVersion"])
        assert gloo.deploy("-l", "tier=front").code == 0
        items = gloo.world.ask("GET", gloo.root)["items"]
        assert {one["metadata"]["resourceVersion"] for one in items} & made == made
        assert [one["name"] for one in gloo.filters("front")] == ["myfilter"]
        assert gloo.deploy("--gateway", "back").code == 0
        assert (gloo.filters("front"), len(gloo.filters("back"))) == ([], 1)

    def test_a_dry_run_says_what_would_be_done_to_which_gateway(self, gloo: Gloo) -> None:
        gloo.make(http={"options": {"wasm": {"filters": OTHERS}}})
        there = f"Gateway {gloo.world.namespace}/gateway-proxy"
        done = gloo.deploy("--dry-run")
        assert (done.code, f"insert {there}" in done.err) == (0, True), done.err
        assert gloo.filters() == OTHERS
        assert gloo.deploy().code == 0
        leaving = gloo.undeploy("--dry-run")
        assert (leaving.code, f"extract {there}" in leaving.err) == (0, True), leaving.err
        assert "myfilter would be undeployed from gloo" in leaving.err
        assert len(gloo.filters()) == 3

    def test_somebody_who_took_it_out_is_told_of(self, gloo: Gloo) -> None:
        gloo.make()
        assert gloo.deploy().code == 0
        gloo.world.ask("PATCH", f"{gloo.root}/gateway-proxy", {"spec": {"httpGateway": {"options": None}}})
        shown = gloo.world.status("myfilter")
        assert shown.code == 1
        assert "Missing its list of filters has no myfilter" in " ".join(shown.out.split())
        assert gloo.deploy().code == 0
        gloo.says("Accepted")
        assert gloo.world.status("myfilter").code == 0

    def test_many_deploy_at_once_and_none_is_lost(self, gloo: Gloo) -> None:
        gloo.make()
        names = [f"filter-{number}" for number in range(4)]
        with ThreadPoolExecutor(4) as threads:
            done = list(threads.map(lambda name: gloo.deploy("--skip-config-check", id=name), names))
        assert [one.code for one in done] == [0] * 4, [one.err for one in done]
        assert [one["name"] for one in gloo.filters()] == names
        with ThreadPoolExecutor(4) as threads:
            gone = list(threads.map(lambda name: gloo.undeploy(id=name), names))
        assert [one.code for one in gone] == [0] * 4, [one.err for one in gone]
        assert gloo.spec()["httpGateway"] == {}

    def test_one_gateway_that_may_not_be_changed_leaves_no_other_changed(self, gloo: Gloo) -> None:
        before = gloo.make("mine")["spec"]
        gloo.make("yours")
        groups = ["gateway.solo.io", *sorted({kind.group for kind in KINDS})]
        patching = {"apiGroups": ["gateway.solo.io"], "resources": ["gateways"], "verbs": ["patch"]}
        rights = [
            {"apiGroups": groups, "resources": ["*"], "verbs": ["get", "list"]},
            {**patching, "resourceNames": ["mine"]},
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]},
        ]
        somebody = f"gloo-{gloo.world.namespace}"
        gloo.world.cluster.grant(somebody, *rights, namespace=gloo.world.namespace)
        who = gloo.world.cluster.user(somebody)
        done = gloo.deploy(who=who)
        assert done.code == 1
        assert f"patch Gateway {gloo.world.namespace}/yours" in done.err
        assert "all that was done is undone" in done.err
        assert (gloo.spec("mine"), gloo.filters("yours"), gloo.world.configs()) == (before, [], [])
        done = gloo.deploy("--gateway", "mine", who=who)
        assert done.code == 0, done.err

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            pytest.param(["-l", "a=b"], "no Gateway with an httpGateway is meant", id="labels"),
            pytest.param(["--gateway", "nowhere"], "no Gateway with an httpGateway is meant", id="name"),
            pytest.param(["--failure", "reload"], "gloo has no place for spec.failure: reload", id="failure"),
        ],
    )
    def test_a_mistake_is_named_before_anything_is_done(
        self, gloo: Gloo, words: list[str], complaint: str
    ) -> None:
        gloo.make()
        done = gloo.deploy(*words)
        assert (done.code, complaint in done.err) == (2, True), done.err
        assert (gloo.filters(), gloo.world.configs()) == ([], [])


class EnvoyGateway:
    """The policies of the world's namespace."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.root = f"gateway.envoyproxy.io/v1alpha1/namespaces/{world.namespace}/envoyextensionpolicies"

    def policies(self) -> list[dict[str, Any]]:
        return list(self.world.ask("GET", self.root)["items"])

    def says(self, policy: dict[str, Any], accepted: str, message: str) -> None:
        """What Envoy Gateway writes of what it reads."""
        condition = {
            "type": "Accepted",
            "status": accepted,
            "reason": "Invalid",
            "message": message,
            "observedGeneration": policy["metadata"]["generation"],
        }
        said = {"ancestors": [{"controllerName": "gateway.envoyproxy.io/c", "conditions": [condition]}]}
        self.world.ask("PATCH", f"{self.root}/{policy['metadata']['name']}/status", {"status": said})

    def deploy(self, *words: str) -> Result:
        where = ("-n", self.world.namespace, "--cache-namespace", self.world.system)
        return self.world.weft("deploy", "envoy-gateway", *where, *words)


@pytest.fixture
def envoy_gateway(world: World) -> EnvoyGateway:
    return EnvoyGateway(world)


class TestEnvoyGateway:
    def test_a_filter_comes_changes_and_goes(self, envoy_gateway: EnvoyGateway) -> None:
        world = envoy_gateway.world
        words = (world.image, "--id", "myfilter", "--gateway", "eg", "--route", "backend/first")
        done = envoy_gateway.deploy(*words, "--config", '{"value": 1}', "--root-id", "r", "--failure", "open")
        assert done.code == 0, done.err
        (policy,) = envoy_gateway.policies()
        group = "gateway.networking.k8s.io"
        assert policy["spec"] == {
            "targetRefs": [
                {"group": group, "kind": "Gateway", "name": "eg"},
                {"group": group, "kind": "HTTPRoute", "name": "backend", "sectionName": "first"},
            ],
            "wasm": [
                {
                    "name": "myfilter",
                    "rootID": "r",
                    "code": {
                        "type": "Image",
                        "image": {"url": f"{world.image.rpartition(':')[0]}@{world.digest}"},
                    },
                    "config": {"value": 1},
                    "failOpen": True,
                }
            ],
        }
        shown = world.status("myfilter")
        assert (shown.code, "Unread Envoy Gateway has said nothing of it" in shown.out) == (1, True)
        envoy_gateway.says(policy, "False", "the image is not there")
        shown = world.status("myfilter")
        assert (shown.code, "Failed Envoy Gateway does not take it: the image is not" in shown.out) == (
            1,
            True,
        )
        envoy_gateway.says(policy, "True", "")
        assert world.status("myfilter").code == 0
        world.publish("two")
        assert envoy_gateway.deploy(*words).code == 0
        (policy,) = envoy_gateway.policies()
        assert policy["spec"]["wasm"][0]["code"]["image"]["url"].endswith(world.digest)
        assert world.status("myfilter").code == 1, "what is said is of the former"
        assert "config" not in policy["spec"]["wasm"][0]
        gone = world.undeploy("myfilter")
        assert gone.code == 0, gone.err
        assert (envoy_gateway.policies(), world.configs()) == ([], [])

    def test_all_that_an_intent_can_say_is_taken(self, envoy_gateway: EnvoyGateway) -> None:
        spec = {
            "image": f"https://files.example.com/f.wasm@sha256:{'1' * 64}",
            "targetRefs": [{"name": "eg"}],
            "target": {"envoyGateway": {}},
            "hostEnvironment": ["REGION"],
        }
        image = {**spec, "image": envoy_gateway.world.image, "pullSecret": "regcred", "config": {"a": [1]}}
        documents = [
            {
                "apiVersion": "weft.dev/v1alpha1",
                "kind": "FilterDeployment",
                "metadata": {"name": name, "namespace": envoy_gateway.world.namespace},
                "spec": held,
            }
            for name, held in (("http", spec), ("image", image))
        ]
        envoy_gateway.world.cluster.ask(
            "POST",
            f"/api/v1/namespaces/{envoy_gateway.world.namespace}/secrets",
            {
                "metadata": {"name": "regcred"},
                "type": "kubernetes.io/dockerconfigjson",
                "stringData": {".dockerconfigjson": '{"auths":{}}'},
            },
        )
        done = envoy_gateway.world.weft(
            "deploy", "envoy-gateway", "-f", "-", "--skip-config-check",
            stdin="\n---\n".join(map(json.dumps, documents)),
        )  # fmt: skip
        assert done.code == 0, done.err
        http, image = (one["spec"]["wasm"][0] for one in envoy_gateway.policies())
        assert http["code"] == {
            "type": "HTTP",
            "http": {"url": "https://files.example.com/f.wasm", "sha256": "1" * 64},
        }
        assert http["env"] == {"hostKeys": ["REGION"]}
        assert image["code"]["image"]["pullSecretRef"]["name"] == "regcred"

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            pytest.param([], "a policy needs spec.targetRefs", id="nowhere"),
            pytest.param(["--gateway", "eg", "--config", "text"], "make it a JSON object", id="text"),
        ],
    )
    def test_a_mistake_is_named_before_anything_is_done(
        self, envoy_gateway: EnvoyGateway, words: list[str], complaint: str
    ) -> None:
        done = envoy_gateway.deploy(envoy_gateway.world.image, *words)
        assert (done.code, complaint in done.err) == (2, True), done.err
        assert (envoy_gateway.policies(), envoy_gateway.world.configs()) == ([], [])
