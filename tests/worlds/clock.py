"""Time that passes only when somebody waits."""

from dataclasses import dataclass, field


@dataclass
class FakeClock:
    """A clock for ``Persistence``; ``slept`` has every wait, ``tick`` passes at every look."""

    time: float = 0.0
    tick: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        self.time += self.tick
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
