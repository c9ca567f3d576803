"""`weft run` as a process of its own, and plain requests through it."""

import http.client
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

ANSWER_SECONDS = 120.0


@dataclass(frozen=True)
class Answer:
    """One response; ``headers`` keeps order and duplicates, names in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key == name), None)

    def echo(self) -> dict[str, Any]:
        """What the echo upstream says it received."""
        document: dict[str, Any] = json.loads(self.body)
        return document


@dataclass(frozen=True)
class Serving:
    """A running `weft run`: where it answers, where Envoy's admin is."""

    process: subprocess.Popen[bytes]
    url: str
    admin: str
    pid: int
    talk: Path

    def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """One request through the filters."""
        return ask(self.url, method, path, headers, body)

    def get(self, path: str, **headers: str) -> Answer:
        """``GET path``; underscores in header names stand for hyphens."""
        return self.request("GET", path, {key.replace("_", "-"): value for key, value in headers.items()})

    def stats(self, filter_: str) -> str:
        """Envoy's statistics whose names match."""
        return ask(self.admin, "GET", f"/stats?filter={filter_}").body.decode()

    def listeners(self) -> list[str]:
        """The URL of each listener, as Envoy's admin counts them."""
        statuses = ask(self.admin, "GET", "/listeners?format=json").echo()["listener_statuses"]
        ports = [status["local_address"]["socket_address"]["port_value"] for status in statuses]
        return [f"http://127.0.0.1:{port}" for port in ports]

    def said(self) -> str:
        """All it wrote to stderr so far."""
        return self.talk.read_text()


def ask(
    url: str, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> Answer:
    """One request on a connection of its own."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        received = [(name.lower(), value) for name, value in response.getheaders()]
        return Answer(response.status, received, response.read())
    finally:
        connection.close()


def soon(happened: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether something becomes true within a bound that only a failure reaches."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def serving(*words: str | Path, env: Mapping[str, str], folder: Path) -> Iterator[Serving]:
    """Start `weft run WORDS --port 0 -o json`; it is stopped and gone when the block ends."""
    talk = folder / f"weft-run-{time.monotonic_ns()}.txt"
    command = [sys.executable, "-m", "weft", "run", *words, "--port", "0", "-o", "json"]
    with talk.open("wb") as stderr:
        process = subprocess.Popen(command, env=dict(env), stdout=subprocess.PIPE, stderr=stderr)
    assert process.stdout
    try:
        line = _first_line(process.stdout, talk, command)
        told = json.loads(line)
        yield Serving(process, told["url"], told["admin"], told["pid"], talk)
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()
            process.stdout.close()


def _first_line(stream: IO[bytes], talk: Path, command: Sequence[object]) -> bytes:
    deadline = time.monotonic() + ANSWER_SECONDS
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(stream.fileno(), 65536) if ready else b""
        if not chunk:
            raise AssertionError(f"{command} did not answer:\n{talk.read_text()}")
        line += chunk
    return line
