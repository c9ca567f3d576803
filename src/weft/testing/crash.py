"""A filter that failed."""

from weft.errors import WeftError
from weft.testhost import Host

__all__ = ["FilterCrashed", "check"]


class FilterCrashed(WeftError):
    """The filter trapped. The message is what Envoy logs, backtrace included."""


def check(host: Host, seen: list[str]) -> None:
    """Raise ``FilterCrashed`` once for each failure; ``seen`` holds those that were raised."""
    failure = host.vm.failure
    if failure is not None and failure not in seen:
        seen.append(failure)
        raise FilterCrashed(failure)
