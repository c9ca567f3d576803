"""`weft run` and `weft deploy envoy`: what they read and what they print, without an Envoy."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Weft
from modules.tiny import tiny_filter
from worlds.liveness import PATIENCE, gone

ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
}
MANAGER = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.wasm"
    path.write_bytes(tiny_filter())
    return path


def filters(bootstrap: Any) -> list[Any]:
    listener = bootstrap["static_resources"]["listeners"][0]
    entries: list[Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
    return entries


def plugin(bootstrap: Any, index: int = 0) -> dict[str, Any]:
    config: dict[str, Any] = filters(bootstrap)[index]["typed_config"]["config"]
    return config


def theirs() -> dict[str, Any]:
    manager = {"@type": MANAGER, "http_filters": [ROUTER], "stat_prefix": "theirs"}
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {"static_resources": {"listeners": [{"name": "theirs", "filter_chains": [chain]}]}}


def test_out_prints_the_bootstrap_as_yaml(weft: Weft, module: Path) -> None:
    result = weft("run", module, "--config", ' {"a": 1}', "--out", "-")
    assert (result.code, result.err) == (0, "")
    bootstrap = yaml.safe_load(result.out)
    assert plugin(bootstrap)["configuration"]["value"] == ' {"a": 1}'
    assert plugin(bootstrap)["vm_config"]["code"]["local"]["filename"] == str(module)
    listener = bootstrap["static_resources"]["listeners"][0]
    assert listener["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 8080}


def test_out_writes_json_where_it_is_asked_for(weft: Weft, module: Path, tmp_path: Path) -> None:
    assert weft("run", module, "--out", tmp_path / "b.json").code == 0
    assert weft("run", module, "--out", tmp_path / "b.yaml").code == 0
    as_json = json.loads((tmp_path / "b.json").read_text())
    assert yaml.safe_load((tmp_path / "b.yaml").read_text()) == as_json
    assert json.loads(weft("run", module, "--out", "-", "-o", "json").out) == as_json


def test_a_bootstrap_is_patched_and_otherwise_left_alone(weft: Weft, module: Path) -> None:
    result = weft(
        "run", module, "--bootstrap", "-", "--out", "-", "-o", "json", stdin=yaml.safe_dump(theirs())
    )
    patched = json.loads(result.out)
    entry = filters(patched).pop(0)
    assert entry["name"] == "tiny"
    assert patched == theirs()


def test_an_admin_port_that_is_asked_for_reaches_somebodys_bootstrap(weft: Weft, module: Path) -> None:
    words = ("run", module, "--bootstrap", "-", "--out", "-", "-o", "json", "--admin-port", "19000")
    patched = json.loads(weft(*words, stdin=json.dumps(theirs())).out)
    assert patched["admin"]["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 19000}


def test_a_port_that_is_asked_for_moves_the_first_http_listener(weft: Weft, module: Path) -> None:
    bootstrap = theirs()
    address = {"socket_address": {"address": "0.0.0.0", "port_value": 443}}
    bootstrap["static_resources"]["listeners"][0]["address"] = address
    words = ("run", module, "--bootstrap", "-", "--out", "-", "-o", "json")
    for port, expected in (([], 443), (["--port", "0"], 0)):
        patched = json.loads(weft(*words, *port, stdin=json.dumps(bootstrap)).out)
        [listener] = patched["static_resources"]["listeners"]
        assert listener["address"]["socket_address"] == {"address": "0.0.0.0", "port_value": expected}
    nowhere = weft(*words, "--port", "0", stdin=json.dumps(theirs()))
    assert nowhere.code == 2
    assert nowhere.err == "error: the bootstrap's first HTTP listener has no port that --port could change\n"


def test_flags_say_who_the_filters_are(weft: Weft, module: Path, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("from a file")
    result = weft(
        *("run", module, module, "--config", "one", "--config", f"@{tmp_path}/c.json", "--id", "first"),
        *("--root-id", "r1", "--root-id", "r2", "--failure", "open", "--out", "-", "-o", "json"),
    )
    bootstrap = json.loads(result.out)
    first, second = plugin(bootstrap), plugin(bootstrap, 1)
    assert [first["name"], first["root_id"], first["configuration"]["value"]] == ["first", "r1", "one"]
    assert [second["name"], second["root_id"]] == ["tiny", "r2"]
    assert second["configuration"]["value"] == "from a file"
    assert first["failure_policy"] == second["failure_policy"] == "FAIL_OPEN"


def test_standard_input_may_be_the_config(weft: Weft, module: Path) -> None:
    result = weft("run", module, "--config", "-", "--out", "-", "-o", "json", stdin="from\nstdin")
    assert plugin(json.loads(result.out))["configuration"]["value"] == "from\nstdin"


def test_more_servers_become_clusters(weft: Weft, module: Path, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_text("x")
    result = weft(
        *("run", module, "--upstream", "http://10.0.0.1:3000", "--cluster", "auth=https://auth.example"),
        *("--out", "-", "-o", "json"),
        SSL_CERT_FILE=str(ca),
    )
    clusters = json.loads(result.out)["static_resources"]["clusters"]
    assert [cluster["name"] for cluster in clusters] == ["upstream", "auth"]
    checked = clusters[1]["transport_socket"]["typed_config"]["common_tls_context"]["validation_context"]
    assert checked["trusted_ca"] == {"filename": str(ca)}


def test_a_module_without_a_file_of_its_own_is_kept(weft: Weft, env: dict[str, str], tmp_path: Path) -> None:
    from weft.image import RuntimeConfig, pack
    from weft.oci import Reference
    from weft.store import Store

    home = tmp_path / "home"
    image = pack(tiny_filter(), RuntimeConfig(root_ids=("tiny_root",)))
    Store(home / "store").put(Reference.parse("localhost/tiny:v1"), image)
    for _ in range(2):
        result = weft("run", "localhost/tiny:v1", "--out", "-", "-o", "json", WEFT_HOME=str(home))
        config = plugin(json.loads(result.out))
    assert config["root_id"] == "tiny_root"
    kept = Path(config["vm_config"]["code"]["local"]["filename"])
    assert kept.read_bytes() == tiny_filter()
    assert kept.is_relative_to(home / "cache")


def test_deploy_envoy_is_the_same(weft: Weft, module: Path) -> None:
    words = (module, "--config", "wurld", "-b", "-", "--out", "-")
    run = weft("run", *words, stdin=json.dumps(theirs()))
    deploy = weft("deploy", "envoy", *words, stdin=json.dumps(theirs()))
    assert run.code == 0
    assert deploy == run


SERVER = (
    "must start with http:// or https:// and name a host\n\n"
    "hint: for example http://127.0.0.1:3000 or https://example.com"
)


@pytest.mark.parametrize(
    ("words", "code", "complaint"),
    [
        (["--config", "-", "--bootstrap", "-"], 2, "standard input can be read once: only one of"),
        (["--config", "-", "--config", "-"], 2, "standard input can be read once: only one of"),
        (
            ["--bootstrap", "b.yaml", "--cluster", "a=http://a"],
            2,
            "--upstream and --cluster are for weft's own bootstrap, not with --bootstrap",
        ),
        (["--bootstrap", "none.yaml"], 2, "--bootstrap none.yaml: No such file or directory"),
        (["--bootstrap", "-"], 2, "--bootstrap - is no Envoy bootstrap: it holds no mapping"),
        (
            ["--upstream", "nowhere"],
            2,
            f"'nowhere' {SERVER}",
        ),
        (["--cluster", "auth"], 2, "--cluster auth: it must read NAME=URL"),
        (["--config", "a", "--config", "b"], 2, "2 times --config for 1 filters"),
        (["--config", "@none"], 2, "--config @none: No such file or directory"),
        (["--id", "a b"], 2, "'a b' cannot be a filter's id"),
        (["--port", "70000"], 2, "Invalid value for '--port'"),
        (["--failure", "maybe"], 2, "Invalid value for '--failure'"),
        (["--out", "/proc/none/b.yaml"], 2, "--out /proc/none/b.yaml: No such file or directory"),
        (["--envoy", "1.2.3"], 3, "--envoy: envoy 1.2.3 is not here"),
        (["--envoy", "/nowhere"], 3, "--envoy: /nowhere does not exist"),
        (["--envoy", "x", "--envoy-image", "y"], 2, "--envoy and --envoy-image exclude each other"),
        (["--envoy-run-args", "'"], 2, "--envoy-run-args: No closing quotation"),
        (["--envoy-image", "i", "--docker-run-args", "'"], 2, "--docker-run-args: No closing quotation"),
        (["--envoy-image", "i"], 3, "--envoy-image needs docker or podman on PATH"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_told_before_anything_runs(
    weft: Weft, module: Path, words: list[str], code: int, complaint: str
) -> None:
    out = [] if {"--envoy", "--envoy-image", "--envoy-run-args", "--out"} & set(words) else ["--out", "-"]
    result = weft("run", module, *words, *out, PATH="/nowhere")
    assert result.code == code, result
    assert complaint in result.err
    assert result.out == ""


def test_a_module_that_is_not_there_is_told(weft: Weft, tmp_path: Path) -> None:
    result = weft("run", tmp_path / "no.wasm", "--out", "-")
    assert (result.code, result.err) == (4, f"error: {tmp_path}/no.wasm: no such file\n")
    result = weft("run", "localhost/nothing:v1", "--out", "-")
    assert result.code == 4
    assert result.err.startswith("error: ")


def test_interrupted_while_envoy_starts_it_leaves_nothing(
    module: Path, env: dict[str, str], tmp_path: Path
) -> None:
    """The Envoy here says its process id and never answers."""
    said, temporary = tmp_path / "pid", tmp_path / "temporary"
    temporary.mkdir()
    envoy = tmp_path / "envoy"
    envoy.write_text(f"#!/bin/sh\necho $$ > {said}.new; mv {said}.new {said}; exec sleep 60\n")
    envoy.chmod(0o755)
    command = [sys.executable, "-m", "weft", "run", str(module), "--port", "0", "--envoy", str(envoy)]
    with subprocess.Popen(command, env={**env, "TMPDIR": str(temporary)}, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + PATIENCE
        while not said.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert process.stderr
        assert process.stderr.read() == b"stopped\n"
    assert gone(int(said.read_text()))
    assert list(temporary.iterdir()) == []


def test_nothing_named_is_told(weft: Weft) -> None:
    result = weft("run")
    assert result.code == 2
    assert result.err.startswith("error: Missing argument 'DIR|REF|FILE.wasm...'.")
