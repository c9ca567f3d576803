"""Every example in every language: made, built and run untouched through the real Envoy.

One table for all languages: an example means the same whatever it is written in.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from conftest import Weft
from samples import sample
from serving import serving

EVERY_LANGUAGE = [
    pytest.param(language, marks=pytest.mark.real(language, "envoy"), id=language)
    for language in ("assemblyscript", "cpp", "go", "rust")
]
every_language = pytest.mark.parametrize("language", EVERY_LANGUAGE)


@every_language
def test_add_header(language: str, env: dict[str, str], tmp_path: Path) -> None:
    folder, module = sample(language, "add-header")
    with serving(folder, env=env, folder=tmp_path) as run:
        assert run.get("/any").header("hello") == "world"
        assert run.get("/any").echo()["path"] == "/any"
    config = '{"name": "X-Mine", "value": "yes, mine"}'
    with serving(module, "--root-id", "my_sample", "--config", config, env=env, folder=tmp_path) as run:
        assert run.get("/").header("x-mine") == "yes, mine"


@every_language
@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        pytest.param('{"value": 1}', "config: value must be a string", id="type"),
        pytest.param('{"colour": "red"}', "config: colour", id="unknown key"),
        pytest.param('{"name": "no spaces"}', "config: name", id="header name"),
        pytest.param('{"name": ', "config: not valid JSON", id="syntax"),
        pytest.param("[]", "config: must be an object", id="not an object"),
    ],
)
def test_a_wrong_config_is_refused_in_the_filters_own_words(
    language: str, weft: Weft, config: str, complaint: str
) -> None:
    _, module = sample(language, "add-header")
    result = weft("run", module, "--root-id", "my_sample", "--config", config, "--port", "0")
    assert result.code == 6
    assert complaint in result.err
    assert "Unable to create Wasm plugin" not in result.err


@every_language
def test_path_rewrite(language: str, weft: Weft, env: dict[str, str], tmp_path: Path) -> None:
    made, _ = sample(language, "path-rewrite")
    rewrites = [
        {"regex_match": "...", "custom_path": "/anything"},
        {"regex_match": r"/users/\d+(\?.*)?", "custom_path": "/user"},
        {"regex_match": "/kept", "custom_path": ""},
    ]
    config = json.dumps({"rewrites": rewrites})
    with serving(made, "--config", config, env=env, folder=tmp_path) as run:
        seen = {path: run.get(path) for path in ("/ab", "/users/42?x=1", "/users/x", "/kept")}
    assert {path: answer.echo()["path"] for path, answer in seen.items()} == {
        "/ab": "/anything",
        "/users/42?x=1": "/user",
        "/users/x": "/users/x",
        "/kept": "/kept",
    }
    assert seen["/ab"].header("x-original-path") == "/ab"
    assert ["location", "envoy-wasm"] in seen["/ab"].echo()["headers"]
    assert seen["/users/x"].header("x-original-path") is None
    bad = weft(
        "run", made, "--config", '{"rewrites": [{"regex_match": "(", "custom_path": "/x"}]}', "--port", "0"
    )
    assert bad.code == 6
    assert "config: rewrites" in bad.err


@every_language
def test_external_auth(language: str, env: dict[str, str], tmp_path: Path, authority: int) -> None:
    made, _ = sample(language, "external-auth")
    bootstrap = tmp_path / "bootstrap.yaml"
    bootstrap.write_text(yaml.safe_dump(with_clusters({"auth-cluster": authority})))
    with serving(made, "--bootstrap", bootstrap, env=env, folder=tmp_path) as run:
        allowed = run.get("/secret", authorization="Bearer good")
        assert (allowed.status, allowed.header("x-ext-auth")) == (200, "allowed")
        denied = run.get("/secret", authorization="Bearer bad")
        assert (denied.status, denied.body) == (403, b"not authorized\n")
        assert run.get("/secret").status == 403
    with serving(made, env=env, folder=tmp_path) as run:  # no such cluster: it fails closed
        assert run.get("/secret", authorization="Bearer good").status == 403


@every_language
def test_metrics(language: str, env: dict[str, str], tmp_path: Path) -> None:
    made, _ = sample(language, "metrics")
    with serving(made, env=env, folder=tmp_path) as run:
        seen = [run.get("/").header("x-requests-seen") for _ in range(3)]
        stats = run.stats("my_sample")
    assert seen == ["1", "2", "3"]
    assert "my_sample_requests_total: 3" in stats
    assert "my_sample_requests_active: 0" in stats
    assert "my_sample_duration_ms" in stats


@every_language
def test_two_builds_are_the_same_bytes_and_the_folder_is_only_read(
    language: str, weft: Weft, tmp_path: Path
) -> None:
    made, module = sample(language, "add-header")
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    elsewhere = tmp_path / "elsewhere" / "my_sample"
    assert weft("init", elsewhere, "--language", language).code == 0
    assert weft("build", elsewhere, "--out", tmp_path / "second.wasm").code == 0
    assert (tmp_path / "second.wasm").read_bytes() == module.read_bytes()
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


@pytest.fixture
def authority() -> Iterator[int]:
    """An authorization service: 200 for ``Bearer good``, 401 for the rest. Its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.headers["authorization"] == "Bearer good" else 401)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def with_clusters(ports: dict[str, int]) -> dict[str, object]:
    """A bootstrap that answers by itself and knows clusters at these loopback ports."""
    api = "type.googleapis.com/envoy.extensions.filters"
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "in"}}}
    manager = {
        "@type": f"{api}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {"name": "router", "typed_config": {"@type": f"{api}.http.router.v3.Router"}},
        ],
    }
    loopback = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}

    def cluster(name: str, port: int) -> dict[str, object]:
        address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
        endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
        return {
            "name": name,
            "type": "STATIC",
            "load_assignment": {"cluster_name": name, "endpoints": endpoints},
        }

    return {
        "admin": {"address": loopback},
        "static_resources": {
            "listeners": [
                {
                    "name": "in",
                    "address": loopback,
                    "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
                }
            ],
            "clusters": [cluster(name, port) for name, port in ports.items()],
        },
    }
