"""A plan says what is done in which order, why, and how it is undone; what cannot be is refused."""

import json
from typing import Any, ClassVar

import pytest

from deployments import (
    DETAILS,
    DIGEST,
    IMAGE,
    MODULE,
    RATINGS,
    SHA256,
    a_plan,
    an_intent,
    facts,
    told,
    undone,
)
from sample_images import sample
from weft.image import Published
from weft.mesh import Facts, ImageUrl, ModuleFacts, Plan, PlanRefused, Workload, changes, make_plan

FILE = f"/var/local/lib/wasme-cache/{SHA256}"
VOLUME, MOUNT = "sidecar.istio.io/userVolume", "sidecar.istio.io/userVolumeMount"
OURS = '{"name":"cache-dir","hostPath":{"path":"/var/local/lib/wasme-cache"}}'
OUR_MOUNT = '{"mountPath":"/var/local/lib/wasme-cache","name":"cache-dir"}'


def refused(**asked: Any) -> PlanRefused:
    with pytest.raises(PlanRefused) as caught:
        a_plan(**asked)
    return caught.value


def annotated(**annotations: str) -> Workload:
    names = {"volume": VOLUME, "mount": MOUNT}
    return Workload(
        kind="Deployment",
        name="details-v1",
        namespace="bookinfo",
        pod_labels={"app": "details"},
        annotations={names[key]: text for key, text in annotations.items()},
    )


class TestOrder:
    def test_a_proxy_is_told_of_a_file_only_after_it_is_held_and_mounted(self) -> None:
        plan = a_plan(istio={"mode": "envoyfilter"})
        assert told(plan) == [
            ("hold", FILE),
            ("mount", "Deployment details-v1"),
            ("mount", "StatefulSet ratings"),
            ("apply", "EnvoyFilter details-v1-add-header.bookinfo"),
            ("apply", "EnvoyFilter ratings-add-header.bookinfo"),
        ]

    def test_the_way_back_is_the_other_way_round(self) -> None:
        assert undone(a_plan(istio={"mode": "envoyfilter"})) == [
            ("delete", "EnvoyFilter ratings-add-header.bookinfo"),
            ("delete", "EnvoyFilter details-v1-add-header.bookinfo"),
            ("unmount", "StatefulSet ratings"),
            ("unmount", "Deployment details-v1"),
            ("release", FILE),
        ]

    def test_a_mount_that_others_need_stays(self) -> None:
        known = facts(shared_mounts=frozenset({DETAILS.ref}))
        plan = a_plan(istio={"mode": "envoyfilter"}, known=known)
        assert [what for do, what in undone(plan) if do == "unmount"] == ["StatefulSet ratings"]

    def test_a_configmap_is_there_before_pods_mount_it(self) -> None:
        known = facts(workloads=(DETAILS,))
        plan = a_plan(istio={"mode": "configmap"}, known=known)
        assert told(plan) == [
            ("apply", "ConfigMap add-header-aaaaaaaaaaaa"),
            ("mount", "Deployment details-v1"),
            ("apply", "EnvoyFilter details-v1-add-header.bookinfo"),
        ]
        assert undone(plan) == [
            ("delete", "EnvoyFilter details-v1-add-header.bookinfo"),
            ("unmount", "Deployment details-v1"),
            ("delete", "ConfigMap add-header-aaaaaaaaaaaa"),
        ]

    def test_a_configmap_of_ones_own_is_unmounted_whatever_others_need(self) -> None:
        known = facts(workloads=(DETAILS,), shared_mounts=frozenset({DETAILS.ref}))
        assert ("unmount", "Deployment details-v1") in undone(
            a_plan(istio={"mode": "configmap"}, known=known)
        )

    def test_the_restarts_are_named(self) -> None:
        assert a_plan(istio={"mode": "envoyfilter"}).restarts == (
            "Deployment/details-v1",
            "StatefulSet/ratings",
        )
        assert a_plan().restarts == ()


class TestMounts:
    def plan(self, workload: Workload) -> Plan:
        known = facts(workloads=(workload,))
        return a_plan(istio={"mode": "envoyfilter"}, known=known)

    def patched(self, workload: Workload, do: str) -> dict[str, Any]:
        plan = self.plan(workload)
        [step] = [step for step in (*plan.steps, *plan.removal) if step.do == do]
        assert step.object is not None
        held: dict[str, Any] = step.object["spec"]["template"]["metadata"]["annotations"]
        return held

    def test_the_volumes_of_others_are_kept_before_ours(self) -> None:
        theirs = annotated(
            volume='[{"name": "tmp", "emptyDir": {}}]', mount='[{"name":"tmp","mountPath":"/t"}]'
        )
        assert self.patched(theirs, "mount") == {
            VOLUME: f'[{{"name":"tmp","emptyDir":{{}}}},{OURS}]',
            MOUNT: f'[{{"name":"tmp","mountPath":"/t"}},{OUR_MOUNT}]',
        }

    def test_theirs_is_what_remains(self) -> None:
        theirs = annotated(volume='[{"name":"tmp","emptyDir":{}}]', mount='[{"name":"tmp","mountPath":"/t"}]')
        assert self.patched(theirs, "unmount") == {
            VOLUME: '[{"name":"tmp","emptyDir":{}}]',
            MOUNT: '[{"name":"tmp","mountPath":"/t"}]',
        }

    def test_nothing_remains_where_nothing_was(self) -> None:
        assert self.patched(annotated(), "unmount") == {VOLUME: None, MOUNT: None}

    def test_pods_that_have_the_mount_do_not_restart(self) -> None:
        there = annotated(volume=f"[{OURS}]", mount=f"[{OUR_MOUNT}]")
        assert self.plan(there).restarts == ()

    def test_a_mount_that_points_elsewhere_is_put_right(self) -> None:
        wrong = annotated(volume='[{"name":"cache-dir","hostPath":{"path":"/old"}}]', mount=f"[{OUR_MOUNT}]")
        assert self.patched(wrong, "mount") == {VOLUME: f"[{OURS}]"}

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            pytest.param("[", "is no JSON: Expecting value: line 1 column 2 (char 1)", id="no JSON"),
            pytest.param("{}", "is no list of mappings", id="no list"),
            pytest.param("[1]", "is no list of mappings", id="no mappings"),
        ],
    )
    def test_what_cannot_be_merged_is_left_alone(self, text: str, complaint: str) -> None:
        with pytest.raises(PlanRefused) as caught:
            self.plan(annotated(volume=text))
        assert str(caught.value) == f"Deployment bookinfo/details-v1: its annotation {VOLUME} {complaint}"


class TestModeAuto:
    @pytest.mark.parametrize(
        ("asked", "version", "target"),
        [
            pytest.param({}, "", "istio/wasmplugin", id="nothing special"),
            pytest.param({}, "1.29.6", "istio/wasmplugin", id="before TrafficExtension"),
            pytest.param({}, "1.30.3", "istio/trafficextension", id="since TrafficExtension"),
            pytest.param({}, "1.11", "istio/envoyfilter", id="before WasmPlugin"),
            pytest.param({"config": "text"}, "1.30", "istio/envoyfilter", id="text as config"),
            pytest.param(
                {"config": '{"a":1}'}, "1.30", "istio/trafficextension", id="text that is an object"
            ),
            pytest.param(
                {"routes": [{"match": {"host": "a"}, "disabled": True}]},
                "1.30",
                "istio/envoyfilter",
                id="routes",
            ),
            pytest.param(
                {"capabilities": ["proxy_log"]}, "1.30", "istio/envoyfilter", id="fewer capabilities"
            ),
            pytest.param(
                {"capabilities": "auto"}, "1.30", "istio/trafficextension", id="its own capabilities"
            ),
            pytest.param(
                {"capabilities": ["proxy_log", "proxy_add_header_map_value", "proxy_done"]},
                "1.30",
                "istio/trafficextension",
                id="more capabilities than it uses",
            ),
            pytest.param({"failure": "reload"}, "1.27", "istio/wasmplugin", id="reload"),
        ],
    )
    def test_the_least_disruptive_way_is_taken(self, asked: Any, version: str, target: str) -> None:
        assert a_plan(**asked, known=facts(istio_version=version)).target == target

    def test_proxies_that_cannot_reload_are_not_told_to(self) -> None:
        assert refused(failure="reload", known=facts(istio_version="1.26")).reasons == (
            "istio/wasmplugin: Istio 1.26 has no FAIL_RELOAD; it came with 1.27",
            "istio/envoyfilter: spec.failure: the proxies of Istio 1.26 cannot reload a filter",
        )

    def test_it_says_why(self) -> None:
        assert a_plan(config="text", known=facts(istio_version="1.30")).reasons[:3] == (
            "mode auto chose envoyfilter: the least disruptive way that can do what is asked",
            (
                "not istio/trafficextension: istio/trafficextension takes a JSON object as"
                " spec.config, not other text"
            ),
            "not istio/wasmplugin: istio/wasmplugin takes a JSON object as spec.config, not other text",
        )

    def test_where_no_way_leads_all_are_told(self) -> None:
        refusal = refused(known=Facts(image=ImageUrl.parse("hub/a/b:v1")))
        assert refusal.reasons == (
            (
                "istio/wasmplugin: the image is not resolved to a digest; a tag that moves would"
                " stop the proxies"
            ),
            "istio/envoyfilter: the file is named by the module's sha256, and the image was not looked into",
        )

    def test_an_image_that_istio_cannot_read_goes_by_file(self) -> None:
        plan = a_plan(known=facts(published=packed("cncf")))
        assert plan.target == "istio/envoyfilter"
        assert plan.reasons[1].startswith(
            "not istio/wasmplugin: Istio's agent would not take the image: the given image is in"
        )

    @pytest.mark.parametrize("flavor", ["solo", "compat"])
    def test_an_image_that_istio_reads_is_pulled_by_it(self, flavor: str) -> None:
        assert a_plan(known=facts(published=packed(flavor))).target == "istio/wasmplugin"


def packed(flavor: str) -> Published:
    image = sample(flavor=flavor)
    return Published("hub/f:v1", image.manifest, image.blobs)


class TestWhere:
    def spec(self, *, istio: Any = None, known: Facts | None = None, **asked: Any) -> Any:
        [held] = a_plan(istio={"mode": "wasmplugin", **(istio or {})}, known=known, **asked).objects
        return held["spec"]

    @pytest.mark.parametrize(
        ("istio", "match"),
        [
            ({}, [{"mode": "SERVER"}]),
            (
                {"context": "inbound", "ports": [80, 8080]},
                [{"mode": "SERVER", "ports": [{"number": 80}, {"number": 8080}]}],
            ),
            ({"context": "outbound"}, [{"mode": "CLIENT"}]),
            ({"context": "gateway"}, [{"mode": "CLIENT"}]),
            ({"context": "any"}, None),
            ({"context": "any", "ports": [80]}, [{"mode": "CLIENT_AND_SERVER", "ports": [{"number": 80}]}]),
        ],
    )
    def test_a_context_becomes_a_match(self, istio: Any, match: Any) -> None:
        assert self.spec(istio=istio).get("match") == match

    def test_ports_become_patches(self) -> None:
        plan = a_plan(istio={"mode": "envoyfilter", "ports": [80, 8080]}, known=facts(workloads=(DETAILS,)))
        patches = plan.objects[-1]["spec"]["configPatches"]
        assert [patch["match"]["listener"]["portNumber"] for patch in patches] == [80, 8080]

    def test_labels_select_the_pods_that_have_them(self) -> None:
        assert self.spec(workloads={"labels": {"app": "details"}})["selector"] == {
            "matchLabels": {"app": "details"}
        }

    def test_labels_that_only_the_workload_has_become_those_of_its_pods(self) -> None:
        odd = Workload(
            kind="Deployment",
            name="odd",
            namespace="bookinfo",
            labels={"team": "a"},
            pod_labels={"app": "odd"},
        )
        known = facts(workloads=(odd, DETAILS))
        [held] = a_plan(
            istio={"mode": "wasmplugin"}, known=known, workloads={"labels": {"team": "a"}}
        ).objects
        assert held["metadata"]["name"] == "odd-add-header"
        assert held["spec"]["selector"] == {"matchLabels": {"app": "odd"}}

    def test_pods_that_only_look_alike_are_not_selected(self) -> None:
        job = Workload(
            kind="DaemonSet",
            name="agent",
            namespace="bookinfo",
            pod_labels={"app": "details", "role": "agent"},
        )
        asked: dict[str, Any] = {"workloads": {"kind": "Deployment", "labels": {"app": "details"}}}
        [held] = a_plan(istio={"mode": "wasmplugin"}, known=facts(workloads=(DETAILS, job)), **asked).objects
        assert held["spec"]["selector"] == {"matchLabels": {"app": "details", "version": "v1"}}

    def test_pods_without_labels_cannot_be_selected(self) -> None:
        bare = Workload(kind="Deployment", name="bare", namespace="bookinfo")
        for mode in ("wasmplugin", "envoyfilter"):
            assert str(refused(istio={"mode": mode}, known=facts(workloads=(bare,)))) == (
                "Deployment bookinfo/bare: its pods have no labels, and Istio selects pods by labels"
            )

    def test_a_revision_marks_the_objects(self) -> None:
        [held] = a_plan(istio={"mode": "wasmplugin", "revision": "canary"}).objects
        assert held["metadata"]["labels"]["istio.io/rev"] == "canary"

    def test_gateways_are_named_and_their_traffic_is_meant(self) -> None:
        spec = self.spec(targetRefs=[{"name": "gw"}])
        assert spec["targetRefs"] == [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gw"}]
        assert spec["match"] == [{"mode": "CLIENT"}]

    def test_no_workload_at_all_is_a_mistake(self) -> None:
        refusal = refused(workloads={"kind": "DaemonSet", "labels": {"app": "details"}})
        assert "spec.workloads: no DaemonSet in namespace bookinfo has app=details" in str(refusal)

    def test_inbound_traffic_of_a_gateway_is_a_mistake(self) -> None:
        gateway = Workload(
            kind="Deployment", name="gw", namespace="bookinfo", pod_labels={"istio": "ingressgateway"}
        )
        refusal = refused(istio={"mode": "envoyfilter"}, known=facts(workloads=(gateway,)))
        assert str(refusal) == "Deployment bookinfo/gw is a gateway, where inbound traffic does not exist"
        assert refusal.hint == "set spec.target.istio.context to gateway"

    @pytest.mark.parametrize(
        ("asked", "operation", "priority"),
        [
            ({}, "INSERT_BEFORE", None),
            ({"priority": 10}, "INSERT_BEFORE", -10),
            ({"phase": "AUTHN", "priority": 10}, "INSERT_FIRST", 10),
        ],
    )
    def test_a_higher_priority_stands_earlier_in_the_chain(
        self, asked: Any, operation: str, priority: Any
    ) -> None:
        spec = a_plan(istio={"mode": "envoyfilter"}, **asked).objects[-1]["spec"]
        assert spec["configPatches"][0]["patch"]["operation"] == operation
        assert spec.get("priority") == priority


class TestRefused:
    @pytest.mark.parametrize(
        ("asked", "complaint"),
        [
            pytest.param(
                {"istio": {"mode": "envoyfilter"}, "phase": "AUTHZ"},
                "istio/envoyfilter: spec.phase AUTHZ: an EnvoyFilter names a neighbour in the chain, and"
                " none is always there; wasmplugin can",
                id="phase of an EnvoyFilter",
            ),
            pytest.param(
                {"istio": {"mode": "envoyfilter"}, "targetRefs": [{"name": "gw"}]},
                "istio/envoyfilter: istio/envoyfilter has no place for spec.targetRefs",
                id="refs",
            ),
            pytest.param(
                {"istio": {"mode": "wasmplugin"}, "routes": [{"match": {"host": "a"}, "disabled": True}]},
                "istio/wasmplugin: istio/wasmplugin has no place for spec.routes",
                id="routes",
            ),
            pytest.param(
                {"istio": {"mode": "wasmplugin"}, "capabilities": ["proxy_log"]},
                "istio/wasmplugin: istio/wasmplugin cannot forbid proxy_add_header_map_value, which"
                " spec.capabilities does not allow",
                id="capabilities",
            ),
            pytest.param(
                {"istio": {"mode": "envoyfilter"}, "capabilities": ["proxy_logg"]},
                "spec.capabilities: Envoy has no host function 'proxy_logg'",
                id="no such capability",
            ),
            pytest.param(
                {"istio": {"mode": "trafficextension", "version": "1.29"}},
                "istio/trafficextension: Istio 1.29 has no TrafficExtension; it came with 1.30",
                id="TrafficExtension",
            ),
            pytest.param(
                {"istio": {"mode": "wasmplugin", "version": "1.11.8"}},
                "istio/wasmplugin: Istio 1.11 has no WasmPlugin; it came with 1.12",
                id="WasmPlugin",
            ),
            pytest.param(
                {"istio": {"mode": "envoyfilter", "version": "1.9"}, "priority": 1},
                "istio/envoyfilter: spec.priority: Istio 1.9 has no order of EnvoyFilters",
                id="order",
            ),
            pytest.param(
                {"target": {"gloo": {}}, "phase": "STATS", "priority": 1, "failure": "open"},
                "gloo: gloo has no place for spec.priority; gloo has no place for spec.failure: open;"
                " gloo has no place in the chain for spec.phase STATS",
                id="gloo",
            ),
            pytest.param(
                {"target": {"gloo": {}}},
                "gloo: which Gateways there are is not known",
                id="gloo without gateways",
            ),
            pytest.param(
                {"target": {"envoyGateway": {}}, "config": "text"},
                "envoy-gateway: a policy needs spec.targetRefs: the gateways or routes it is for; text as"
                " spec.config would arrive in quotes; make it a JSON object",
                id="envoy gateway",
            ),
            pytest.param(
                {"target": {"envoyGateway": {}}, "targetRefs": [{"kind": "Service", "name": "s"}]},
                "envoy-gateway: a policy is for Gateway, HTTPRoute, GRPCRoute of"
                " gateway.networking.k8s.io, not for Service s",
                id="kind of target",
            ),
            pytest.param({"target": {"envoy": {}}}, "envoy: the module is not on this machine", id="envoy"),
            pytest.param(
                {"target": {"xds": {}}, "phase": "AUTHN"}, "xds: xds has no place for spec.phase", id="xds"
            ),
            pytest.param(
                {"configFrom": [{"path": "token", "secretKeyRef": {"name": "s", "key": "k"}}]},
                "no mode of Istio can do this: spec.configFrom[0]: Secret s with key 'k' is not known /"
                " spec.configFrom[0]: Secret s with key 'k' is not known",
                id="secret",
            ),
        ],
    )
    def test_what_cannot_be_said_is_not_left_out(self, asked: Any, complaint: str) -> None:
        assert str(refused(**asked)) == complaint

    def test_a_module_too_large_for_a_configmap(self) -> None:
        large = ModuleFacts(sha256=SHA256, size=1024 * 1024 + 1, content=bytes(1024 * 1024 + 1))
        refusal = refused(istio={"mode": "configmap"}, known=facts(module=large))
        assert str(refusal) == (
            "istio/configmap: the module has 1048577 bytes; a ConfigMap holds at most 1048576"
        )
        largest = ModuleFacts(sha256=SHA256, size=1024 * 1024, content=bytes(1024 * 1024))
        assert a_plan(istio={"mode": "configmap"}, known=facts(module=largest)).target == "istio/configmap"

    def test_gloo_does_not_fetch_by_digest(self) -> None:
        image = ImageUrl.parse(f"hub/a/b@sha256:{DIGEST}")
        refusal = refused(target={"gloo": {}}, targetRefs=[{"name": "gw"}], known=facts(image=image))
        assert str(refusal) == "gloo: Gloo fetches images by tag, and spec.image names none"


class TestConfig:
    def config(self, *, known: Facts | None = None, **asked: Any) -> Any:
        held = a_plan(istio={"mode": "envoyfilter"}, known=known, **asked).objects[-1]
        value = held["spec"]["configPatches"][0]["patch"]["value"]
        return value["typedConfig"]["value"]["config"]

    def test_secrets_are_put_where_they_belong(self) -> None:
        known = facts(values={("Secret", "s", "k"): "t0ken", ("ConfigMap", "c", ""): "v"})
        sources = [
            {"secretKeyRef": {"name": "s", "key": "k"}, "path": "auth.token"},
            {"configMapKeyRef": {"name": "c"}, "path": "plain"},
        ]
        config = self.config(config={"a": 1}, configFrom=sources, known=known)
        assert json.loads(config["configuration"]["value"]) == {
            "a": 1,
            "auth": {"token": "t0ken"},
            "plain": "v",
        }

    def test_a_secret_cannot_go_into_text(self) -> None:
        known = facts(values={("Secret", "s", ""): "t0ken"})
        source = {"secretKeyRef": {"name": "s"}, "path": "a.b"}
        refusal = refused(config={"a": "text"}, configFrom=[source], known=known)
        assert refusal.reasons[0] == "spec.configFrom[0].path: 'a' in 'a.b' is no mapping"

    def test_capabilities_are_the_imports_and_the_callbacks(self) -> None:
        assert self.config(capabilities="auto")["capabilityRestrictionConfig"] == {
            "allowedCapabilities": {
                "proxy_add_header_map_value": {},
                "proxy_log": {},
                "proxy_on_configure": {},
                "proxy_on_response_headers": {},
            }
        }

    def test_without_the_module_all_callbacks_are_allowed(self) -> None:
        image = ImageUrl.parse(IMAGE)
        with pytest.raises(PlanRefused):
            self.config(capabilities="auto", known=Facts(image=image))
        allowed = self.config(capabilities=["proxy_log"])["capabilityRestrictionConfig"][
            "allowedCapabilities"
        ]
        assert set(allowed) == {"proxy_log", *MODULE.callbacks}

    @pytest.mark.parametrize(
        ("failure", "version", "fields"),
        [
            ("closed", "", {}),
            ("open", "", {"failurePolicy": "FAIL_OPEN"}),
            ("open", "1.24", {"failOpen": True}),
            ("reload", "1.27", {"failurePolicy": "FAIL_RELOAD"}),
        ],
    )
    def test_a_failure_is_told_as_the_proxies_know_it(self, failure: str, version: str, fields: Any) -> None:
        config = self.config(failure=failure, known=facts(istio_version=version))
        assert {key: config[key] for key in config if key.startswith("fail")} == fields

    def test_the_root_id_is_the_first_that_the_image_names(self) -> None:
        known = facts(root_ids=("first", "second"))
        assert self.config(known=known)["rootId"] == "first"
        assert self.config(known=known, rootId="mine")["rootId"] == "mine"

    def test_a_variable_may_be_the_proxys_own(self) -> None:
        config = self.config(environment={"A": "1"}, hostEnvironment=["POD_NAME"])
        assert config["vmConfig"]["environmentVariables"] == {
            "keyValues": {"A": "1"},
            "hostEnvKeys": ["POD_NAME"],
        }


class TestGloo:
    GATEWAY: ClassVar[dict[str, Any]] = {
        "apiVersion": "gateway.solo.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "gateway-proxy", "namespace": "gloo-system", "labels": {"a": "b"}},
        "spec": {
            "bindPort": 8080,
            "httpGateway": {"options": {"wasm": {"filters": [{"name": "zz"}, {"name": "aa"}]}, "x": 1}},
        },
    }
    TCP: ClassVar[dict[str, Any]] = {
        **GATEWAY,
        "metadata": {"name": "tcp", "namespace": "gloo-system"},
        "spec": {"tcpGateway": {}},
    }

    def plan(self, **gloo: Any) -> Plan:
        known = facts(gateways=(self.GATEWAY, self.TCP))
        return make_plan(an_intent(target={"gloo": gloo}, id="mine", config={"a": 1}), known)

    def test_the_filter_is_put_among_the_others_by_name(self) -> None:
        [held] = self.plan().objects
        assert held["spec"]["bindPort"] == 8080
        options = held["spec"]["httpGateway"]["options"]
        assert options["x"] == 1
        assert options["wasm"]["filters"] == [
            {"name": "aa"},
            {
                "name": "mine",
                "image": "hub.example.com/team/add-header:v1.2",
                "rootId": "",
                "vmType": "V8",
                "config": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": '{"a":1}'},
            },
            {"name": "zz"},
        ]

    def test_only_it_is_taken_out(self) -> None:
        plan = self.plan()
        [step] = plan.removal
        assert step.object is not None
        filters = step.object["spec"]["httpGateway"]["options"]["wasm"]["filters"]
        assert filters == [{"name": "aa"}, {"name": "zz"}]

    def test_nothing_of_the_users_is_changed(self) -> None:
        before = json.dumps(self.GATEWAY)
        self.plan()
        assert json.dumps(self.GATEWAY) == before

    @pytest.mark.parametrize("gloo", [{"labels": {"a": "c"}}, {"namespaces": ["other"]}])
    def test_no_gateway_at_all_is_a_mistake(self, gloo: Any) -> None:
        with pytest.raises(PlanRefused, match="no Gateway with an httpGateway"):
            self.plan(**gloo)


def test_what_changes_between_plans_is_named_new_things_first() -> None:
    known = facts(workloads=(DETAILS,))
    before = a_plan(istio={"mode": "envoyfilter"}, known=known, config="old")
    newer = ModuleFacts(sha256="b" * 64, size=1)
    after = a_plan(istio={"mode": "envoyfilter"}, known=facts(workloads=(DETAILS, RATINGS), module=newer))
    assert [(str(one.how), one.what) for one in changes(before, after)] == [
        ("added", f"file /var/local/lib/wasme-cache/{'b' * 64}"),
        ("added", "StatefulSet bookinfo/ratings"),
        ("added", "EnvoyFilter bookinfo/ratings-add-header.bookinfo"),
        ("changed", "EnvoyFilter bookinfo/details-v1-add-header.bookinfo"),
        ("removed", f"file {FILE}"),
    ]
    assert changes(before, before) == []
    assert [str(one.how) for one in changes(before, None)] == ["removed"] * 3
