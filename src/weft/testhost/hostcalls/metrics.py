"""Counters, gauges and histograms."""

from collections.abc import Callable

from weft.testhost.abi import Status
from weft.testhost.vm import Vm

__all__ = ["TABLE"]

_SIGN = 1 << 63


def define(vm: Vm, type_: int, name: int, name_size: int, return_metric: int) -> Status:
    """A number for a metric; one name may have several numbers and is still one metric."""
    number = vm.world.metrics.define(type_, vm.text(name, name_size))
    if number is None:
        return Status.BAD_ARGUMENT
    vm.memory.write_u32(return_metric, number)
    return Status.OK


def increment(vm: Vm, metric: int, offset: int) -> Status:
    """Add to a counter or gauge; ``offset`` is signed."""
    return vm.world.metrics.increment(metric, offset - ((offset & _SIGN) << 1))


def record(vm: Vm, metric: int, value: int) -> Status:
    """Set a gauge, or give a histogram one more value."""
    return vm.world.metrics.record(metric, value)


def get(vm: Vm, metric: int, return_value: int) -> Status:
    """The value of a counter or gauge."""
    found = vm.world.metrics.get(metric)
    if isinstance(found, Status):
        return found
    vm.memory.write_u64(return_value, found)
    return Status.OK


TABLE: dict[str, Callable[..., int | None]] = {
    "proxy_define_metric": define,
    "proxy_increment_metric": increment,
    "proxy_record_metric": record,
    "proxy_get_metric": get,
}
