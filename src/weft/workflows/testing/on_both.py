"""Compare how the same cases went on the test host and on Envoy: what differs is a mismatch of Envoy's."""

from collections.abc import Sequence
from dataclasses import replace

from weft.scenario import LeftOut, Mismatch, Played, StepResult, compare

__all__ = ["compared"]

_CLOCK = ("env.proxy_get_current_time_nanoseconds(", ".clock_time_get(")
_NOTHING = "(nothing)"
_UNTOLD = "Envoy does not show which of several histograms was given which value"


def compared(host: Sequence[Played], envoy: Sequence[Played]) -> list[Played]:
    """``envoy`` with a mismatch for everything that was seen and is not as on the host."""
    return [_compared(here, there) for here, there in zip(host, envoy, strict=True)]


def _compared(host: Played, envoy: Played) -> Played:
    # Values that a filter took from the clock: there time stands still, here it passes.
    timed = any(word in line for line in envoy.trace for word in _CLOCK)
    others = {step.number: step for step in host.steps}
    steps: list[StepResult] = []
    for step in envoy.steps:
        here = others.get(step.number)
        steps.append(_step(here, step, timed=timed) if here else step)
        if steps[-1].mismatches:
            break  # all that follows is a consequence
    return replace(envoy, steps=tuple(steps))


def _step(host: StepResult, envoy: StepResult, *, timed: bool) -> StepResult:
    if host.observed is None or envoy.observed is None or envoy.mismatches:
        return envoy
    found = compare(host.observed, envoy.observed, counts_only=timed)
    untold = [one for one in found if _is_untold(one)]
    differing = tuple(_named(one) for one in found if one not in untold)
    left = tuple(LeftOut(one.what, _UNTOLD) for one in untold)
    return replace(envoy, mismatches=differing, left_out=envoy.left_out + left)


def _named(found: Mismatch) -> Mismatch:
    return replace(found, what=f"{found.what} is not as on the host")


def _is_untold(found: Mismatch) -> bool:
    return found.what.startswith("metrics.") and found.expected[:1] == "[" and found.got == _NOTHING
