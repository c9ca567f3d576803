"""What a mistyped key of a document was probably meant to be."""

import difflib
import re
from typing import Any

__all__ = ["near_key"]

_UNKNOWN = re.compile(r"unknown field `([^`]+)`")


def near_key(complaint: object, kind: type) -> str | None:
    """A hint for msgspec's ``complaint`` about a key that ``kind``, or a struct in it, does not have."""
    found = _UNKNOWN.search(str(complaint))
    if found is None:
        return None
    import msgspec

    schema: dict[str, Any] = msgspec.json.schema(kind)
    names = {name for part in schema.get("$defs", {}).values() for name in part.get("properties", ())}
    near = difflib.get_close_matches(found[1], sorted(names), n=1)
    return f"did you mean {near[0]}?" if near else None
