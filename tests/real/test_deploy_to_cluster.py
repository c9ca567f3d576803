"""`weft deploy istio`, `status` and `undeploy` on a real Kubernetes API, with images of a real registry.

Nobody is Istio here: what it would read is looked at. The node caches are played, too.
"""

import hashlib
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from conftest import Result
from modules.tiny import REFUSAL
from worlds.certificates import certificates
from worlds.deployments import VOLUMES, World
from worlds.real_registry import running

pytestmark = pytest.mark.real("kubernetes", "distribution")


class TestWithoutRestarts:
    def test_a_filter_comes_changes_and_goes(self, world: World) -> None:
        world.workload("details")
        world.istiod("docker.io/istio/pilot:1.26.2")

        first = world.deploy("--config", '{"value": 1}')
        assert first.code == 0, first.err
        (name,) = world.names("wasmplugins")
        held = world.ask(
            "GET", f"extensions.istio.io/v1alpha1/namespaces/{world.namespace}/wasmplugins/{name}"
        )
        assert held["spec"]["url"] == f"oci://{world.image.rpartition(':')[0]}@{world.digest}"
        assert held["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "weft"

        version = held["metadata"]["resourceVersion"]
        again = world.deploy("--config", '{"value": 1}')
        assert again.code == 0, again.err
        held = world.ask(
            "GET", f"extensions.istio.io/v1alpha1/namespaces/{world.namespace}/wasmplugins/{name}"
        )
        assert held["metadata"]["resourceVersion"] == version

        shown = world.status()
        assert shown.code == 0, shown.out
        assert shown.out.split()[5:9] == [world.namespace, "headers", "istio/wasmplugin", "Ready"]

        gone = world.undeploy()
        assert gone.code == 0, gone.err
        assert (world.names("wasmplugins"), world.configs()) == ([], [])

    def test_a_moved_tag_is_resolved_anew(self, world: World) -> None:
        world.workload("details")
        assert world.deploy().code == 0
        world.publish("two")
        assert world.deploy().code == 0
        (name,) = world.names("wasmplugins")
        held = world.ask(
            "GET", f"extensions.istio.io/v1alpha1/namespaces/{world.namespace}/wasmplugins/{name}"
        )
        assert held["spec"]["url"].endswith(world.digest)

    def test_nothing_matches(self, world: World) -> None:
        world.workload("details")
        done = world.deploy("-l", "app=reviews")
        assert done.code == 2
        assert done.err == (
            f"error: filter headers: spec.workloads: no workload in namespace {world.namespace}"
            " has app=reviews\n\n"
            "hint: there are Deployment/details\n"
        )
        assert world.configs() == []

    def test_a_config_that_the_filter_refuses(self, world: World) -> None:
        world.workload("details")
        done = world.deploy("--config", "!")
        assert done.code == 6
        assert "filter headers: spec.config: the filter refuses it" in done.err
        assert REFUSAL in done.err
        assert (world.names("wasmplugins"), world.configs()) == ([], [])

    def test_a_dry_run_changes_nothing(self, world: World) -> None:
        world.workload("details")
        done = world.deploy("--dry-run")
        assert done.code == 0, done.err
        assert "would be deployed" in done.err
        assert (world.names("wasmplugins"), world.configs()) == ([], [])

    def test_somebody_else_owns_a_field(self, world: World) -> None:
        world.workload("details")
        assert world.deploy("--config", '{"value": 1}').code == 0
        (name,) = world.names("wasmplugins")
        path = f"{world.plugins}/{name}"
        world.ask("PATCH", f"{path}?fieldManager=helm", {"spec": {"pluginConfig": {"value": 3}}})
        done = world.deploy("--config", '{"value": 2}')
        assert done.code == 1
        assert "belongs to helm" in done.err
        assert "--force-conflicts" in done.err
        assert world.ask("GET", path)["spec"]["pluginConfig"] == {"value": 3}
        assert world.deploy("--config", '{"value": 2}', "--force-conflicts").code == 0


class TestWithNodeCaches:
    def test_pods_mount_what_nodes_hold_before_a_proxy_hears_of_it(self, world: World) -> None:
        own = json.dumps([{"name": "own", "emptyDir": {}}])
        world.workload("details", **{VOLUMES[0]: own})
        world.workload("ratings", "StatefulSet")
        sha256 = world.sha256
        world.node_cache("one", sha256)
        world.node_cache("two", sha256)
        with world.cluster.kubelet(world.namespace):
            done = world.deploy("--mode", "envoyfilter")
            assert done.code == 0, done.err
            assert len(world.names("envoyfilters")) == 2
            volumes = json.loads(world.annotations("details")[VOLUMES[0]])
            assert [one["name"] for one in volumes] == ["own", "cache-dir"]
            assert VOLUMES[1] in world.annotations("ratings", "statefulsets")
            assert world.status("headers").code == 0

            gone = world.undeploy()
            assert gone.code == 0, gone.err
        assert world.annotations("details") == {VOLUMES[0]: '[{"name":"own","emptyDir":{}}]'}
        assert world.annotations("ratings", "statefulsets") == {}
        assert world.names("envoyfilters") == []
        assert [one for one in world.configs(world.system) if "weft-module" in one["metadata"]["name"]] == []

    def test_a_registry_is_trusted_as_the_intent_says(self, world: World, tmp_path: Path) -> None:
        world.workload("details")
        with running("distribution", tmp_path, tls=certificates()) as host:
            name = f"{host}/filter:v1"
            assert world.weft("copy", "--insecure", world.image, name).code == 0

            def deploy(**spec: Any) -> Result:
                metadata = {"name": "lax", "namespace": world.namespace}
                target = {"istio": {"mode": "envoyfilter"}}
                spec |= {"image": f"oci://{name}", "target": target}
                intent = {"apiVersion": "weft.dev/v1alpha1", "kind": "FilterDeployment", "metadata": metadata}
                words = ("--dry-run", "--cache-namespace", world.system)
                return world.weft(
                    "deploy", "istio", "-f", "-", *words, stdin=json.dumps({**intent, "spec": spec})
                )

            refused = deploy()
            assert (refused.code, "certificate" in refused.err) == (1, True), refused.err
            done = deploy(registry={"insecureSkipVerify": True})
        assert done.code == 0, done.err
        assert "node caches trust whom they are told to" in done.err

    def test_a_node_that_lacks_the_module_stops_everything(self, world: World) -> None:
        world.workload("details")
        world.node_cache("one", world.sha256)
        world.node_cache("two")
        done = world.deploy("--mode", "envoyfilter", "--timeout", "0.2")
        assert done.code == 1
        assert "two: it is not there yet; all that was done is undone" in done.err
        assert (world.names("envoyfilters"), world.annotations("details"), world.configs()) == ([], {}, [])

    def test_there_is_no_node_cache(self, world: World) -> None:
        world.workload("details")
        done = world.deploy("--mode", "envoyfilter")
        assert done.code == 1
        assert f"no node cache runs in namespace {world.system}" in done.err

    def test_pods_that_do_not_get_ready_are_rolled_back(self, world: World) -> None:
        world.cluster.start_controllers()
        world.workload("details")
        world.node_cache("one", world.sha256)
        done = world.deploy("--mode", "envoyfilter", "--timeout", "1")
        assert done.code == 1
        assert "the pods did not get ready within 1 s" in done.err
        assert (world.names("envoyfilters"), world.annotations("details"), world.configs()) == ([], {}, [])

    def test_two_filters_share_a_mount(self, world: World) -> None:
        world.workload("details")
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            for name in ("first", "second"):
                done = world.deploy("--mode", "envoyfilter", id=name)
                assert done.code == 0, done.err
            assert world.undeploy("first").code == 0
            assert VOLUMES[0] in world.annotations("details")
            assert world.undeploy("second").code == 0
            assert world.annotations("details") == {}

    def test_another_mode_leaves_nothing_of_the_first(self, world: World) -> None:
        world.workload("details")
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            assert world.deploy("--mode", "envoyfilter").code == 0
            assert world.deploy("--mode", "wasmplugin").code == 0
        assert (world.names("envoyfilters"), world.annotations("details")) == ([], {})
        assert len(world.names("wasmplugins")) == 1


def test_real_node_caches_bring_the_module_to_every_node(world: World, tmp_path: Path) -> None:
    world.workload("details")
    folders = [tmp_path / "one", tmp_path / "two"]
    with ExitStack() as stack:
        for folder in folders:
            world.node_cache(folder.name)
            stack.enter_context(world.cache_process(folder))
        stack.enter_context(world.cluster.kubelet(world.namespace))
        done = world.deploy("--mode", "envoyfilter")
        assert done.code == 0, done.err
        for folder in folders:
            assert hashlib.sha256((folder / world.sha256).read_bytes()).hexdigest() == world.sha256
        assert world.status("headers").code == 0
        world.publish("three")
        assert world.deploy("--mode", "envoyfilter").code == 0
        assert all((folder / world.sha256).exists() for folder in folders)


class TestControlPlanes:
    def test_without_one_nothing_is_deployed_and_the_ways_out_are_named(self, world: World) -> None:
        world.workload("details")
        world.no_istiod()
        done = world.deploy()
        assert done.code == 2
        assert done.err == (
            f"error: no istiod in namespace {world.istio}: nobody would read what is deployed\n\n"
            "hint: say where it is: spec.target.istio.namespace or --istio-namespace; of one outside of this"
            " cluster, which it is: version or --istio-version\n"
        )
        assert (world.names("wasmplugins"), world.configs()) == ([], [])
        done = world.deploy("--istio-version", "1.26")
        assert done.code == 0, done.err
        assert world.status().code == 0

    def test_a_filter_whose_control_plane_went_is_not_ready(self, world: World) -> None:
        world.workload("details")
        assert world.deploy().code == 0
        shown = world.status("headers")
        assert (shown.code, f"istiod in {world.istio} Ready" in " ".join(shown.out.split())) == (0, True)
        world.no_istiod()
        shown = world.status("headers")
        assert shown.code == 1
        said = f"istiod in {world.istio} Unread it is not there: nobody reads what is deployed"
        assert said in " ".join(shown.out.split())
        assert "istio/wasmplugin Unread" in " ".join(world.status().out.split())
        assert world.undeploy().code == 0

    def test_the_one_that_was_named_is_looked_for_by_its_name(self, world: World) -> None:
        world.workload("details")
        world.istiod("istio/pilot:1.26.2", name="istiod-new", revision="new")
        assert world.deploy("--istiod-name", "istiod-new").code == 0
        assert world.status().code == 0
        world.ask("DELETE", f"apps/v1/namespaces/{world.istio}/deployments/istiod-new")
        world.istiod("istio/pilot:1.26.2")
        shown = world.status("headers")
        assert (shown.code, f"istiod in {world.istio}/istiod-new Unread" in " ".join(shown.out.split())) == (
            1,
            True,
        )

    def test_who_may_not_look_for_it_is_told_of_the_rest(self, world: World) -> None:
        world.workload("details")
        assert world.deploy().code == 0
        world.no_istiod()
        somebody = f"reader-{world.namespace}"
        reading = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}
        world.cluster.grant(somebody, reading, namespace=world.namespace)
        shown = world.weft("status", "-n", world.namespace, who=world.cluster.user(somebody))
        assert (shown.code, "Ready" in shown.out) == (0, True), shown.err

    @pytest.mark.parametrize(
        ("image", "mode"),
        [
            ("docker.io/istio/pilot:1.11.4", "istio/envoyfilter"),
            ("registry.example.com:5000/istio/pilot:1.26.2-distroless", "istio/wasmplugin"),
            ("istio/pilot@sha256:" + "0" * 64, "istio/wasmplugin"),
            ("istio/pilot:latest", "istio/wasmplugin"),
        ],
    )
    def test_its_version_decides(self, world: World, image: str, mode: str) -> None:
        world.workload("details")
        world.istiod(image)
        done = world.deploy("--dry-run", "-o", "json")
        assert done.code == 0, done.err
        assert json.loads(done.out)[0]["target"] == mode

    def test_several_of_different_versions_must_be_told_apart(self, world: World) -> None:
        world.workload("details")
        world.istiod("istio/pilot:1.11.4", name="istiod-old", revision="old")
        world.istiod("istio/pilot:1.26.2", name="istiod-new", revision="new")
        done = world.deploy("--dry-run")
        assert done.code == 2
        assert f"several control planes in {world.istio} (new: 1.26.2, old: 1.11.4)" in done.err
        chosen = world.deploy("--dry-run", "-o", "json", "--istiod-name", "istiod-old")
        assert json.loads(chosen.out)[0]["target"] == "istio/envoyfilter"


def test_what_is_not_there_cannot_be_undeployed(world: World) -> None:
    done = world.undeploy("nothing")
    assert done.code == 4
    assert done.err == (f"error: no filter nothing in namespace {world.namespace}\n\nhint: there is none\n")


def test_two_filters_cannot_have_one_id(world: World) -> None:
    world.workload("details")
    assert world.deploy().code == 0
    document = {
        "apiVersion": "weft.dev/v1alpha1",
        "kind": "FilterDeployment",
        "metadata": {"name": "other", "namespace": world.namespace},
        "spec": {"image": world.image, "id": "headers"},
    }
    done = world._weft(
        "deploy", "istio", "-f", "-", "--cache-namespace", world.system, "--skip-config-check",
        stdin=json.dumps(document), KUBECONFIG=str(world.cluster.admin),
        WEFT_REGISTRY_PLAIN_HTTP=world.registry,
    )  # fmt: skip
    assert done.code == 2
    assert f"its id headers is that of filter {world.namespace}/headers" in done.err
