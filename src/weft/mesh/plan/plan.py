"""What must be done so that an intent holds on a target, in order; and how it is undone.

Pure data: a plan is printed, compared and carried out by others. The order is the point:

* a proxy is told of a file only after every node that will run it holds the verified bytes and its pods
  mount them;
* on removal the filter goes first, the mount only when no other filter needs it, the file last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from weft.errors import UsageError

__all__ = ["Do", "ModuleFile", "Plan", "PlanRefused", "Step", "object_ref"]

Object = Mapping[str, Any]


class PlanRefused(UsageError):
    """A target cannot do what the intent asks; ``reasons`` says all that stands against it."""

    def __init__(self, message: str, *, reasons: tuple[str, ...] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.reasons = reasons or (message,)


class Do(StrEnum):
    """What a step does."""

    HOLD = "hold"
    """Wait until every node of the workloads holds the file."""
    MOUNT = "mount"
    """Give pods the folder: their annotations change, and they start anew."""
    SETTLE = "settle"
    """Wait until no pod is older than what its workload says: those that mount the folder came meanwhile."""
    APPLY = "apply"
    UNMOUNT = "unmount"
    INSERT = "insert"
    """Put an entry into a list that others write, too; what else the object says is theirs."""
    EXTRACT = "extract"
    """Take that entry out again."""
    DELETE = "delete"
    RELEASE = "release"
    """This filter needs the file no more, on any node."""


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """A module that nodes must hold; it is named by its content."""

    path: str
    sha256: str
    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do with one object or file."""

    do: Do
    object: Object | None = None
    """As far as it is ours: for ``mount`` and ``unmount`` only the annotations, ``None`` removes one."""
    file: ModuleFile | None = None
    volume: str = ""
    """The name of the volume that ``mount`` and ``unmount`` are about."""
    entry: str = ""
    """The name of the entry that ``insert`` and ``extract`` are about."""
    why: str

    @property
    def subject(self) -> str:
        """What it is done with, for people."""
        if self.file is not None:
            return self.file.path
        held: Object = self.object or {}
        metadata = held.get("metadata", {})
        return f"{held.get('kind')} {metadata.get('namespace')}/{metadata.get('name')}"

    def document(self) -> dict[str, Any]:
        """The step as plain data."""
        file = self.file and {"path": self.file.path, "sha256": self.file.sha256, "image": self.file.image}
        subject = {"object": self.object} if self.object is not None else {"file": file}
        names = {"volume": self.volume, "entry": self.entry}
        named = {key: name for key, name in names.items() if name}
        return {"do": str(self.do), "why": self.why, **subject, **named}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Step":
        """The step that ``document()`` wrote; raises ``KeyError``, ``ValueError`` or ``TypeError``."""
        file = document.get("file")
        return cls(
            do=Do(document["do"]),
            object=document.get("object"),
            file=ModuleFile(**file) if file else None,
            volume=document.get("volume", ""),
            entry=document.get("entry", ""),
            why=document["why"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The way to an intent, and back."""

    filter_id: str
    target: str
    """``istio/wasmplugin``, ``gloo``, …"""
    steps: tuple[Step, ...]
    removal: tuple[Step, ...]
    reasons: tuple[str, ...] = ()
    """Why it is done this way, and what the user should know."""

    @property
    def objects(self) -> tuple[Object, ...]:
        """What a target is told, in the order in which it is told."""
        return tuple(
            step.object
            for step in self.steps
            if step.object is not None and step.do in {Do.APPLY, Do.MOUNT, Do.INSERT}
        )

    @property
    def files(self) -> tuple[ModuleFile, ...]:
        """What nodes must hold."""
        return tuple(step.file for step in self.steps if step.file is not None)

    @property
    def restarts(self) -> tuple[str, ...]:
        """The workloads whose pods start anew."""
        return tuple(
            f"{step.object['kind']}/{step.object['metadata']['name']}"
            for step in self.steps
            if step.do is Do.MOUNT and step.object is not None
        )

    def document(self) -> dict[str, Any]:
        """The plan as plain data."""
        return {
            "filter": self.filter_id,
            "target": self.target,
            "reasons": list(self.reasons),
            "restarts": list(self.restarts),
            "steps": [step.document() for step in self.steps],
            "removal": [step.document() for step in self.removal],
        }


def object_ref(held: Object) -> Object:
    """What names an object in a cluster, without its content."""
    metadata = held.get("metadata", {})
    named = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    return {"apiVersion": held.get("apiVersion"), "kind": held.get("kind"), "metadata": named}
