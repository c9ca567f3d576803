"""``weft render`` and ``weft diff``: what a target would be told, without asking anybody."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Weft
from modules.tiny import tiny_filter
from worlds.intents import IMAGE

INTENT = f"""\
apiVersion: weft.dev/v1alpha1
kind: FilterDeployment
metadata: {{name: add-header, namespace: bookinfo}}
spec:
  image: {IMAGE}
  config: {{name: hello}}
  workloads: {{labels: {{app: details}}}}
"""
DETAILS = """\
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: details-v1, namespace: bookinfo}
  spec: {template: {metadata: {labels: {app: details}}}}
- {apiVersion: v1, kind: Service, metadata: {name: details}}
"""


@pytest.fixture
def intent(tmp_path: Path) -> Path:
    file = tmp_path / "intent.yaml"
    file.write_text(INTENT)
    return file


@pytest.fixture
def module(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.wasm"
    file.write_bytes(tiny_filter())
    return file


def objects(text: str) -> list[Any]:
    return [held for held in yaml.safe_load_all(text) if held is not None]


def test_what_is_printed_is_what_kubectl_takes(weft: Weft, intent: Path) -> None:
    result = weft("render", "-f", intent)
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines()[:5] == [
        "# add-header.bookinfo on istio/wasmplugin",
        "#   mode auto chose wasmplugin: the least disruptive way that can do what is asked",
        "#   inbound traffic, because spec.target.istio.context says nothing else",
        "---",
        "# apply: Istio's agent pulls the module by its digest; nothing restarts",
    ]
    [held] = objects(result.out)
    assert (held["kind"], held["spec"]["pluginConfig"]) == ("WasmPlugin", {"name": "hello"})


def test_workloads_and_intents_may_come_from_a_pipe(weft: Weft, module: Path) -> None:
    words = ("--mode", "envoyfilter", "--module", module, "-o", "json")
    result = weft("render", "-f", "-", *words, stdin=f"{INTENT}---\n{DETAILS}")
    [plan] = json.loads(result.out)
    assert [step["do"] for step in plan["steps"]] == ["hold", "mount", "apply"]
    assert [step["do"] for step in plan["removal"]] == ["delete", "unmount", "release"]
    assert plan["restarts"] == ["Deployment/details-v1"]


def test_an_image_of_this_machine_is_known(weft: Weft, module: Path, tmp_path: Path) -> None:
    config = tmp_path / "runtime-config.json"
    config.write_text('{"type":"envoy_proxy","abiVersions":["v0.2.1"],"config":{"rootIds":["its_root"]}}')
    image = "hub.example.com/team/tiny:v1"
    built = weft("build", "precompiled", module, "-t", image, "--config", config)
    assert built.code == 0, built.err
    result = weft("render", image, "--id", "mine", "--namespace", "bookinfo", "--config", "text")
    assert result.code == 0, result.err
    [held] = objects(result.out)
    patch = held["spec"]["configPatches"][0]["patch"]["value"]
    config_ = patch["typedConfig"]["value"]["config"]
    assert (held["kind"], config_["rootId"], config_["configuration"]["value"]) == (
        "EnvoyFilter",
        "its_root",
        "text",
    )


def test_an_old_istio_is_not_told_of_an_abi_it_does_not_know(
    weft: Weft, module: Path, tmp_path: Path
) -> None:
    config = tmp_path / "runtime-config.json"
    config.write_text('{"type":"envoy_proxy","abiVersions":["v0.2.1"],"config":{"rootIds":[]}}')
    image = "hub.example.com/team/tiny:v1"
    assert weft("build", "precompiled", module, "-t", image, "--config", config).code == 0
    result = weft("render", image, "--istio-version", "1.9.1")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(
        f"error: filter tiny: image {image} not supported by istio version 1.9: no versions"
    )
    assert weft("render", image, "--istio-version", "1.9.1", "--ignore-version-check").code == 0
    assert weft("render", image, "--istio-version", "1.10").code == 0


def test_flags_say_what_wasmes_said(weft: Weft) -> None:
    flags = ("--id", "Mine", "-n", "ns", "-l", "app=a,version=b", "-l", "c=d", "-t", "daemonset")
    more = ("--patch-context", "outbound", "--failure", "open", "--root-id", "r", "--config", '{"a":1}')
    result = weft("render", IMAGE, *flags, *more)
    assert result.code == 0, result.err
    [held] = objects(result.out)
    assert held["metadata"]["name"] == "mine"
    assert held["spec"] == {
        "selector": {"matchLabels": {"app": "a", "version": "b", "c": "d"}},
        "url": f"oci://hub.example.com/team/add-header@sha256:{'1' * 64}",
        "pluginConfig": {"a": 1},
        "pluginName": "r",
        "failStrategy": "FAIL_OPEN",
        "match": [{"mode": "CLIENT"}],
    }


@pytest.mark.parametrize(
    ("target", "kind"),
    [("envoy", "static_resources"), ("xds", "typed_config")],
)
def test_another_target_may_be_asked_for(weft: Weft, module: Path, target: str, kind: str) -> None:
    result = weft("render", "-f", "-", "--target", target, "--module", module, stdin=_without_workloads())
    assert result.code == 0, result.err
    [held] = objects(result.out)
    assert kind in held


def _without_workloads() -> str:
    return INTENT.replace("  workloads: {labels: {app: details}}\n", "")


def test_secrets_are_read_where_they_are_given_and_marked_elsewhere(weft: Weft) -> None:
    text = INTENT + "  configFrom:\n  - {secretKeyRef: {name: s, key: k}, path: token}\n"
    result = weft("render", "-f", "-", stdin=text)
    assert objects(result.out)[0]["spec"]["pluginConfig"]["token"] == "<Secret s, key k>"
    assert result.err == "note: add-header: Secret s is read when deployed; here its place is marked\n"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    secret["data"] = {"k": base64.b64encode(b"t0ken").decode()}
    result = weft("render", "-f", "-", stdin=f"{text}---\n{json.dumps(secret)}\n")
    assert objects(result.out)[0]["spec"]["pluginConfig"]["token"] == "t0ken"


def test_others_kinds_are_read_and_what_is_lost_is_said(weft: Weft) -> None:
    plugin = {
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {"name": "theirs", "namespace": "ns"},
        "spec": {"url": f"oci://{IMAGE}", "imagePullPolicy": "Always"},
    }
    result = weft("render", "-f", "-", "--mode", "trafficextension", stdin=json.dumps(plugin))
    assert result.err == "note: theirs: imagePullPolicy Always is left out: weft pins the digest\n"
    [held] = objects(result.out)
    assert (held["kind"], held["metadata"]["name"]) == ("TrafficExtension", "theirs")


def test_the_schema_is_for_editors(weft: Weft) -> None:
    schema = json.loads(weft("render", "--schema", "-o", "json").out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "image" in schema["$defs"]["Spec"]["required"]


def test_others_kinds_are_written_as_intents(weft: Weft) -> None:
    """Also where nothing is known of the image, and several at once."""
    plugin = {
        "apiVersion": "extensions.istio.io/v1alpha1",
        "kind": "WasmPlugin",
        "metadata": {"name": "theirs", "namespace": "ns"},
        "spec": {"url": "oci://hub/a/b:v1", "verificationKey": "k"},
    }
    result = weft("render", "-f", "-", "-o", "intent", stdin=f"{json.dumps(plugin)}\n---\n{INTENT}")
    assert result.err == (
        "note: theirs: verificationKey is left out: Istio never looks at it; name keys in spec.verify\n"
    )
    theirs, ours = objects(result.out)
    assert theirs == {
        "apiVersion": "weft.dev/v1alpha1",
        "kind": "FilterDeployment",
        "metadata": {"name": "theirs", "namespace": "ns"},
        "spec": {
            "image": "oci://hub/a/b:v1",
            "target": {"istio": {"mode": "wasmplugin", "context": "any"}},
        },
    }
    assert ours == yaml.safe_load(INTENT)


@pytest.mark.parametrize(
    ("words", "stdin", "complaint"),
    [
        pytest.param(
            ["-f", "-"],
            INTENT.replace("  config:", "  confg:"),
            "error: standard input line 6: spec.confg: there is no such field\n\nhint: did you mean"
            " config?\n",
            id="a mistake",
        ),
        pytest.param(
            ["-f", "-"],
            "a: [\n",
            "error: standard input at line 2, column 1: expected the node content,"
            " but found '<stream end>'\n",
            id="no YAML",
        ),
        pytest.param(
            ["-f", "-"], "- a\n", "error: standard input line 1: a mapping was expected\n", id="a list"
        ),
        pytest.param(
            ["-f", "-"],
            DETAILS,
            "error: standard input: no filter to deploy\n\nhint: a FilterDeployment, a WasmPlugin"
            " or a TrafficExtension says what to deploy\n",
            id="nothing to deploy",
        ),
        pytest.param(
            ["-f", "nowhere.yaml"], "", "error: nowhere.yaml: No such file or directory\n", id="no file"
        ),
        pytest.param(
            ["-f", "-", "--config", "x", "-t", "daemonset"],
            INTENT,
            "error: --config, --workload-type: for an image on the command line; a file says it itself\n",
            id="flags for a file",
        ),
        pytest.param([], "", "error: name either an image or files with -f\n", id="nothing"),
        pytest.param(
            ["hub/a/b:v1", "--mode", "wasmplugin"],
            "",
            "error: filter b: istio/wasmplugin: the image is not resolved to a digest; a tag that moves"
            " would stop the proxies\n\nhint: `weft pull hub/a/b:v1` first, or name the module with"
            " --module\n",
            id="an image nobody looked into",
        ),
        pytest.param([IMAGE, "-l", "app"], "", "error: --labels app: it must read key=value\n", id="labels"),
        pytest.param(
            [IMAGE, "--mode", "envoyfilter", "--target", "gloo"],
            "",
            "error: --mode is for Istio, not for gloo\n",
            id="mode of another target",
        ),
        pytest.param(
            [IMAGE, "--istio-version", "new"],
            "",
            "error: 'new' is no version of Istio\n\nhint: for example 1.24 or 1.24.3\n",
            id="version",
        ),
    ],
)
def test_a_mistake_is_explained(weft: Weft, words: list[str], stdin: str, complaint: str) -> None:
    result = weft("render", *words, stdin=stdin)
    assert (result.code, result.out, result.err) == (2, "", complaint)


def test_a_change_is_shown_before_it_is_made(weft: Weft, intent: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(INTENT.replace("hello", "goodbye"))
    result = weft("diff", "-f", new, "--from", intent)
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "~ WasmPlugin bookinfo/add-header\n"
        "    @@ -15,5 +15,5 @@\n"
        f"       url: oci://hub.example.com/team/add-header@sha256:{'1' * 64}\n"
        "       pluginConfig:\n"
        "    -    name: hello\n"
        "    +    name: goodbye\n"
        "       failStrategy: FAIL_CLOSE\n"
        "       match:\n"
    )
    assert weft("diff", "-f", new, "--from", intent, "--exit-code").code == 1


def test_what_stays_the_same_is_no_change(weft: Weft, intent: Path) -> None:
    result = weft("diff", "-f", intent, "--from", intent, "--exit-code")
    assert (result.code, result.out, result.err) == (0, "", "nothing changes\n")


def test_a_program_gets_both_sides_of_a_change(weft: Weft, intent: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(INTENT.replace("name: add-header", "name: other"))
    found = json.loads(weft("diff", "-f", new, "--from", intent, "-o", "json").out)
    assert [(one["how"], one["what"]) for one in found] == [
        ("added", "WasmPlugin bookinfo/other"),
        ("removed", "WasmPlugin bookinfo/add-header"),
    ]
    assert found[0]["before"] is None


def test_a_module_in_a_diff_is_cut_short(weft: Weft, intent: Path, module: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(INTENT.replace("name: add-header", "name: other"))
    words = ("-f", new, "--from", intent, "--mode", "configmap", "--module", module)
    lines = weft("diff", *words).out.splitlines()
    assert "+ ConfigMap bookinfo/other-" in "\n".join(lines)
    assert max(map(len, lines)) == 405
    assert [line[-1] for line in lines if len(line) > 400] == ["…", "…"]
