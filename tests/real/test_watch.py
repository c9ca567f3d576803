"""`weft run --watch`: filters and configs are exchanged in the running Envoy, and no request is lost."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Weft
from modules.tiny import REFUSAL, tiny_filter
from weft.mesh import default_bootstrap
from worlds.liveness import PATIENCE
from worlds.serving import Serving, ask, serving

pytestmark = pytest.mark.real("envoy")


def save(path: Path, content: bytes) -> None:
    """As editors and compilers save: a whole new file over the old one."""
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    new.rename(path)


def until(happened: Callable[[], bool], run: Serving) -> None:
    """Wait for it, within bounds."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, run.said()
        time.sleep(0.02)


def answers_with(run: Serving, header: str, value: str) -> Callable[[], bool]:
    return lambda: run.get("/").header(header) == value


class Load:
    """Requests without a pause, over connections that stay open."""

    def __init__(self, url: str) -> None:
        self._address = url.removeprefix("http://")
        self._stop = threading.Event()
        self.answers: list[tuple[int, str | None]] = []
        self.failures: list[str] = []

    def go_on(self) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=PATIENCE)
        while not self._stop.is_set():
            try:
                connection.request("GET", "/")
                response = connection.getresponse()
                response.read()
                self.answers.append((response.status, response.getheader("x-tiny")))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
        connection.close()

    @contextmanager
    def running(self, threads: int) -> Iterator[None]:
        workers = [threading.Thread(target=self.go_on) for _ in range(threads)]
        for worker in workers:
            worker.start()
        try:
            yield
        finally:
            self._stop.set()
            for worker in workers:
                worker.join(PATIENCE)


def test_code_and_config_change_under_load_without_a_failed_request(
    tiny: Path, env: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "config.txt"
    config.write_text("0")
    with serving(tiny, "--config", f"@{config}", "--watch", env=env, folder=tmp_path) as run:
        load = Load(run.url)
        with load.running(threads=3):
            for number in range(1, 11):
                if number % 2:
                    save(config, str(number).encode())
                    until(answers_with(run, "x-tiny", str(number)), run)
                else:
                    save(tiny, tiny_filter(start_returns=number))  # other bytes, same behaviour
                    done = number // 2
                    until(lambda done=done: run.said().count("tiny: new code in ") == done, run)  # type: ignore[misc]
        said = run.said()
    assert load.failures == []
    assert {status for status, _ in load.answers} == {200}
    assert {value for _, value in load.answers} <= {"0", *(str(number) for number in range(1, 11, 2))}
    assert len(load.answers) > 100
    assert said.count("tiny: new configuration in ") == 5


def test_other_code_serves_after_a_save(tiny: Path, env: dict[str, str], tmp_path: Path) -> None:
    with serving(tiny, "--config", "x", "--watch", env=env, folder=tmp_path) as run:
        assert run.get("/").header("x-tiny") == "x"
        save(tiny, tiny_filter("x-other"))
        until(answers_with(run, "x-other", "x"), run)
        save(tiny, tiny_filter())
        until(answers_with(run, "x-tiny", "x"), run)


def test_what_is_refused_leaves_the_last_good_one_and_is_told(
    tiny: Path, env: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "config.txt"
    config.write_text("good")
    with serving(tiny, "--config", f"@{config}", "--watch", env=env, folder=tmp_path) as run:
        mistakes = [
            (config, b"!bad", f"error: tiny refused its configuration\n\n{REFUSAL}\n"),
            (config, b"*bad", "error: tiny trapped in proxy_on_configure: RuntimeError: unreachable\n"),
            (tiny, b"no module", "error: tiny is not a WebAssembly module that Envoy can read\n"),
            (tiny, tiny_filter(extra_import="abort"), "error: tiny imports env.abort, which Envoy does not"),
        ]
        for path, content, complaint in mistakes:
            told = run.said().count("tiny goes on as it was\n")
            save(path, content)
            until(lambda told=told: run.said().count("tiny goes on as it was\n") > told, run)  # type: ignore[misc]
            assert complaint in run.said()
            assert run.get("/").header("x-tiny") == "good"
        save(config, b"better")
        save(tiny, tiny_filter("x-other"))
        until(answers_with(run, "x-other", "better"), run)


def test_only_the_filter_whose_file_changed_is_exchanged(env: dict[str, str], tmp_path: Path) -> None:
    one, two = tmp_path / "one.wasm", tmp_path / "two.wasm"
    one.write_bytes(tiny_filter("x-one"))
    two.write_bytes(tiny_filter("x-two"))
    words = (one, two, "--config", "1", "--config", "2", "--watch", "--id", "my-one.v1")
    with serving(*words, env=env, folder=tmp_path) as run:
        save(two, tiny_filter("x-new"))
        until(answers_with(run, "x-new", "2"), run)
        answer = run.get("/")
        assert (answer.header("x-one"), answer.header("x-two")) == ("1", None)
        save(one, tiny_filter("x-last"))
        until(answers_with(run, "x-last", "1"), run)
    assert run.said().count("my-one.v1: new code in ") == 1
    assert run.said().count("two: new code in ") == 1


def test_every_connection_manager_of_a_bootstrap_gets_the_change(
    tiny: Path, env: dict[str, str], tmp_path: Path
) -> None:
    bootstrap = default_bootstrap()
    [listener] = bootstrap["static_resources"]["listeners"]
    bootstrap["static_resources"]["listeners"].append({**listener, "name": "second"})
    del bootstrap["node"]  # discovery wants names, which weft adds
    file = tmp_path / "theirs.json"
    file.write_text(json.dumps(bootstrap))
    with serving(tiny, "--config", "x", "--bootstrap", file, "--watch", env=env, folder=tmp_path) as run:
        urls = run.listeners()
        save(tiny, tiny_filter("x-other"))
        for url in urls:
            until(lambda url=url: ask(url, "GET", "/").header("x-other") == "x", run)  # type: ignore[misc]
    assert len(urls) == 2


@pytest.mark.real("assemblyscript")
def test_a_project_is_built_anew_on_save_and_keeps_serving_when_it_does_not_compile(
    weft: Weft, env: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "my_sample"
    assert weft("init", folder, "--language", "assemblyscript").code == 0
    source, settings = folder / "assembly" / "index.ts", folder / "weft.toml"
    original, toml = source.read_bytes(), settings.read_bytes()
    with serving(folder, "--watch", env=env, folder=tmp_path) as run:
        assert run.get("/").header("hello") == "world"
        save(source, original + b"\nthis is no program\n")
        until(lambda: "my_sample goes on as it was" in run.said(), run)
        assert run.get("/").header("hello") == "world"
        save(settings, toml.replace(b'"world"', b'"there"'))
        save(source, original)
        until(answers_with(run, "hello", "there"), run)
