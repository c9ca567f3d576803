"""`weft serve operator` on a real Kubernetes API: resources in, filters out, and trouble on the way."""

import json
import re
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from conftest import Weft
from weft.mesh.intent.intent import Volume
from worlds.deployments import VOLUMES, World
from worlds.gateway_kinds import ENVOY_GATEWAY
from worlds.http import hang_up
from worlds.operators import (
    ASM,
    OWN,
    QUICK,
    WASME,
    Operators,
    condition,
    envoyfilter,
    failed,
    operators_of,
    path,
    ready,
    resource,
    status,
)
from worlds.registry import registry_in_thread
from worlds.waiting import until

pytestmark = pytest.mark.real("kubernetes", "distribution")


class TestReaders:
    def test_without_a_control_plane_nothing_is_ready_until_it_comes(
        self, world: World, operators: Operators
    ) -> None:
        operators.start()
        world.workload("details")
        world.no_istiod()
        resource(world)
        failed(world, f"no istiod in namespace {world.istio}: nobody would read what is deployed")
        assert condition(world, "Compatible")["status"] == "False"
        assert world.names("wasmplugins") == []
        world.istiod("istio/pilot:1.26.2")
        ready(world)

    def test_one_in_another_cluster_is_not_looked_for(self, world: World, operators: Operators) -> None:
        operators.start()
        world.workload("details")
        world.no_istiod()
        resource(world, target={"istio": {"namespace": world.istio, "external": True}})
        ready(world)

    def test_what_envoy_gateway_has_not_taken_is_not_ready(self, world: World, operators: Operators) -> None:
        world.cluster.knows(*ENVOY_GATEWAY)
        operators.start()
        resource(world, target={"envoyGateway": {}}, targetRefs=[{"name": "eg"}])
        failed(world, "Envoy Gateway has said nothing of it")
        assert (condition(world)["reason"], condition(world, "Programmed")["status"]) == ("Unread", "False")
        group, version, _, plural, _ = ENVOY_GATEWAY
        policies = f"{group}/{version}/namespaces/{world.namespace}/{plural}"
        [policy] = world.ask("GET", policies)["items"]
        said = {"type": "Accepted", "status": "True", "observedGeneration": 1}
        answer = {"status": {"ancestors": [{"conditions": [said]}]}}
        world.ask("PATCH", f"{policies}/{policy['metadata']['name']}/status", answer)
        ready(world)


class TestLife:
    def test_a_resource_comes_changes_and_goes(self, world: World, operators: Operators) -> None:
        operators.start()
        world.workload("details")
        resource(world)
        ready(world)
        held = status(world)
        assert [one["type"] for one in held["conditions"]] == [
            "Resolved", "Verified", "Compatible", "Distributed", "Programmed", "Ready",
        ]  # fmt: skip
        assert held["resolvedImage"].endswith(world.digest)
        assert held["workloads"] == [
            {"kind": "Deployment", "name": "details", "state": "Ready", "digest": world.digest, "message": ""}
        ]
        (name,) = world.names("wasmplugins")
        assert world.plugin(name)["spec"]["pluginConfig"] == {"value": 1}

        world.ask("PATCH", path(OWN, world, "headers"), {"spec": {"config": {"value": 2}}})
        ready(world, generation=2)
        assert world.plugin(name)["spec"]["pluginConfig"] == {"value": 2}

        world.ask("DELETE", path(OWN, world, "headers"))
        until(lambda: not world.ask("GET", path(OWN, world))["items"], "end of the resource")
        assert world.names("wasmplugins") == []

    def test_what_is_as_it_should_be_is_left_alone(self, world: World, operators: Operators) -> None:
        operators.start()
        world.workload("details")
        resource(world)
        ready(world)
        version = world.ask("GET", path(OWN, world, "headers"))["metadata"]["resourceVersion"]
        (name,) = world.names("wasmplugins")
        plugin = world.plugin(name)["metadata"]["resourceVersion"]
        time.sleep(2.5)  # it has looked twice again
        assert world.ask("GET", path(OWN, world, "headers"))["metadata"]["resourceVersion"] == version
        assert world.plugin(name)["metadata"]["resourceVersion"] == plugin

    def test_a_new_id_leaves_no_orphan(self, world: World, operators: Operators) -> None:
        operators.start()
        world.workload("details")
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            resource(world, id="first", target=envoyfilter(world))
            ready(world)
            assert world.names("envoyfilters") == ["details-first"]
            world.ask("PATCH", path(OWN, world, "headers"), {"spec": {"id": "second"}})
            ready(world, generation=2)
            assert world.names("envoyfilters") == ["details-second"]


class TestCluster:
    def test_workloads_that_come_later(self, world: World, operators: Operators) -> None:
        operators.start()
        resource(world, workloads={"labels": {"app": "late"}}, target=envoyfilter(world))
        failed(world, "spec.workloads: no workload in namespace")
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            world.workload("late")
            ready(world)
        assert VOLUMES[0] in world.annotations("late")

    def test_what_somebody_takes_away_comes_back(self, world: World, operators: Operators) -> None:
        operators.start()
        world.workload("details")
        resource(world)
        ready(world)
        (name,) = world.names("wasmplugins")
        world.ask("DELETE", f"{world.plugins}/{name}")
        until(lambda: world.names("wasmplugins"), "plugin")
        world.ask("PATCH", f"{world.plugins}/{name}", {"spec": {"pluginConfig": {"value": 9}}})
        failed(world, "belongs to")

    def test_a_tag_that_moves(self, world: World, operators: Operators) -> None:
        operators.start()
        world.workload("details")
        resource(world)
        ready(world)
        world.publish("another")
        until(lambda: status(world)["resolvedImage"].endswith(world.digest), "new digest")
        (name,) = world.names("wasmplugins")
        assert world.plugin(name)["spec"]["url"].endswith(world.digest)

    def test_a_node_without_the_module(self, world: World, operators: Operators) -> None:
        operators.start("one", "--timeout", "1")
        world.workload("details")
        world.node_cache("far")
        resource(world, target=envoyfilter(world))
        failed(world, "far: it is not there yet")
        assert condition(world, "Distributed")["status"] == "False"
        assert condition(world, "Programmed")["status"] == "Unknown"
        assert world.annotations("details") == {}
        world.node_cache("far", world.sha256)
        with world.cluster.kubelet(world.namespace):
            ready(world)

    def test_it_is_told_when_a_node_has_the_module(self, world: World, operators: Operators) -> None:
        operators.start("one", "--again", "600")
        world.workload("details")
        world.node_cache("far")
        with world.cluster.kubelet(world.namespace):
            resource(world, target=envoyfilter(world))
            failed(world, "far: it is not there yet")
            world.node_cache("far", world.sha256)
            ready(world)

    def test_the_report_of_a_node_that_is_gone_goes(self, world: World, operators: Operators) -> None:
        operators.start()
        for node in ("here", "gone"):
            world.node_cache(node)
        world.cluster.ask(
            "DELETE", f"/api/v1/namespaces/{world.system}/pods/cache-gone", {"gracePeriodSeconds": 0}
        )

        def reports() -> list[str]:
            names = (one["metadata"]["name"] for one in world.configs(world.system))
            return [name for name in names if name.startswith("weft-node-")]

        until(lambda: reports() == ["weft-node-here"], "end of the report")


class TestOthers:
    def test_of_wasme(self, world: World, operators: Operators) -> None:
        operators.start()
        world.workload("details")
        world.node_cache("one", world.sha256)
        config = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "world"}
        held = {
            "apiVersion": WASME.api_version,
            "kind": WASME.name,
            "metadata": {"name": "myfilter"},
            "spec": {
                "deployment": {"istio": {"kind": "Deployment"}},
                "filter": {"image": world.image, "config": config},
            },
        }
        with world.cluster.kubelet(world.namespace):
            world.ask("POST", path(WASME, world), held)
            until(lambda: status(world, "myfilter", WASME).get("workloads"), "status")
            until(lambda: world.names("envoyfilters"), "EnvoyFilter")
            until(
                lambda: (
                    status(world, "myfilter", WASME)
                    == {
                        "observedGeneration": 1,
                        "workloads": {"details": {"state": "Succeeded", "reason": ""}},
                        "reason": "",
                    }
                ),
                f"success in {status(world, 'myfilter', WASME)}",
            )
            world.ask("DELETE", path(WASME, world, "myfilter"))
            until(lambda: not world.ask("GET", path(WASME, world))["items"], "end of the resource")
        assert (world.names("envoyfilters"), world.annotations("details")) == ([], {})

    def test_of_asm(self, world: World, operators: Operators) -> None:
        operators.start()
        world.workload("details")
        world.node_cache("one", world.sha256, folders=[Volume().path])
        held = {
            "apiVersion": ASM.api_version,
            "kind": ASM.name,
            "metadata": {"name": "myfilter"},
            "spec": {
                "deployment": {"kind": "Deployment", "labels": {"app": "details"}},
                "filter": {"image": world.image, "parameters": "{}", "id": "demo"},
            },
        }
        with world.cluster.kubelet(world.namespace):
            world.ask("POST", path(ASM, world), held)
            folder = "/var/local/lib/wasm-filters"
            refused = (
                f"node one keeps modules in {Volume().path}, and not in {folder}; `weft install --also-folder"
            )
            until(lambda: refused in status(world, "myfilter", ASM).get("reason", ""), "word of the folder")
            assert world.annotations("details") == {}
            world.node_cache("one", world.sha256, folders=[Volume().path, folder])
            until(lambda: world.names("envoyfilters"), "EnvoyFilter")
            volumes = json.loads(world.annotations("details")[VOLUMES[0]])
        assert volumes == [{"name": "wasmfilters-dir", "hostPath": {"path": "/var/local/lib/wasm-filters"}}]


class TestFaults:
    def test_the_api_server_is_killed_and_comes_back(self, world: World, operators: Operators) -> None:
        operators.start()
        world.workload("details")
        resource(world)
        ready(world)
        world.cluster.kill()
        world.cluster.start()
        world.ask("PATCH", path(OWN, world, "headers"), {"spec": {"config": {"value": 7}}})
        ready(world, generation=2)
        (name,) = world.names("wasmplugins")
        assert world.plugin(name)["spec"]["pluginConfig"] == {"value": 7}

    def test_one_of_two_acts_and_the_other_takes_over(self, world: World, operators: Operators) -> None:
        first = operators.start("one")
        world.workload("details")
        until(lambda: "at work" in operators.said("one"), "leader")
        operators.start("two")
        resource(world)
        ready(world)
        assert "at work" not in operators.said("two")
        first.send_signal(signal.SIGKILL)
        until(lambda: "at work" in operators.said("two"), "second leader")
        world.ask("PATCH", path(OWN, world, "headers"), {"spec": {"config": {"value": 3}}})
        ready(world, generation=2)

    def test_of_two_on_one_host_only_one_writes(self, world: World, operators: Operators) -> None:
        logs = [operators.folder / f"{name}.log" for name in ("left", "right")]
        with ExitStack() as stack:
            for log in logs:
                stack.enter_context(world.process("operator", log, *QUICK))
            until(lambda: all("waiting for the lease" in log.read_text() for log in logs), "both")
            world.workload("details")
            resource(world)
            ready(world)
            world.ask("PATCH", path(OWN, world, "headers"), {"spec": {"config": {"value": 2}}})
            ready(world, generation=2)
            said = [log.read_text() for log in logs]
        assert sorted("at work" in one for one in said) == [False, True]
        assert sorted("FilterDeployment" in one for one in said) == [False, True]

    def test_one_that_may_not_have_the_lease_says_so_once_and_waits(
        self, world: World, operators: Operators
    ) -> None:
        log = operators.folder / "stranger.log"
        with world.process("operator", log, *QUICK, user="stranger"):
            until(lambda: "leases" in log.read_text(), "word of the missing right")
            time.sleep(2)  # it has tried again and again
        assert log.read_text().count('cannot get resource "leases"') == 1

    def test_killed_in_the_middle_another_goes_on(self, world: World, operators: Operators) -> None:
        first = operators.start("one")
        world.workload("details")
        world.node_cache("one")
        resource(world, target=envoyfilter(world))
        until(lambda: [one for one in world.configs(world.system) if "module" in one["metadata"]["name"]],
              "wish for the module")  # fmt: skip
        first.send_signal(signal.SIGKILL)
        world.node_cache("one", world.sha256)
        operators.start("two")
        with world.cluster.kubelet(world.namespace):
            ready(world)
            world.ask("DELETE", path(OWN, world, "headers"))
            until(lambda: not world.ask("GET", path(OWN, world))["items"], "end of the resource")
        assert (world.names("envoyfilters"), world.annotations("details")) == ([], {})
        assert [one for one in world.configs(world.system) if "module" in one["metadata"]["name"]] == []

    def test_a_registry_that_has_no_such_image(self, world: World, operators: Operators) -> None:
        operators.start()
        world.workload("details")
        resource(world, image=f"{world.registry}/nobody/nothing:v1")
        failed(world, "nothing")
        assert condition(world, "Resolved")["status"] == "False"
        world.ask("PATCH", path(OWN, world, "headers"), {"spec": {"image": world.image}})
        ready(world, generation=2)

    def test_a_registry_that_is_down_for_operator_and_nodes(
        self, world: World, tmp_path: Path, weft: Weft, home: Path
    ) -> None:
        with registry_in_thread() as hub, ExitStack() as stack:
            world = World(world.cluster, world.namespace, weft, home, hub.host)
            operators = stack.enter_context(operators_of(world, tmp_path))
            world.workload("details")
            hub.meet("", "/", hang_up)
            operators.start()
            resource(world, target=envoyfilter(world))
            failed(world, hub.host)
            assert condition(world, "Resolved")["status"] == "False"
            hub.meetings.clear()
            failed(world, "no node cache runs")
            # Named by digest the operator has it for good, and no node can get it.
            pinned = f"{world.image.removesuffix(':v1')}@{world.digest}"
            world.ask("PATCH", path(OWN, world, "headers"), {"spec": {"image": pinned}})
            hub.meet("", "/", hang_up)
            world.node_cache("node")
            stack.enter_context(world.cache_process(tmp_path / "node"))
            # What the node cache says, who has tried for a while, not that it has said nothing yet.
            told = re.compile("s: node: (?!it is not there yet|its node cache has not)")
            until(lambda: told.search(condition(world, "Distributed").get("message", "")), "its word", 60)
            assert condition(world, "Distributed")["status"] == "False"
            hub.meetings.clear()
            with world.cluster.kubelet(world.namespace):
                ready(world, generation=2)
            assert (tmp_path / "node" / world.sha256).is_file()

    def test_a_registry_that_goes_away_takes_nothing_with_it(
        self, world: World, tmp_path: Path, weft: Weft, home: Path
    ) -> None:
        with registry_in_thread() as hub:
            world = World(world.cluster, world.namespace, weft, home, hub.host)
            with operators_of(world, tmp_path) as operators:
                operators.start()
                world.workload("details")
                resource(world)
                ready(world)
                hub.meet("", "/", hang_up)
                until(lambda: condition(world, "Resolved").get("reason") == "Stale", "word of it", 60)
                held = condition(world, "Resolved")
                assert held["status"] == "True"
                assert hub.host in held["message"]
                (name,) = world.names("wasmplugins")
                world.ask("DELETE", f"{world.plugins}/{name}")
                until(lambda: world.names("wasmplugins") == [name], "plugin", 60)
                assert condition(world)["status"] == "True"
                hub.meetings.clear()
                world.publish("another")
                until(lambda: status(world)["resolvedImage"].endswith(world.digest), "new digest", 60)
                assert condition(world, "Resolved")["reason"] == "Resolved"

    def test_a_person_deployed_it_first(self, world: World, operators: Operators) -> None:
        world.workload("details")
        assert world.deploy("--mode", "wasmplugin").code == 0
        operators.start()
        resource(world)
        failed(world, "was deployed by hand; `weft undeploy headers` first")
        assert world.undeploy().code == 0
        ready(world)
        done = world.undeploy()
        assert done.code == 2
        assert "is of FilterDeployment.weft.dev" in done.err
