"""What VMs leave for each other: values by key, and queues."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from weft.testhost.abi import Status

__all__ = ["SharedData", "SharedQueues"]

_CAS_START = 1


class SharedData:
    """Values by key, each with a number that changes when it does."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, bytes], tuple[bytes, int]] = {}
        self._cas = _CAS_START

    def __len__(self) -> int:
        return len(self._values)

    def get(self, vm_id: str, key: bytes) -> tuple[bytes, int] | None:
        """The value and its number."""
        return self._values.get((vm_id, key))

    def set(self, vm_id: str, key: bytes, value: bytes, cas: int) -> Status:
        """Store, unless ``cas`` names another version than there is; 0 names any."""
        held = self._values.get((vm_id, key))
        if held is not None and cas and cas != held[1]:
            return Status.CAS_MISMATCH
        self._values[vm_id, key] = value, self._cas
        self._cas += 1
        return Status.OK

    def document(self) -> Mapping[str, bytes]:
        """Key → value, of all VMs."""
        return {key.decode("utf-8", "replace"): value for (_, key), (value, _) in self._values.items()}


@dataclass(slots=True)
class _Queue:
    owner: Callable[[int], None]
    items: deque[bytes] = field(default_factory=deque)


class SharedQueues:
    """Queues that any VM may fill and whose owner is told."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, bytes], int] = {}
        self._queues: dict[int, _Queue] = {}

    def register(self, vm_id: str, name: bytes, owner: Callable[[int], None]) -> int:
        """The queue's number; the last to register it owns it, what is in it stays."""
        number = self._numbers.setdefault((vm_id, name), len(self._numbers) + 1)
        if number in self._queues:
            self._queues[number].owner = owner
        else:
            self._queues[number] = _Queue(owner)
        return number

    def resolve(self, vm_id: str, name: bytes) -> int | None:
        """The number of a queue somebody registered."""
        return self._numbers.get((vm_id, name))

    def enqueue(self, number: int, data: bytes) -> Callable[[int], None] | None:
        """Add at the end; gives whom to tell, or ``None`` where there is no such queue."""
        queue = self._queues.get(number)
        if queue is None:
            return None
        queue.items.append(data)
        return queue.owner

    @property
    def waiting(self) -> int:
        """How many items nobody took yet."""
        return sum(len(queue.items) for queue in self._queues.values())

    def dequeue(self, number: int) -> bytes | Status:
        """Take the first, or say why not."""
        queue = self._queues.get(number)
        if queue is None:
            return Status.NOT_FOUND
        return queue.items.popleft() if queue.items else Status.EMPTY
