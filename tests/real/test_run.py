"""`weft run` with the real Envoy: what a user sees when it works, and when it does not."""

import http.client
import json
import os
import re
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import Weft
from modules.tiny import REFUSAL, tiny_filter
from weft.image import RuntimeConfig, pack
from weft.mesh import default_bootstrap
from weft.oci import Reference
from weft.store import Store
from worlds.liveness import PATIENCE, gone, is_running
from worlds.serving import Serving, serving
from worlds.threads import Handler, answering

pytestmark = pytest.mark.real("envoy")


@contextmanager
def slow_upstream(release: threading.Event, asked: threading.Event) -> Iterator[str]:
    """A server that says when it was asked and answers when it may."""

    class Slow(Handler):
        def respond(self) -> None:
            asked.set()
            release.wait(PATIENCE)
            self.answer()

    with answering(Slow) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def temporary(env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of this test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    env["TMPDIR"] = str(folder)
    return folder


def test_a_filter_changes_requests_and_responses(tiny: Path, env: dict[str, str], tmp_path: Path) -> None:
    config = '{ "it": ["reaches", "the filter"] }'
    with serving(tiny, "--config", config, env=env, folder=tmp_path) as run:
        answer = run.request("POST", "/a?b=%20", {"X-Mine": "1"}, b"body")
    assert answer.status == 200
    assert answer.header("x-tiny") == config
    echo = answer.echo()
    assert (echo["method"], echo["path"], echo["body"]) == ("POST", "/a?b=%20", "body")
    assert ["x-mine", "1"] in echo["headers"]
    assert ["x-tiny", config] in echo["headers"]
    assert ["host", run.url.removeprefix("http://")] in echo["headers"]


def test_filters_stand_in_the_order_they_are_named(env: dict[str, str], tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.wasm").write_bytes(tiny_filter("x-chain"))
    words = (tmp_path / "b.wasm", tmp_path / "a.wasm", tmp_path / "b.wasm", "--config", "1", "--config", "2")
    with serving(*words, "--config", "3", env=env, folder=tmp_path) as run:
        answer = run.get("/")
    requests = [value for name, value in answer.echo()["headers"] if name == "x-chain"]
    responses = [value for name, value in answer.headers if name == "x-chain"]
    assert requests == ["1", "2", "3"]
    assert responses == ["3", "2", "1"]


def test_what_a_filter_says_is_shown_under_its_name(tiny: Path, env: dict[str, str], tmp_path: Path) -> None:
    with serving(
        tiny, "--id", "mine", "--root-id", "r: x", "--config", "hi", env=env, folder=tmp_path
    ) as run:
        run.get("/")
    said = run.said()
    assert said.startswith("mine | info | hi\n")
    assert set(said.splitlines()) == {"mine | info | hi", "stopped"}


def test_the_calls_of_a_filter_are_shown_with_trace(tiny: Path, env: dict[str, str], tmp_path: Path) -> None:
    with serving(tiny, "--trace", "--config", "hi", env=env, folder=tmp_path) as run:
        run.get("/")
    said = run.said()
    assert "wasm | trace |     proxy_get_buffer_bytes(buffer=plugin configuration, offset=0, size=2, " in said
    assert (
        "wasm | trace | > proxy_on_request_headers(context=2, headers=7, end_of_stream=true)\n"
        "wasm | trace |     proxy_add_header_map_value(map=request headers, key=0x10, key_size=6, "
    ) in said
    assert "wasm | trace | < continue\n" in said


def test_envoys_own_log_is_shown_when_its_level_is_set(
    tiny: Path, env: dict[str, str], tmp_path: Path
) -> None:
    with serving(tiny, "--config", "x", "--envoy-run-args", "-l debug", env=env, folder=tmp_path) as run:
        run.get("/")
    assert "\nenvoy | info | starting main dispatch loop" in run.said()
    assert "\ntiny | info | x\n" in run.said()


def test_an_image_of_the_store_is_run_under_its_root_id(env: dict[str, str], tmp_path: Path) -> None:
    image = pack(tiny_filter(), RuntimeConfig(root_ids=("tiny_root",)))
    Store(Path(env["WEFT_HOME"]) / "store").put(Reference.parse("localhost/team/tiny:v1"), image)
    with serving("localhost/team/tiny:v1", "--trace", "--config", "x", env=env, folder=tmp_path) as run:
        assert run.get("/").header("x-tiny") == "x"


@pytest.mark.parametrize(
    ("module", "config", "message", "detail"),
    [
        pytest.param(tiny_filter(), "!no", "tiny refused its configuration", REFUSAL, id="config refused"),
        pytest.param(
            tiny_filter(),
            "*",
            "tiny trapped in proxy_on_configure: RuntimeError: unreachable",
            r"  0:  0x[0-9a-f]+ - fail_on_purpose\n"
            r"  1:  0x[0-9a-f]+ - check_config\n"
            r"  2:  0x[0-9a-f]+ - proxy_on_configure",
            id="trap in configure",
        ),
        pytest.param(
            tiny_filter(trap_on_start=True),
            "x",
            "tiny trapped in proxy_on_vm_start: RuntimeError: unreachable",
            r"  0:  0x[0-9a-f]+ - proxy_on_vm_start",
            id="trap in start",
        ),
        pytest.param(
            tiny_filter(start_returns=0),
            "x",
            "tiny refused to start: its proxy_on_vm_start said no",
            "hint: the filter gave no reason; let it log one before it returns false",
            id="start refused",
        ),
        pytest.param(
            tiny_filter(extra_import="abort"),
            "x",
            "tiny imports env.abort, which Envoy does not offer",
            "hint: weft check says what Envoy wants of a module",
            id="missing import",
        ),
        pytest.param(
            tiny_filter(abi="0_3_0"),
            "x",
            "tiny does not name a proxy-wasm ABI that Envoy knows",
            "hint: weft check",
            id="unknown ABI",
        ),
        pytest.param(
            tiny_filter(without=["malloc"]),
            "x",
            "tiny exports neither proxy_on_memory_allocate nor malloc",
            "hint: weft check",
            id="no allocator",
        ),
        pytest.param(
            b"plain text",
            "x",
            "tiny is not a WebAssembly module that Envoy can read",
            "weft check",
            id="text",
        ),
    ],
)
@pytest.mark.parametrize("watch", [pytest.param(["--watch"], id="watch"), pytest.param([], id="plain")])
def test_a_refused_filter_is_explained(
    weft: Weft,
    tmp_path: Path,
    temporary: Path,
    module: bytes,
    config: str,
    message: str,
    detail: str,
    watch: list[str],
) -> None:
    path = tmp_path / "tiny.wasm"
    path.write_bytes(module)
    result = weft("run", path, "--config", config, "--port", "0", *watch)
    assert result.code == 6, result
    assert result.err.startswith(f"error: {message}\n")
    assert re.search(detail, result.err), result.err
    assert "Unable to create" not in result.err
    assert result.out == ""
    assert list(temporary.iterdir()) == []


def test_a_request_that_crashes_the_filter_is_shown_with_a_backtrace(
    tiny: Path, env: dict[str, str], tmp_path: Path
) -> None:
    with serving(tiny, "--config", "#", env=env, folder=tmp_path) as run:
        assert [run.get("/").status, run.get("/").status] == [503, 503]
    assert "tiny | error | trapped in proxy_on_request_headers: RuntimeError: unreachable\n" in run.said()
    assert " - proxy_on_request_headers\n" in run.said()


def test_failing_open_lets_requests_pass_after_a_crash(
    tiny: Path, env: dict[str, str], tmp_path: Path
) -> None:
    with serving(tiny, "--config", "#", "--failure", "open", env=env, folder=tmp_path) as run:
        answers = [run.get("/") for _ in range(3)]
    assert [answer.status for answer in answers] == [503, 200, 200]
    assert answers[1].header("x-tiny") is None


def test_a_busy_port_is_told_with_what_to_do(weft: Weft, tiny: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        for flag, other in (("--port", "--admin-port"), ("--admin-port", "--port")):
            result = weft("run", tiny, "--config", "x", flag, str(port), other, "0")
            assert (result.code, result.out) == (1, "")
            assert result.err == (
                f"error: 127.0.0.1:{port} is taken by another program\n\n"
                "hint: choose another port with --port or --admin-port; 0 takes a free one\n"
            )


def test_two_run_at_once_and_a_third_may_not_share_their_port(
    weft: Weft, tiny: Path, env: dict[str, str], tmp_path: Path
) -> None:
    with (
        serving(tiny, "--config", "one", env=env, folder=tmp_path) as one,
        serving(tiny, "--config", "two", env=env, folder=tmp_path) as two,
    ):
        assert [one.get("/").header("x-tiny"), two.get("/").header("x-tiny")] == ["one", "two"]
        third = weft("run", tiny, "--config", "x", "--port", one.url.rpartition(":")[2])
        assert third.err.startswith(f"error: {one.url.removeprefix('http://')} is taken by another program\n")


def test_requests_go_to_the_upstream_under_its_own_name(
    tiny: Path, env: dict[str, str], tmp_path: Path
) -> None:
    with serving(tiny, "--config", "inner", env=env, folder=tmp_path) as inner:
        words = (tiny, "--config", "outer", "--upstream", inner.url)
        with serving(*words, env=env, folder=tmp_path) as outer:
            echo = outer.get("/").echo()
    assert ["host", inner.url.removeprefix("http://")] in echo["headers"]
    assert [value for name, value in echo["headers"] if name == "x-tiny"] == ["outer", "inner"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_leaves_nothing_behind(
    tiny: Path, env: dict[str, str], tmp_path: Path, temporary: Path, number: signal.Signals
) -> None:
    with serving(tiny, "--config", "x", env=env, folder=tmp_path) as run:
        assert len(list(temporary.iterdir())) == 1
        run.process.send_signal(number)
        assert run.process.wait(PATIENCE) == 0
        assert gone(run.pid)
        assert list(temporary.iterdir()) == []
    assert run.said().endswith("\nstopped\n")


def test_a_request_in_flight_is_answered_before_it_stops(
    tiny: Path, env: dict[str, str], tmp_path: Path
) -> None:
    release, asked = threading.Event(), threading.Event()
    answers: list[int] = []
    with slow_upstream(release, asked) as upstream:
        words = (tiny, "--config", "x", "--upstream", upstream)
        with serving(*words, env=env, folder=tmp_path) as run:
            request = threading.Thread(target=lambda: answers.append(run.get("/").status))
            request.start()
            assert asked.wait(PATIENCE)
            run.process.terminate()
            while accepts(run):
                pass
            release.set()
            request.join(PATIENCE)
            assert run.process.wait(PATIENCE) == 0
    assert answers == [200]


def accepts(run: Serving) -> bool:
    """Whether new connections are still taken: not any more once it drains."""
    host, _, port = run.url.removeprefix("http://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def test_killed_it_takes_envoy_with_it(tiny: Path, env: dict[str, str], tmp_path: Path) -> None:
    with serving(tiny, "--config", "x", env=env, folder=tmp_path) as run:
        assert is_running(run.pid)
        run.process.kill()
        run.process.wait(PATIENCE)
        assert gone(run.pid)


def test_it_ends_when_envoy_is_killed_and_says_so(tiny: Path, env: dict[str, str], tmp_path: Path) -> None:
    with serving(tiny, "--config", "x", env=env, folder=tmp_path) as run:
        os.kill(run.pid, signal.SIGKILL)
        assert run.process.wait(PATIENCE) == 1
    assert "\nerror: Envoy ended with exit code 137\n" in run.said()


def test_it_ends_well_when_envoy_is_asked_to_quit(tiny: Path, env: dict[str, str], tmp_path: Path) -> None:
    with serving(tiny, "--config", "x", env=env, folder=tmp_path) as run:
        admin = http.client.HTTPConnection(run.admin.removeprefix("http://"), timeout=PATIENCE)
        admin.request("POST", "/quitquitquit")
        assert admin.getresponse().read() == b"OK\n"
        admin.close()
        assert run.process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("words", "bootstrap", "code", "complaint"),
    [
        pytest.param(
            ["--envoy-run-args", "--nonsense"],
            None,
            2,
            "error: --envoy-run-args: Envoy does not know Argument: --nonsense",
            id="argument",
        ),
        pytest.param(
            ["--envoy", "/bin/false"], None, 1, "error: Envoy ended with exit code 1\n", id="no Envoy"
        ),
        pytest.param(
            ["--bootstrap", "-"],
            {"no_such_field": 1},
            2,
            "error: Envoy does not accept the bootstrap\n",
            id="unknown field",
        ),
    ],
)
def test_what_envoy_does_not_take_is_told(
    weft: Weft, tiny: Path, words: list[str], bootstrap: dict[str, object] | None, code: int, complaint: str
) -> None:
    document = json.dumps({**(bootstrap or {}), **default_bootstrap()})
    ports = [] if bootstrap else ["--port", "0"]
    result = weft("run", tiny, "--config", "x", *words, *ports, stdin=document)
    assert result.code == code, result
    assert complaint in result.err
