"""Functions beyond the ABI: those of Envoy's that need nothing but their argument."""

import zlib

import pytest

from cases.foreign_calls import FOREIGN_CALLS
from modules.guests import TEXT, calling, read_answers, start
from weft.testhost import Limits
from weft.testhost.abi import Status

CALL = "proxy_call_foreign_function"


@pytest.mark.parametrize(("numbers", "text", "status", "answer"), FOREIGN_CALLS)
def test_a_foreign_function_answers(
    numbers: tuple[int, ...], text: bytes, status: Status, answer: bytes
) -> None:
    host = start(calling((CALL, numbers), text=text))
    assert read_answers(host, 1) == [status]
    memory = host.vm.memory
    if answer:
        assert memory.read(memory.read_u32(64), memory.read_u32(68)) == answer
    else:
        assert memory.read_u32(68) == 0


def test_a_guest_that_names_no_place_finds_nothing_changed() -> None:
    host = start(calling((CALL, (TEXT, 8, TEXT, 8, 0, 0)), text=b"compress"))
    assert host.vm.memory.read(0, 128) == bytes(128)


def test_what_grows_without_an_end_is_given_up() -> None:
    bomb = zlib.compress(bytes(1 << 20))
    name = b"uncompress"
    call = (CALL, (TEXT, len(name), TEXT + len(name), len(bomb), 64, 68))
    host = start(calling(call, text=name + bomb), limits=Limits(host=1 << 16))
    assert read_answers(host, 1) == [Status.SERIALIZATION_FAILURE]
