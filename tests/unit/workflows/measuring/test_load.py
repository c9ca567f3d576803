"""The load client against a server that answers as it is told to."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from weft.errors import WeftError
from weft.workflows.measuring import load as module
from weft.workflows.measuring.load import Loaded, load

PLAIN = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
MISSING = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Calls ``answer`` for each request; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(client: socket.socket) -> None:
            with client:
                while client.recv(4096):
                    answer(client)

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_quietly, args=(serve, client), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _quietly(serve: Callable[[socket.socket], None], client: socket.socket) -> None:
    try:
        serve(client)
    except OSError:
        return  # the load is over


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        pytest.param(PLAIN, True, id="length"),
        pytest.param(CHUNKED, True, id="chunks"),
        pytest.param(EMPTY, True, id="no body"),
        pytest.param(MISSING, False, id="an error"),
    ],
)
def test_whole_answers_are_counted(answer: bytes, good: bool) -> None:
    with server(lambda client: client.sendall(answer)) as port:
        done = load("127.0.0.1", port, seconds=0.1)
    assert done.requests > 0
    assert done.good == (done.requests if good else 0)
    assert 0 < done.percentile(50) <= done.percentile(99) <= done.percentile(100)
    assert done.seconds >= 0.1


@pytest.mark.parametrize("cut", [3, 20, len(PLAIN) - 1])
@pytest.mark.parametrize("answer", [PLAIN, CHUNKED], ids=["length", "chunks"])
def test_an_answer_in_pieces_is_one_answer(answer: bytes, cut: int) -> None:
    sent = []

    def in_pieces(client: socket.socket) -> None:
        sent.append(1)
        client.sendall(answer[:cut])
        threading.Event().wait(0.001)
        client.sendall(answer[cut:])

    with server(in_pieces) as port:
        done = load("127.0.0.1", port, seconds=0.1)
    assert 0 < done.requests <= len(sent)


def test_there_is_an_answer_however_long_it_takes() -> None:
    def late(client: socket.socket) -> None:
        client.sendall(PLAIN[:3])
        threading.Event().wait(0.05)
        client.sendall(PLAIN[3:])

    with server(late) as port:
        done = load("127.0.0.1", port, seconds=0.001)
    assert done.requests >= 1
    assert done.percentile(50) >= 50_000


def test_a_path_is_asked_for_over_several_connections() -> None:
    seen: dict[int, bytes] = {}

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def accept() -> None:
            clients = [listener.accept()[0] for _ in range(8)]
            for client in clients:
                seen[client.getpeername()[1]] = client.recv(4096)
                client.sendall(PLAIN)
                client.close()

        thread = threading.Thread(target=accept)
        thread.start()
        with pytest.raises(WeftError, match="the connection was closed"):
            load("127.0.0.1", port, seconds=60, path="/a?b=c")
        thread.join(10)
    request = b"GET /a?b=c HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: weft\r\naccept: */*\r\n\r\n"
    assert list(seen.values()) == [request] * 8


@pytest.mark.parametrize(
    ("percent", "microseconds"), [(0, 1), (50, 6), (89, 9), (90, 10), (100, 10)], ids=lambda one: f"{one}"
)
def test_a_percentile_is_one_of_the_answers(percent: float, microseconds: float) -> None:
    done = Loaded(1.0, [number * 1000 for number in range(1, 11)], good=10)
    assert done.percentile(percent) == microseconds


def test_a_server_that_hangs_up_is_told() -> None:
    with server(lambda client: client.close()) as port, pytest.raises(WeftError) as told:
        load("127.0.0.1", port, seconds=5)
    assert str(told.value).startswith(f"127.0.0.1:{port} stopped answering: ")


def test_a_server_that_says_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    with server(lambda _: None) as port, pytest.raises(WeftError, match=r"no answer within 0\.05 s"):
        load("127.0.0.1", port, seconds=5)


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(WeftError, match="stopped answering"):
        load("127.0.0.1", port, seconds=5)
