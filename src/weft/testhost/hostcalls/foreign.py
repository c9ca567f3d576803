"""Functions beyond the ABI, by the names that Envoy gives them.

Here are those that need nothing but their argument. The others read protobuf, evaluate CEL or know keys: they
are not found, and ``docs/scenarios.md`` names them. Envoy compresses with another library, to other bytes.
"""

import zlib
from collections.abc import Callable

from weft.testhost.abi import Status
from weft.testhost.vm import Vm

__all__ = ["TABLE"]

_Answer = bytes | Status | None
"""What it says; why it fails; or ``None`` for nothing at all, for which no memory is asked."""


def _compress(_vm: Vm, argument: bytes) -> _Answer:
    return zlib.compress(argument)


def _uncompress(vm: Vm, argument: bytes) -> _Answer:
    """No more than the guest may have copied in one callback: a small argument can become anything."""
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(argument, max(vm.memory.budget, 1))
    except zlib.error:
        return Status.SERIALIZATION_FAILURE
    return found if stream.eof else Status.SERIALIZATION_FAILURE


def _clear_route_cache(_vm: Vm, _argument: bytes) -> None:
    """There are no routes here."""


_FUNCTIONS: dict[str, Callable[[Vm, bytes], _Answer]] = {
    "clear_route_cache": _clear_route_cache,
    "compress": _compress,
    "uncompress": _uncompress,
}


def call_foreign_function(
    vm: Vm, name: int, name_size: int, argument: int, argument_size: int, result: int, result_size: int
) -> Status:
    """Call one by its name. What it answers goes where the guest wants it, or nowhere."""
    called, data = vm.text(name, name_size), vm.read(argument, argument_size)
    if called not in _FUNCTIONS:
        return Status.NOT_FOUND
    answer = _FUNCTIONS[called](vm, data)
    address = 0
    if isinstance(answer, bytes) and result:
        address = vm.allocate(len(answer))
        if not address:
            return Status.INVALID_MEMORY_ACCESS
        vm.memory.write(address, answer)
    if result:
        vm.memory.write_u32(result, address)
    if result_size:
        vm.memory.write_u32(result_size, len(answer) if isinstance(answer, bytes) else 0)
    return answer if isinstance(answer, Status) else Status.OK


TABLE: dict[str, Callable[..., int | None]] = {"proxy_call_foreign_function": call_foreign_function}
