"""Data and queues that VMs share."""

from collections.abc import Callable
from functools import partial

from weft.testhost.abi import Status
from weft.testhost.vm import Vm

__all__ = ["TABLE"]


def get_data(
    vm: Vm, key: int, key_size: int, return_value: int, return_value_size: int, return_cas: int
) -> Status:
    """A value, and the number to name when it is to be replaced only if nobody else did."""
    held = vm.world.shared_data.get(vm.plugin.vm_id, vm.read(key, key_size))
    if held is None:
        return Status.NOT_FOUND
    value, cas = held
    status = vm.hand_over(value, return_value, return_value_size)
    if status is Status.OK:
        vm.memory.write_u32(return_cas, cas)
    return status


def set_data(vm: Vm, key: int, key_size: int, value: int, value_size: int, cas: int) -> Status:
    """Store a value; with ``cas`` only if it still has that number."""
    name = vm.read(key, key_size)
    return vm.world.shared_data.set(vm.plugin.vm_id, name, vm.read(value, value_size), cas)


def register_queue(vm: Vm, name: int, name_size: int, return_queue: int) -> Status:
    """A queue of this VM; its root context is told about what comes."""
    root = vm.context.root
    number = vm.world.queues.register(
        vm.plugin.vm_id, vm.read(name, name_size), partial(vm.queue_ready, root)
    )
    vm.memory.write_u32(return_queue, number)
    return Status.OK


def resolve_queue(
    vm: Vm, vm_id: int, vm_id_size: int, name: int, name_size: int, return_queue: int
) -> Status:
    """A queue that some VM registered; this one, where no other is named."""
    owner = vm.text(vm_id, vm_id_size) or vm.plugin.vm_id
    number = vm.world.queues.resolve(owner, vm.read(name, name_size))
    if number is None:
        return Status.NOT_FOUND
    vm.memory.write_u32(return_queue, number)
    return Status.OK


def dequeue(vm: Vm, queue: int, return_data: int, return_data_size: int) -> Status:
    """Take the first."""
    found = vm.world.queues.dequeue(queue)
    return found if isinstance(found, Status) else vm.hand_over(found, return_data, return_data_size)


def enqueue(vm: Vm, queue: int, data: int, data_size: int) -> Status:
    """Add at the end, and tell the owner as soon as no guest runs."""
    owner = vm.world.queues.enqueue(queue, vm.read(data, data_size))
    if owner is None:
        return Status.NOT_FOUND
    vm.world.soon.append(partial(owner, queue))
    return Status.OK


TABLE: dict[str, Callable[..., int | None]] = {
    "proxy_get_shared_data": get_data,
    "proxy_set_shared_data": set_data,
    "proxy_register_shared_queue": register_queue,
    "proxy_resolve_shared_queue": resolve_queue,
    "proxy_dequeue_shared_queue": dequeue,
    "proxy_enqueue_shared_queue": enqueue,
}
