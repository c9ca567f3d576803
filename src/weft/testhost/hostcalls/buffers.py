"""Bodies, data, configurations."""

from collections.abc import Callable

from weft.testhost.abi import Buffer, Status
from weft.testhost.vm import Vm

__all__ = ["TABLE"]

_MOVED = 8
"""So many bytes that only move cost as much as one that is copied for the guest."""


def get_bytes(vm: Vm, buffer: int, offset: int, size: int, return_data: int, return_data_size: int) -> Status:
    """A part of a buffer; less than asked for where it ends."""
    if buffer > Buffer.CALL_DATA:
        return Status.BAD_ARGUMENT
    data = vm.context.buffer(buffer, vm.plugin.vm_config)
    if data is None:
        return Status.NOT_FOUND
    return vm.hand_over(bytes(data[offset : offset + size]), return_data, return_data_size)


def get_status(vm: Vm, buffer: int, return_length: int, return_flags: int) -> Status:
    """How long a buffer is. Flags are always 0."""
    if buffer > Buffer.CALL_DATA:
        return Status.BAD_ARGUMENT
    data = vm.context.buffer(buffer, vm.plugin.vm_config)
    if data is None:
        return Status.NOT_FOUND
    vm.memory.write_u32(return_length, len(data))
    vm.memory.write_u32(return_flags, 0)
    return Status.OK


def set_bytes(vm: Vm, buffer: int, offset: int, size: int, data: int, data_size: int) -> Status:
    """Change a body at its start or its end.

    At 0, ``size`` bytes are dropped and the new ones put before what is left; at or beyond the end they are
    appended; anywhere between is refused, and so is a buffer that can only be read.
    """
    if buffer > Buffer.CALL_DATA:
        return Status.BAD_ARGUMENT
    held = vm.context.buffer(buffer, vm.plugin.vm_config)
    if held is None:
        return Status.NOT_FOUND
    new = vm.read(data, data_size)
    if not isinstance(held, bytearray):
        return Status.BAD_ARGUMENT
    if offset == 0:
        vm.memory.budget -= len(held) // _MOVED
        held[: min(size, len(held))] = new
    elif offset >= len(held):
        held += new
    else:
        return Status.BAD_ARGUMENT
    return Status.OK


TABLE: dict[str, Callable[..., int | None]] = {
    "proxy_get_buffer_bytes": get_bytes,
    "proxy_get_buffer_status": get_status,
    "proxy_set_buffer_bytes": set_bytes,
}
