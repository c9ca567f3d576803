"""Headers, trailers and metadata."""

from collections.abc import Callable

from weft.testhost.abi import MAX_PAIRS, MapType, Status, decode_pairs, encode, encode_pairs
from weft.testhost.engine import Trapped
from weft.testhost.vm import Vm

__all__ = ["TABLE"]

_LAST = int(MapType.CALL_TRAILERS)
_OK = Status.OK
_TOO_MANY = f"stopped by weft: more than {MAX_PAIRS} headers, and every look at one looks at all"


def get_value(
    vm: Vm, map_: int, key: int, key_size: int, return_value: int, return_value_size: int
) -> Status:
    """The first value of a name. ABI 0.1.0 gets an empty text where there is none.

    In `on_log` a map that is not there has no values; elsewhere it is a bad argument.
    """
    if map_ > _LAST:
        return Status.BAD_ARGUMENT
    name = vm.text(key, key_size)
    headers = vm.context.readable_map(map_)
    if headers is None and vm.context.logged is None:
        return Status.BAD_ARGUMENT
    value = None if headers is None else headers.get(name)
    if value is None:
        if vm.abi != "0.1.0":
            return Status.NOT_FOUND
        value = ""
    return vm.hand_over(encode(value), return_value, return_value_size)


def add_value(vm: Vm, map_: int, key: int, key_size: int, value: int, value_size: int) -> Status:
    """One more entry."""
    if map_ > _LAST:
        return Status.BAD_ARGUMENT
    name, text = vm.text(key, key_size), vm.text(value, value_size)
    headers = vm.context.maps.get(map_)
    if headers is None:
        return Status.BAD_ARGUMENT
    if len(headers.items) >= MAX_PAIRS:
        raise Trapped(_TOO_MANY)
    headers.add(name, text)
    return _OK


def replace_value(vm: Vm, map_: int, key: int, key_size: int, value: int, value_size: int) -> Status:
    """One entry instead of all of that name."""
    if map_ > _LAST:
        return Status.BAD_ARGUMENT
    name, text = vm.text(key, key_size), vm.text(value, value_size)
    headers = vm.context.maps.get(map_)
    if headers is None:
        return Status.BAD_ARGUMENT
    if len(headers.items) >= MAX_PAIRS:
        raise Trapped(_TOO_MANY)
    headers.replace(name, text)
    return _OK


def remove_value(vm: Vm, map_: int, key: int, key_size: int) -> Status:
    """No entry of that name."""
    if map_ > _LAST:
        return Status.BAD_ARGUMENT
    name = vm.text(key, key_size)
    headers = vm.context.maps.get(map_)
    if headers is None:
        return Status.BAD_ARGUMENT
    headers.remove(name)
    return _OK


def get_pairs(vm: Vm, map_: int, return_pairs: int, return_pairs_size: int) -> Status:
    """All entries (``weft.testhost.abi.pairs``); a map that is not there has none."""
    if map_ > _LAST:
        return Status.BAD_ARGUMENT
    return vm.hand_over(encode_pairs(vm.context.readable_map(map_) or ()), return_pairs, return_pairs_size)


def set_pairs(vm: Vm, map_: int, pairs: int, pairs_size: int) -> Status:
    """These entries instead of what was there; malformed ones count as none."""
    if map_ > _LAST:
        return Status.BAD_ARGUMENT
    entries = decode_pairs(vm.read(pairs, pairs_size))
    headers = vm.context.maps.get(map_)
    if headers is None:
        return Status.BAD_ARGUMENT
    headers.assign(entries)
    return _OK


def get_size(vm: Vm, map_: int, return_size: int) -> Status:
    """Bytes of all names and values of a map that can be changed."""
    if map_ > _LAST:
        return Status.BAD_ARGUMENT
    headers = vm.context.maps.get(map_)
    if headers is None:
        return Status.BAD_ARGUMENT
    vm.memory.write_u32(return_size, headers.size)
    return _OK


TABLE: dict[str, Callable[..., int | None]] = {
    "proxy_get_header_map_value": get_value,
    "proxy_add_header_map_value": add_value,
    "proxy_replace_header_map_value": replace_value,
    "proxy_remove_header_map_value": remove_value,
    "proxy_get_header_map_pairs": get_pairs,
    "proxy_set_header_map_pairs": set_pairs,
    "proxy_get_header_map_size": get_size,
}
