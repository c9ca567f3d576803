"""Everything of an installation, in the order in which it is made. It is removed the other way round."""

from weft.installing.access import access
from weft.installing.definitions import intent_definition
from weft.installing.foreign import foreign_definitions
from weft.installing.installation import PROGRAM, Group, Installation, Object, made
from weft.installing.node_cache_objects import node_cache
from weft.installing.operator_objects import operator

__all__ = ["groups", "objects"]

_POD_SECURITY = "pod-security.kubernetes.io/enforce"


def groups(installation: Installation) -> tuple[Group, ...]:
    """The objects by what they are for."""
    always = (
        Group("definitions", (intent_definition(), *foreign_definitions())),
        Group("namespace", (_namespace(installation),)),
        Group("access", access(installation)),
        Group("operator", operator(installation)),
    )
    return (*always, Group("node-cache", node_cache(installation))) if installation.node_cache else always


def objects(installation: Installation) -> tuple[Object, ...]:
    """All of them in one row."""
    return tuple(held for group in groups(installation) for held in group.objects)


def _namespace(installation: Installation) -> Object:
    held = made("v1", "Namespace", installation.namespace, part=PROGRAM)
    # Only the node cache needs a folder of the node.
    held["metadata"]["labels"][_POD_SECURITY] = "privileged" if installation.node_cache else "restricted"
    return held
