"""The real Envoy with nothing of weft around it, in front of an upstream that says what it received.

For tests of modules alone; ``worlds.serving`` is for tests of `weft run`. HTTP is written and read by hand
where a library would hide trailers.
"""

import http.client
import json
import os
import re
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_SECONDS = 30.0
_API = "type.googleapis.com/envoy"
_LOOPBACK = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}


@dataclass(frozen=True)
class Plugin:
    """One wasm filter of the chain."""

    module: Path
    config: str | None = None
    root_id: str = "my_filter"
    vm_id: str = "vm"
    name: str = "plugin"
    vm_config: str | None = None


@dataclass(frozen=True)
class Message:
    """A request or response as it was on the wire; names in lower case."""

    first_line: str
    headers: list[tuple[str, str]]
    body: bytes
    trailers: list[tuple[str, str]]

    @property
    def status(self) -> int:
        """Of a response."""
        return int(self.first_line.split()[1])

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str | None:
        """The only value of a header."""
        values = self.all(name)
        assert len(values) < 2, values
        return values[0] if values else None


@dataclass
class Upstream:
    """Answers 200 with a trailer, and keeps the requests."""

    port: int
    seen: list[Message] = field(default_factory=list)

    def latest(self, path: str) -> Message:
        """The newest request for this path; calls of filters' timers may have arrived since."""
        return next(message for message in reversed(self.seen) if message.first_line.split()[1] == path)


@dataclass(frozen=True)
class Running:
    """An Envoy that answers."""

    port: int
    admin: str
    log_file: Path
    upstream: Upstream

    def ask(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        trailers: Mapping[str, str] | None = None,
    ) -> Message:
        """One request on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(_written(method, path, headers or {}, body, trailers or {}))
            with connection.makefile("rb") as file:
                return _read(file)

    def log(self) -> str:
        """All that Envoy said so far."""
        return self.log_file.read_text(errors="replace")

    def logged(self, pattern: str, count: int = 1) -> list[Any]:
        """Wait until ``pattern`` is in the log ``count`` times."""
        deadline = time.monotonic() + START_SECONDS
        while len(found := re.findall(pattern, self.log())) < count:
            assert time.monotonic() < deadline, f"no {pattern!r} in\n{self.log()}"
            time.sleep(0.02)
        return found

    def stats(self, filter_: str) -> str:
        """Envoy's statistics whose names match."""
        host, port = self.admin.split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        try:
            connection.request("GET", f"/stats?filter={filter_}")
            return connection.getresponse().read().decode()
        finally:
            connection.close()


def envoy_binary() -> Path:
    """The Envoy of this machine."""
    from parts import envoy_binary as find

    found = find()
    assert found is not None
    return found


@contextmanager
def running(folder: Path, *plugins: Plugin, tcp: bool = False) -> Iterator[Running]:
    """An Envoy with these filters; it is gone when the block ends. Fails where it does not start.

    With ``tcp`` they are network filters, and Envoy passes bytes without reading them.
    """
    chain = _tcp(plugins) if tcp else _http(plugins)
    with (
        _upstream() as upstream,
        _envoy(folder, _bootstrap(chain, upstream.port)) as (process, log, addresses),
    ):
        yield _wait(process, log, addresses, upstream)


@contextmanager
def changing(folder: Path, *plugins: Plugin) -> Iterator[tuple[Running, Callable[..., None]]]:
    """The same, and what puts other filters in place of these: the old go once no request is left."""
    told = folder / "listeners.json"

    def change(*plugins: Plugin) -> None:
        kind = {"@type": f"{_API}.config.listener.v3.Listener"}
        new = told.with_suffix(".new")
        new.write_text(json.dumps({"resources": [kind | _listener(_http(plugins))]}))
        new.rename(told)

    change(*plugins)
    with _upstream() as upstream:
        bootstrap = _bootstrap([], upstream.port)
        del bootstrap["static_resources"]["listeners"]
        bootstrap["dynamic_resources"] = {"lds_config": {"path_config_source": {"path": str(told)}}}
        bootstrap["node"] = {"id": "test", "cluster": "test"}
        soon = ("--drain-time-s", "1", "--drain-strategy", "immediate")
        with _envoy(folder, bootstrap, *soon) as (process, log, addresses):
            yield _wait(process, log, addresses, upstream), change


def refused(folder: Path, *plugins: Plugin) -> str:
    """What Envoy says when it does not take these filters."""
    with _envoy(folder, _bootstrap(_http(plugins), 9)) as (process, log, _):
        assert process.wait(START_SECONDS) != 0
    return log.read_text(errors="replace")


@contextmanager
def _envoy(
    folder: Path, configuration: dict[str, Any], *options: str
) -> Iterator[tuple[subprocess.Popen[bytes], Path, Path]]:
    stem = folder / f"envoy-{time.monotonic_ns()}"
    bootstrap, log, addresses = (stem.with_suffix(suffix) for suffix in (".json", ".log", ".admin"))
    bootstrap.write_text(json.dumps(configuration))
    program = envoy_binary()
    assert program is not None
    command: list[str | Path] = [program, "-c", bootstrap, "--concurrency", "1", "--use-dynamic-base-id"]
    command += ["-l", "warning", "--component-log-level", "wasm:debug", "--admin-address-path", addresses]
    command += options
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, env={**os.environ, "LC_ALL": "C"})
    try:
        yield process, log, addresses
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], log: Path, addresses: Path, upstream: Upstream) -> Running:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            admin = addresses.read_text()
            host, port = admin.split(":")
            with closing(http.client.HTTPConnection(host, int(port), timeout=5)) as connection:
                connection.request("GET", "/listeners?format=json")
                listener = json.load(connection.getresponse())["listener_statuses"][0]
            return Running(listener["local_address"]["socket_address"]["port_value"], admin, log, upstream)
        except (OSError, LookupError, ValueError):
            time.sleep(0.02)
    raise AssertionError(log.read_text(errors="replace"))


def _filter(plugin: Plugin, kind: str = "http") -> dict[str, Any]:
    config: dict[str, Any] = {
        "name": plugin.name,
        "root_id": plugin.root_id,
        "vm_config": {
            "vm_id": plugin.vm_id,
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": str(plugin.module)}},
        },
    }
    for place, text in ((config, plugin.config), (config["vm_config"], plugin.vm_config)):
        if text is not None:
            value = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text}
            place["configuration"] = value
    typed = {"@type": f"{_API}.extensions.filters.{kind}.wasm.v3.Wasm", "config": config}
    return {"name": plugin.name, "typed_config": typed}


def _tcp(plugins: Iterable[Plugin]) -> list[dict[str, Any]]:
    proxy = {
        "@type": f"{_API}.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "test",
        "cluster": "upstream",
    }
    return [*(_filter(plugin, "network") for plugin in plugins), {"name": "tcp", "typed_config": proxy}]


def _http(plugins: Iterable[Plugin]) -> list[dict[str, Any]]:
    routes = [
        {"match": {"prefix": "/routed"}, "direct_response": {"status": 299}},
        {"match": {"prefix": "/"}, "route": {"cluster": "upstream"}},
    ]
    manager = {
        "@type": f"{_API}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "http_protocol_options": {"enable_trailers": True},
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            *map(_filter, plugins),
            {"name": "router", "typed_config": {"@type": f"{_API}.extensions.filters.http.router.v3.Router"}},
        ],
    }
    return [{"name": "http", "typed_config": manager}]


def _bootstrap(chain: list[dict[str, Any]], upstream: int) -> dict[str, Any]:
    return {
        "admin": {"address": _LOOPBACK},
        "static_resources": {
            "listeners": [_listener(chain)],
            "clusters": [_cluster("upstream", upstream), _cluster("nobody", 9)],
        },
    }


def _listener(chain: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": "in", "address": _LOOPBACK, "filter_chains": [{"filters": chain}]}


def _cluster(name: str, port: int) -> dict[str, Any]:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    options = {"explicit_http_config": {"http_protocol_options": {"enable_trailers": True}}}
    kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
        "typed_extension_protocol_options": {kind: {"@type": f"type.googleapis.com/{kind}", **options}},
    }


@contextmanager
def _upstream() -> Iterator[Upstream]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while (line := self.rfile.readline()).strip():
                upstream.seen.append(message := _read(self.rfile, line))
                wait = message.one("x-wait")
                if wait:
                    time.sleep(float(wait))
                self.wfile.write(_answer(message))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        upstream = Upstream(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield upstream
        finally:
            server.shutdown()
            thread.join()


def _answer(request: Message) -> bytes:
    """The request's body, or "upstream", in one chunk and with a trailer."""
    body = request.body or b"upstream"
    head = b"HTTP/1.1 200 OK\r\nx-from: upstream\r\ntransfer-encoding: chunked\r\n\r\n"
    return head + _chunked(body, {"x-trailer": "upstream"})


def _written(
    method: str, path: str, headers: Mapping[str, str], body: bytes, trailers: Mapping[str, str]
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: test", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or trailers:
        lines.append("transfer-encoding: chunked")
    head = "\r\n".join([*lines, "", ""]).encode()
    return head + (_chunked(body, trailers) if body or trailers else b"")


def _chunked(body: bytes, trailers: Mapping[str, str]) -> bytes:
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b""
    last = "".join(f"{name}: {value}\r\n" for name, value in trailers.items())
    return chunk + b"0\r\n" + last.encode() + b"\r\n"


def _read(file: Any, first: bytes | None = None) -> Message:
    """One message, as its framing says."""
    line = (first or file.readline()).decode().strip()
    headers = _fields(file)
    values = dict(headers)
    if values.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(file.readline() or b"0", 16):  # a client that went away ends it
            body += file.read(size)
            file.readline()
        return Message(line, headers, body, _fields(file))
    if "content-length" in values:
        return Message(line, headers, file.read(int(values["content-length"])), [])
    return Message(line, headers, b"", [])


def _fields(file: Any) -> list[tuple[str, str]]:
    fields = []
    while line := file.readline().decode("utf-8", "surrogateescape").rstrip("\r\n"):
        name, _, value = line.partition(":")
        fields.append((name.lower(), value.strip()))
    return fields
