"""Time that stands still until somebody moves it."""

from dataclasses import dataclass

__all__ = ["Clock"]


@dataclass(slots=True)
class Clock:
    """Nanoseconds that pass only when somebody says so."""

    now: int = 1_767_225_600_000_000_000  # the first second of 2026
    started: int = 0

    def __post_init__(self) -> None:
        self.started = self.now

    @property
    def monotonic(self) -> int:
        """Since a second before the proxy started: Go's runtime refuses to start at zero."""
        return self.now - self.started + 1_000_000_000
