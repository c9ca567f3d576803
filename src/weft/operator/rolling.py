"""How far the rollout of a version is. It stands in the status, so that another operator goes on from there.

A version is an image and all of the intent but how it is rolled out. It reaches more workloads stage by
stage; their pods must be ready, and each stage is held for a while. One that fails calls the version off: the
one before, which is kept in the filter's record, comes back everywhere and stays until the intent changes.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from weft.errors import WeftError
from weft.mesh import Facts, Intent, RolloutStage

__all__ = ["CalledOff", "Progress", "RollingOut", "revision_of"]

_DONE, _OFF, _ON = "Done", "CalledOff", "RollingOut"
_TIME = "%Y-%m-%dT%H:%M:%SZ"


class RollingOut(WeftError):
    """Not everywhere yet, because that is what was asked for."""


class CalledOff(WeftError):
    """A version that did not prove itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Of one version. ``since`` is when the current stage was reached; empty until then."""

    revision: str
    stage: int = 0
    since: str = ""
    state: str = _ON
    message: str = ""

    @classmethod
    def of(cls, status: Mapping[str, Any], revision: str) -> "Progress":
        """That of ``revision`` in a resource's status; at the beginning where another was rolled out."""
        held = status.get("rollout") or {}
        if held.get("revision") != revision:
            return cls(revision=revision)
        return cls(
            revision=revision,
            stage=int(held.get("stage") or 0),
            since=str(held.get("since") or ""),
            state=str(held.get("state") or _ON),
            message=str(held.get("message") or ""),
        )

    @property
    def done(self) -> bool:
        """Whether it is everywhere."""
        return self.state == _DONE

    @property
    def called_off(self) -> bool:
        """Whether it was given up."""
        return self.state == _OFF

    def document(self) -> dict[str, Any]:
        """As the status has it."""
        return {
            "revision": self.revision,
            "stage": self.stage,
            "since": self.since,
            "state": self.state,
            "message": self.message,
        }

    def reached(self, stage: RolloutStage, now: datetime) -> "Progress":
        """The stage is done; the next one when it was held long enough."""
        since = self.since or now.strftime(_TIME)
        if now >= _read(since) + timedelta(seconds=stage.hold):
            return replace(self, stage=self.stage + 1, since="", message="")
        return replace(self, since=since)

    def finished(self) -> "Progress":
        """Everywhere."""
        return replace(self, state=_DONE, since="", message="")

    def off(self, why: WeftError) -> "Progress":
        """Given up."""
        return replace(self, state=_OFF, message=str(why))


def revision_of(intent: Intent, facts: Facts) -> str:
    """What names the version; how it is rolled out is no part of it."""
    spec = msgspec.to_builtins(msgspec.structs.replace(intent.spec, rollout=None))
    values = sorted((*key, hashlib.sha256(text.encode()).hexdigest()) for key, text in facts.values.items())
    parts = msgspec.json.encode([spec, str(facts.image), values], order="deterministic")
    return hashlib.sha256(parts).hexdigest()[:16]


def _read(text: str) -> datetime:
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:  # somebody wrote into the status: the stage begins anew
        return datetime.now(UTC)
