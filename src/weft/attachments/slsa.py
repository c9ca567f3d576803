"""How a module was made: an in-toto statement (v1) with SLSA's provenance (v1)."""

import json
from typing import Any

from weft.attachments.origin import Origin, Part

__all__ = ["PREDICATE_TYPE", "provenance"]

_STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
_BUILD_TYPE = "https://weft.dev/build/project/v1"
_BUILDER = "https://weft.dev/builder/local"


def provenance(origin: Origin) -> bytes:
    """The statement as JSON, the same bytes for the same origin.

    It is a claim of the machine that built: sign the image, or this attachment, to stand for it.
    """
    return _json(
        {
            "_type": _STATEMENT,
            "subject": [
                {"name": origin.image, "digest": {"sha256": origin.image_sha256}},
                {"name": "module", "digest": {"sha256": origin.module_sha256}},
            ],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "buildDefinition": {
                    "buildType": _BUILD_TYPE,
                    "externalParameters": {
                        "name": origin.name,
                        "language": origin.language,
                        "options": dict(origin.options),
                    },
                    "resolvedDependencies": [*_source(origin), *map(_part, origin.parts)],
                },
                "runDetails": {
                    "builder": {
                        "id": _BUILDER,
                        "version": {"weft": origin.weft, **{one.name: one.version for one in origin.tools}},
                    }
                },
            },
        }
    )


def _source(origin: Origin) -> list[dict[str, Any]]:
    revision = origin.revision
    if revision is None:
        return []
    found: dict[str, Any] = {"digest": {"gitCommit": revision.commit}, "name": "source"}
    if revision.url:
        found["uri"] = f"git+{revision.url}"
    if revision.changed:
        found["annotations"] = {"changed": True}
    return [found]


def _part(part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {"uri": part.purl}
    return found | ({"digest": {"sha256": part.sha256}} if part.sha256 else {})


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()
