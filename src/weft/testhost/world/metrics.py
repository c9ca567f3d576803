"""Counters, gauges and histograms, numbered and wrapping as Envoy's."""

from weft.testhost.abi import MetricType, Status

__all__ = ["Metrics"]

_U64 = (1 << 64) - 1


class Metrics:
    """Metrics by number: the lowest two bits say which type, as in Envoy."""

    def __init__(self) -> None:
        self._next = [int(kind) for kind in MetricType]
        self._names: dict[int, tuple[MetricType, str]] = {}
        self.values: dict[tuple[MetricType, str], int] = {}
        self.records: dict[str, list[int]] = {}
        """What each histogram was given."""

    def for_another_vm(self) -> "Metrics":
        """The same metrics under numbers of their own."""
        made = Metrics()
        made.values, made.records = self.values, self.records
        return made

    def define(self, kind: int, name: str) -> int | None:
        """A new number for a new or a known metric; ``None`` for a type that is none."""
        if kind > MetricType.HISTOGRAM:
            return None
        type_ = MetricType(kind)
        self._next[type_] += 4
        number = self._next[type_]
        self._names[number] = type_, name
        if type_ is MetricType.HISTOGRAM:
            self.records.setdefault(name, [])
        else:
            self.values.setdefault((type_, name), 0)
        return number

    @property
    def defined(self) -> int:
        """How many numbers were given."""
        return len(self._names)

    def increment(self, number: int, offset: int) -> Status:
        """Add to a counter, upwards only, or to a gauge."""
        if number & 3 not in {MetricType.COUNTER, MetricType.GAUGE}:
            return Status.BAD_ARGUMENT
        known = self._names.get(number)
        if known is None:
            return Status.NOT_FOUND
        if known[0] is MetricType.COUNTER and offset <= 0:
            return Status.BAD_ARGUMENT
        self.values[known] = (self.values[known] + offset) & _U64
        return Status.OK

    def record(self, number: int, value: int) -> Status:
        """Set a gauge, add to a counter, give a histogram one more value."""
        known = self._names.get(number)
        if known is None:
            return Status.NOT_FOUND
        kind, name = known
        if kind is MetricType.HISTOGRAM:
            self.records[name].append(value)
        elif kind is MetricType.GAUGE:
            self.values[known] = value
        else:
            self.values[known] = (self.values[known] + value) & _U64
        return Status.OK

    def get(self, number: int) -> int | Status:
        """The value of a counter or gauge."""
        if number & 3 not in {MetricType.COUNTER, MetricType.GAUGE}:
            return Status.BAD_ARGUMENT
        known = self._names.get(number)
        return Status.NOT_FOUND if known is None else self.values[known]

    def document(self) -> dict[str, int | list[int]]:
        """Name → value, or for a histogram all values."""
        single: dict[str, int | list[int]] = {name: value for (_, name), value in self.values.items()}
        return single | {name: list(values) for name, values in self.records.items()}
