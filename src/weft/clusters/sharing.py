"""Changing what others change, too: an object is read, and written only if nobody was faster."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from weft.base.clock import Clock
from weft.kube import Conflict, Kube, Object, Ref

__all__ = ["on_present"]

Outcome = TypeVar("Outcome")
# A Deployment that rolls out is written by its controller a few times a second.
_TRIES = 30
_PAUSE_SECONDS = 0.1


async def on_present(
    kube: Kube,
    ref: Ref,
    change: Callable[[Object], Awaitable[Outcome]],
    clock: Clock,
    *,
    first: Callable[[Ref], Awaitable[Object | None]] | None = None,
) -> Outcome | None:
    """What ``change`` does with the object as it is now; ``None``: there is none.

    ``first`` is asked for the object before the API is; what it knows may be a little old.
    ``change`` writes with the ``resourceVersion`` it is given, and is asked again when that is no longer the
    present one. Raises ``Conflict`` when that goes on and on, or when a field belongs to somebody.
    """
    find = first or kube.find
    for left in reversed(range(_TRIES)):
        held = await find(ref)
        if held is None:
            return None
        try:
            return await change({**held, "apiVersion": ref.api_version, "kind": ref.kind})
        except Conflict as error:
            if error.fields or not left:
                raise
        find = kube.find
        await clock.sleep(_PAUSE_SECONDS)
    raise AssertionError  # the last try returns or raises
