"""What the host offers: one function, one row, one line of trace for each name a module may import.

A body gets the VM and the guest's numbers, unsigned. It answers a status, and lets ``BadAddress`` through
where the guest named bytes it does not have: proxy-wasm calls that InvalidMemoryAccess, WASI ``EFAULT``.
Names, parameters and ABI versions are ``weft.wasm.HOST_FUNCTIONS``'s; behaviour is that of Envoy's
proxy-wasm host (https://github.com/proxy-wasm/proxy-wasm-cpp-host, exports.cc), checked against the Envoy
of ``ENVOY_VERSION``.
"""

from collections.abc import Mapping
from functools import cache

from weft.testhost.abi import Status
from weft.testhost.hostcalls import buffers, calls, foreign, general, grpc, maps, metrics, shared, wasi
from weft.testhost.vm import Body, Hostcall
from weft.wasm import HOST_FUNCTIONS

__all__ = ["BODIES", "hostcalls"]

BODIES: Mapping[str, Body] = {
    **general.TABLE,
    **foreign.TABLE,
    **maps.TABLE,
    **buffers.TABLE,
    **calls.TABLE,
    **grpc.TABLE,
    **shared.TABLE,
    **metrics.TABLE,
    **wasi.TABLE,
}


@cache
def hostcalls(abi: str) -> Mapping[tuple[str, str], Hostcall]:
    """(module, name) → what a module of that ABI version may import."""
    return {
        (row.module, row.name): Hostcall(
            row, BODIES[row.name], Status.INVALID_MEMORY_ACCESS if row.module == "env" else wasi.FAULT
        )
        for row in HOST_FUNCTIONS
        if abi in row.abis
    }
