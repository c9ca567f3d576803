"""HTTP calls to other services. They are kept in the world; somebody answers them there."""

from collections.abc import Callable

from weft.testhost.abi import Pairs, Status, decode_pairs
from weft.testhost.headers import RequestHeaders
from weft.testhost.vm import Vm
from weft.testhost.world import Callout

__all__ = ["TABLE"]

_NEEDED = (":path", ":method", ":authority")
_NEGATIVE = 1 << 31


def http_call(
    vm: Vm,
    cluster: int,
    cluster_size: int,
    headers: int,
    headers_size: int,
    body: int,
    body_size: int,
    trailers: int,
    trailers_size: int,
    timeout: int,
    return_call: int,
) -> Status:
    """Send a request; Envoy's client leaves out its trailers.

    Without a known cluster, method, path and authority nothing is sent.
    """
    name, content = vm.text(cluster, cluster_size), vm.read(body, body_size)
    sent = RequestHeaders(decode_pairs(vm.read(headers, headers_size)))
    vm.read(trailers, trailers_size)
    vm.memory.write_u32(return_call, 0)
    known = vm.world.clusters
    if timeout >= _NEGATIVE or (known is not None and name not in known):
        return Status.BAD_ARGUMENT
    if any(sent.get(needed) is None for needed in _NEEDED):
        return Status.BAD_ARGUMENT
    if content:
        sent.replace("content-length", str(len(content)))
    number = _remember(vm, name, sent.pairs, content, timeout)
    vm.memory.write_u32(return_call, number)
    return Status.OK


def _remember(vm: Vm, cluster: str, headers: Pairs, body: bytes, timeout: int) -> int:
    number = vm.next_call_number("http")
    made = Callout(number, cluster, headers, body, (), timeout, vm.context.root.id, vm.world.clock.now)
    vm.world.pending[number] = made
    vm.world.calls.append(made)
    return number


TABLE: dict[str, Callable[..., int | None]] = {"proxy_http_call": http_call}
