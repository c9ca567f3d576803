"""Every example in every language: made, built and run untouched through the real Envoy.

One table for all languages: an example means the same whatever it is written in.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Weft
from modules.samples import sample
from worlds.serving import serving, soon
from worlds.threads import Handler, answering

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
    server = f"auth-cluster=http://127.0.0.1:{authority}"
    with serving(made, "--cluster", server, env=env, folder=tmp_path) as run:
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
        assert seen == ["1", "2", "3"]
        wanted = ("my_sample_requests_total: 3", "my_sample_requests_active: 0", "my_sample_duration_ms")
        # A stream ends a moment after its answer.
        assert soon(lambda: all(line in run.stats("my_sample") for line in wanted)), run.stats("my_sample")


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

    class Authority(Handler):
        def respond(self) -> None:
            self.answer(200 if self.headers["authorization"] == "Bearer good" else 401)

    with answering(Authority) as port:
        yield port
