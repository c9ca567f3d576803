"""What weft has done in a cluster, kept there, so that everything a filter brought can be taken away again.

It is written before the first change; whatever happens then, another version of weft on another machine knows
what may be there. What people deploy is recorded in a ConfigMap beside the workloads, what the operator
deploys in an annotation of the custom resource that asked for it. A record holds no secret: configs are in
the objects themselves.
"""

import base64
import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol

from weft.errors import WeftError
from weft.kube import Kube, Object, Ref
from weft.mesh import KINDS, Do, Kind, Plan, Step, object_name, object_ref

__all__ = [
    "ANNOTATION",
    "LABEL",
    "Keeper",
    "Record",
    "annotation",
    "bare",
    "read_record",
    "read_records",
    "record_map",
    "record_ref",
    "record_text",
    "recorded",
    "without_shared",
]

LABEL = "weft.dev/record"
ANNOTATION = "weft.dev/record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A filter as it was deployed."""

    name: str
    namespace: str
    owner: str = ""
    """The custom resource that asked for it, ``FilterDeployment.weft.dev``; empty: a person did."""
    filter_id: str
    target: str
    image: str
    """With its digest."""
    removal: tuple[Step, ...]
    control_plane: str = ""
    """Where the istiod was that reads it, as of ``Facts``."""
    good: Mapping[str, Any] | None = None
    """The intent, with the image by digest, that last was everywhere; of filters with a rollout."""

    @property
    def plan(self) -> Plan:
        """What is there now, as far as a next plan must know it."""
        return Plan(filter_id=self.filter_id, target=self.target, steps=(), removal=self.removal)

    def with_removal_of(self, other: "Record | None") -> "Record":
        """While one takes the place of the other, parts of both may be there."""
        more = [step for step in (other.removal if other else ()) if step not in self.removal]
        return replace(self, removal=(*self.removal, *more)) if more else self

    def document(self) -> dict[str, Any]:
        """As plain data. Of objects only their names: what they hold is looked up when they go."""
        return {
            "name": self.name,
            "id": self.filter_id,
            "target": self.target,
            "image": self.image,
            "removal": [step.document() for step in self.removal],
            **({"controlPlane": self.control_plane} if self.control_plane else {}),
            **({"good": self.good} if self.good else {}),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any], namespace: str, *, owner: str = "") -> "Record":
        """Read what ``document()`` gave; raises ``LookupError``, ``ValueError`` or ``TypeError``."""
        return cls(
            name=document["name"],
            namespace=namespace,
            owner=owner,
            filter_id=document["id"],
            target=document["target"],
            image=document["image"],
            removal=tuple(Step.of(step) for step in document["removal"]),
            control_plane=str(document.get("controlPlane", "")),
            good=document.get("good"),
        )

    def __str__(self) -> str:
        return f"filter {self.namespace}/{self.name}"


def bare(steps: Iterable[Step]) -> tuple[Step, ...]:
    """``steps`` with the names of objects alone."""
    return tuple(replace(step, object=object_ref(step.object)) if step.object else step for step in steps)


class Keeper(Protocol):
    """Where the record of a filter is kept, and whose turn it is to change that filter."""

    def taken(self, before: Record | None, during: Record) -> AbstractAsyncContextManager[None]:
        """While the block runs nobody else changes it, and the record says ``during`` from its beginning.

        Raises ``WeftError`` where the record is not ``before`` any more, or the turn could not be kept.
        """
        ...

    def guard(self) -> None:
        """Raises ``WeftError`` when somebody else may act by now."""
        ...

    async def write(self, record: Record) -> None:
        """Keep it, in place of the one that was there."""
        ...

    async def forget(self, record: Record) -> None:
        """The filter is gone."""
        ...


async def read_records(kube: Kube, namespace: str = "") -> tuple[Record, ...]:
    """Those of a namespace, or all, whoever deployed; raises ``WeftError`` for one that cannot be read."""
    labels = f"{LABEL}=filter"
    found = list(await kube.read("v1", "ConfigMap", recorded, namespace=namespace, labels=labels))
    for kind in KINDS:
        if await kube.knows(kind.api_version, kind.name):
            records = await kube.read(kind.api_version, kind.name, _reader(kind), namespace=namespace)
            found += (record for record in records if record)
    return tuple(found)


@cache
def _reader(kind: Kind) -> Callable[[Object], Record | None]:
    return lambda held: read_record(held, kind)


def read_record(held: Object, kind: Kind) -> Record | None:
    """The record in a custom resource, if it has one; raises ``WeftError`` when it cannot be read."""
    text = (held["metadata"].get("annotations") or {}).get(ANNOTATION)
    if text is None:
        return None
    try:
        document = json.loads(zlib.decompress(base64.b64decode(text)))
        return Record.of(document, held["metadata"]["namespace"], owner=f"{kind.name}.{kind.group}")
    except (LookupError, ValueError, TypeError, zlib.error) as error:
        raise _unreadable(f"annotation {ANNOTATION} of {Ref.of(held)}", error) from error


def annotation(record: Record) -> str:
    """A record as an annotation: the steps of hundreds of workloads are much alike, and it must be small."""
    data = json.dumps(record.document(), separators=(",", ":")).encode()
    return base64.b64encode(zlib.compress(data)).decode()


def without_shared(steps: Iterable[Step], others: Iterable[Record]) -> tuple[Step, ...]:
    """``steps`` without those that take away a mount which other filters need too."""
    needed = {_mount(step) for other in others for step in other.removal if step.do is Do.UNMOUNT}
    return tuple(step for step in steps if step.do is not Do.UNMOUNT or _mount(step) not in needed)


def _mount(step: Step) -> tuple[Any, ...]:
    held: Mapping[str, Any] = step.object or {}
    metadata = held.get("metadata", {})
    return held.get("kind"), metadata.get("namespace"), metadata.get("name"), step.volume


def record_ref(record: Record) -> Ref:
    """The ConfigMap that has the record of a filter that a person deployed."""
    return Ref("v1", "ConfigMap", object_name("weft-filter", record.name), record.namespace)


def record_text(record: Record) -> str:
    """What its key ``record`` holds."""
    return json.dumps(record.document(), indent=1)


def record_map(record: Record, **more: str) -> dict[str, Any]:
    """That ConfigMap, with ``more`` beside the record."""
    ref = record_ref(record)
    labels = {LABEL: "filter", "app.kubernetes.io/managed-by": "weft"}
    return {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "metadata": {"name": ref.name, "namespace": ref.namespace, "labels": labels},
        "data": {"record": record_text(record), **more},
    }


def recorded(held: Object) -> Record:
    """The record in its ConfigMap; raises ``WeftError`` when it cannot be read."""
    try:
        document = json.loads((held.get("data") or {})["record"])
        return Record.of(document, held["metadata"]["namespace"])
    except (LookupError, ValueError, TypeError) as error:
        raise _unreadable(str(Ref.of(held)), error) from error


def _unreadable(what: str, error: Exception) -> WeftError:
    return WeftError(
        f"{what} is weft's record of a filter, and cannot be read: {error!r}",
        hint="take the filter's objects away by hand, then the record",
    )
