"""Load on a server: as many requests as it answers, over a few connections.

One thread and plain sockets: no HTTP library is fast enough. On one Envoy worker it makes between four fifths
and all of the requests a second that wrk makes, with the same latencies in the middle. Answers are read only
as far as their end must be known: ``content-length``, or the last chunk.
"""

import selectors
import socket
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from weft.errors import WeftError

__all__ = ["Loaded", "load"]

_CONNECTIONS = 8
_PATIENCE = 10.0
_PIECE = 65536
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of it."""

    seconds: float
    latencies: Sequence[int]
    """Of each answer, in nanoseconds, ascending."""
    good: int
    """Answers below 400."""

    @property
    def requests(self) -> int:
        """How many were answered."""
        return len(self.latencies)

    def percentile(self, percent: float) -> float:
        """Microseconds within which so many per cent of the answers came."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * percent / 100))] / 1000


def load(host: str, port: int, *, seconds: float, path: str = "/") -> Loaded:
    """Ask for ``path`` for that long, and until there was an answer.

    Raises ``WeftError`` when the server stops answering.
    """
    request = f"GET {path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: weft\r\naccept: */*\r\n\r\n".encode()
    with selectors.DefaultSelector() as selector:
        connections: list[_Connection] = []
        try:
            connections += (_Connection(host, port, request) for _ in range(_CONNECTIONS))
            return _run(selector, connections, seconds)
        except OSError as error:
            raise WeftError(f"{host}:{port} stopped answering: {error}") from error
        finally:
            for connection in connections:
                connection.socket.close()


def _run(selector: selectors.BaseSelector, connections: "list[_Connection]", seconds: float) -> Loaded:
    clock = time.perf_counter_ns
    started = clock()
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.ask(started)
    end, latencies, good = started + int(seconds * 1e9), array("q"), 0
    while clock() < end or not latencies:
        ready = selector.select(_PATIENCE)
        if not ready:
            raise TimeoutError(f"no answer within {_PATIENCE:g} s")
        for key, _ in ready:
            connection = key.data
            status = connection.read()
            if status:
                now = clock()
                latencies.append(now - connection.asked)
                good += status < b"4"
                connection.ask(now)
    return Loaded((clock() - started) / 1e9, array("q", sorted(latencies)), good)


class _Connection:
    """One connection with one request under way."""

    def __init__(self, host: str, port: int, request: bytes) -> None:
        self.asked = 0
        self._request = request
        self._held = b""
        self.socket = socket.create_connection((host, port), _PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, now: int) -> None:
        """Send the request."""
        self.asked = now
        self.socket.sendall(self._request)

    def read(self) -> bytes:
        """The first digit of the status when the answer is whole, else nothing."""
        piece = self.socket.recv(_PIECE)
        if not piece:
            raise ConnectionError("the connection was closed")
        answer = self._held + piece if self._held else piece
        if _is_whole(answer):
            self._held = b""
            return answer[9:10]
        self._held = answer
        return b""


def _is_whole(answer: bytes) -> bool:
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = answer.find(b"content-length: ", 0, head)
    if length < 0:
        return b"chunked" not in answer[:head] or answer.endswith(_LAST_CHUNK)
    return len(answer) >= head + 4 + int(answer[length + 16 : answer.index(b"\r\n", length)])
