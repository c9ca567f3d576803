"""Which functions a module may use, in Envoy's words.

Envoy's list has two sides: host functions that the module calls, and callbacks that the host calls. A list
that names only the first makes a filter that loads and then sees no request, so callbacks are always added.
"""

import difflib

from weft.mesh.intent.intent import Intent
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.plan import PlanRefused
from weft.wasm import CALLBACKS, HOST_FUNCTIONS

__all__ = ["beyond", "capabilities"]

_KNOWN = sorted({row.name for row in HOST_FUNCTIONS})


def capabilities(intent: Intent, facts: Facts) -> tuple[str, ...] | None:
    """The names for Envoy's ``allowed_capabilities``; ``None``: no restriction. Raises ``PlanRefused``."""
    asked = intent.spec.capabilities
    if asked == "all":
        return None
    if asked == "auto":
        if facts.module is None:
            raise PlanRefused(
                "spec.capabilities: auto needs the module, and the image was not looked into",
                hint="pull the image, or list the host functions",
            )
        return tuple(sorted({*facts.module.host_functions, *facts.module.callbacks}))
    for name in asked:
        if name not in _KNOWN:
            near = difflib.get_close_matches(name, _KNOWN, n=1)
            raise PlanRefused(
                f"spec.capabilities: Envoy has no host function {name!r}",
                hint=f"did you mean {near[0]}?" if near else None,
            )
    callbacks = facts.module.callbacks if facts.module else tuple(row.name for row in CALLBACKS)
    return tuple(sorted({*asked, *callbacks}))


def beyond(intent: Intent, facts: Facts) -> tuple[str, ...]:
    """What the module imports and may not call; raises ``PlanRefused`` where that cannot be known."""
    asked = intent.spec.capabilities
    if asked in {"all", "auto"}:
        return ()
    if facts.module is None:
        raise PlanRefused("spec.capabilities needs the module, and the image was not looked into")
    return tuple(name for name in facts.module.host_functions if name not in asked)
