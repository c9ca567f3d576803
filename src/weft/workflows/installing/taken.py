"""What is already in the cluster where an installation wants to be, and whose it is.

Everything is looked at before anything is changed, so that a refusal leaves the cluster as it was and names
all that is in the way.
"""

from collections.abc import Callable, Iterable

from weft.errors import UsageError, WeftError
from weft.kube import Conflict, Kube, Object, Ref
from weft.workflows.installing.outcome import is_ours

__all__ = ["MANAGER", "check_conflicts", "others_definitions"]

MANAGER = "weft-install"
_DEFINITION = "CustomResourceDefinition"
_HINT = "let go of it there, or take it with --force-conflicts"


async def others_definitions(
    kube: Kube, wanted: Iterable[Object], say: Callable[[str], None]
) -> frozenset[Ref]:
    """Definitions of kinds that somebody else made, and that will do; they stay as they are.

    Raises ``UsageError`` for one that will not.
    """
    found = set()
    for held in wanted:
        if held["kind"] != _DEFINITION:
            continue
        ref = Ref.of(held)
        there = await kube.find(ref)
        if there is None or is_ours(there):
            continue
        if lacking := _lacking(there, held):
            raise UsageError(
                f"{ref} was made by {_makers(there)}, and has {lacking}",
                hint="--force-conflicts puts weft's in its place; the objects of that kind stay",
            )
        say(f"{ref} was there before and stays as it is")
        found.add(ref)
    return frozenset(found)


async def check_conflicts(kube: Kube, wanted: Iterable[Object]) -> None:
    """Raise ``WeftError`` naming every field that somebody else owns, with its owner."""
    found = []
    for held in wanted:
        there = await kube.find(Ref.of(held))
        if there is None or (held["kind"] == "Namespace" and not is_ours(there)):
            continue
        try:
            await kube.apply(held, manager=MANAGER, dry_run=True)
        except Conflict as error:
            found.append(error)
    if found:
        raise WeftError(f"{'; '.join(map(str, found))}; nothing was changed", hint=_HINT)


def _lacking(there: Object, wanted: Object) -> str:
    """What a definition needs so that the operator can work with it, and has not; for people."""
    (version,) = wanted["spec"]["versions"]
    name = version["name"]
    served = {one["name"]: one for one in there["spec"].get("versions") or () if one.get("served")}
    if there["spec"].get("scope") != wanted["spec"]["scope"]:
        return f"scope {there['spec'].get('scope')}"
    if name not in served:
        return f"no version {name}"
    return "" if "status" in (served[name].get("subresources") or {}) else f"no status in version {name}"


def _makers(there: Object) -> str:
    """Who wrote it; the API server itself writes its status."""
    fields = there["metadata"].get("managedFields") or ()
    managers = (str(one.get("manager")) for one in fields if not one.get("subresource"))
    return ", ".join(dict.fromkeys(managers)) or "somebody else"
