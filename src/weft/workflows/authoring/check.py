"""Would Envoy load this module: the rules of ``weft.wasm`` first, then Envoy itself where there is one.

Envoy has the last word: it validates the code, which the rules cannot, and another version may differ from
the one the rules were measured on. Who asks it is handed in, as ``Confirm``.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from weft.wasm import RULES, Effect, Problem, loadability
from weft.workflows.authoring.modules import LoadedModule

if TYPE_CHECKING:
    from weft.envoy import Verdict

__all__ = ["Checked", "Confirm", "check_offline", "check_with"]


Confirm = Callable[[LoadedModule], Awaitable["Verdict"]]
"""Give the module to an Envoy and say what it did."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of every rule, and of Envoy where it was asked."""

    loaded: LoadedModule
    problems: tuple[Problem, ...]
    verdict: "Verdict | None" = None

    @property
    def loads(self) -> bool:
        """The answer: what Envoy did, else what the rules say."""
        if self.verdict is not None and not self.verdict.outcome.loads:
            return False
        fatal = any(problem.effect is Effect.CRASHES for problem in self.problems)
        return not fatal and (self.verdict is not None or not self.refused)

    @property
    def refused(self) -> bool:
        """Whether a rule says that Envoy refuses the module."""
        return any(problem.effect is Effect.REFUSED for problem in self.problems)

    def document(self) -> dict[str, Any]:
        """The outcome, ready for JSON; keys are only ever added."""
        verdict = self.verdict
        return {
            "what": self.loaded.what,
            "loads": self.loads,
            "rules": [
                {"name": rule.name, "problems": [_problem(p) for p in self.problems if p.rule == rule.name]}
                for rule in RULES
            ],
            "envoy": verdict
            and {
                "version": verdict.envoy,
                "outcome": verdict.outcome.value,
                "words": list(verdict.words),
            },
        }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "effect": problem.effect.value,
        "message": problem.message,
        "envoy": problem.envoy,
        "hint": problem.hint,
    }


def check_offline(loaded: LoadedModule) -> Checked:
    """Judge a module by the rules alone."""
    return Checked(loaded, tuple(loadability(loaded.module)))


async def check_with(confirm: Confirm, loaded: LoadedModule) -> Checked:
    """Judge a module by the rules, then by Envoy."""
    return replace(check_offline(loaded), verdict=await confirm(loaded))
