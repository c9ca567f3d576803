"""The times and limits of a node cache."""

from dataclasses import dataclass, field

from weft.base.retry import Patience

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Seconds and counts; what is here fits most."""

    look_again: float = 60.0
    """How long what a tag pointed at is believed."""
    grace: float = 24 * 3600.0
    """How long a module stays that nobody wants: a proxy may still be told of it, or start once more."""
    earlier: int = 8
    """How many modules a tag had before stay for as long as the tag is wanted: proxies name them still."""
    downloads: int = 4
    """At a time."""
    patience: Patience = field(default_factory=lambda: Patience(first=2.0, longest=300.0))
    """How an image that cannot be had is tried again; its tries and deadline do not count: it never stops."""

    def wait_after(self, failures: int, chance: float) -> float:
        """Seconds until the next try after ``failures`` in a row; ``chance`` is from 0 to 1."""
        doublings = min(failures - 1, 30)
        longest = min(self.patience.first * 2.0**doublings, self.patience.longest)
        return longest * (0.5 + 0.5 * chance)
