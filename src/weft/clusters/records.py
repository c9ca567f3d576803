"""What weft has done in a cluster, kept there: for each filter a ConfigMap beside its workloads.

It is written before the first change, so that whatever happens, everything a filter brought can be taken away
again, by another version of weft and from another machine. It holds no secret: configs are in the objects
themselves.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from weft.base.documents import as_yaml, parse_document
from weft.errors import WeftError
from weft.kube import Kube, Object, Ref
from weft.mesh import Do, Intent, Plan, Step, object_name, read_intent

__all__ = ["LABEL", "Record", "Records", "without_shared"]

LABEL = "weft.dev/record"
_MANAGER = "weft-records"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A filter as it was deployed."""

    name: str
    namespace: str
    filter_id: str
    target: str
    image: str
    """With its digest."""
    removal: tuple[Step, ...]
    settled: bool
    """Whether all was done; else a deployment is under way, or was interrupted."""
    intent: str
    """As YAML."""

    @property
    def plan(self) -> Plan:
        """What is there now, as far as a next plan must know it."""
        return Plan(filter_id=self.filter_id, target=self.target, steps=(), removal=self.removal)

    @property
    def wish(self) -> Intent:
        """What was asked for."""
        return read_intent(parse_document(self.intent, where=str(self)), where=str(self))

    def __str__(self) -> str:
        return f"filter {self.namespace}/{self.name}"

    @classmethod
    def made(
        cls, intent: Intent, plan: Plan, image: str, removal: Iterable[Step], *, settled: bool
    ) -> "Record":
        """For ``plan``; ``removal`` takes away all that may be there."""
        return cls(
            name=intent.metadata.name,
            namespace=intent.metadata.namespace,
            filter_id=plan.filter_id,
            target=plan.target,
            image=image,
            removal=tuple(removal),
            settled=settled,
            intent=as_yaml(intent.document()),
        )

    def object(self) -> dict[str, Any]:
        """As the cluster keeps it."""
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": object_name("weft-filter", self.name),
                "namespace": self.namespace,
                "labels": {LABEL: "filter", "app.kubernetes.io/managed-by": "weft"},
            },
            "data": {
                "name": self.name,
                "id": self.filter_id,
                "target": self.target,
                "image": self.image,
                "state": "settled" if self.settled else "changing",
                "intent": self.intent,
                "removal": json.dumps([step.document() for step in self.removal], separators=(",", ":")),
            },
        }

    @classmethod
    def of(cls, held: Object) -> "Record":
        """Read one; raises ``WeftError`` when somebody changed it."""
        ref, data = Ref.of(held), held.get("data") or {}
        try:
            removal = tuple(Step.of(step) for step in json.loads(data["removal"]))
            return cls(
                name=data["name"],
                namespace=ref.namespace,
                filter_id=data["id"],
                target=data["target"],
                image=data["image"],
                removal=removal,
                settled=data["state"] == "settled",
                intent=data["intent"],
            )
        except (LookupError, ValueError, TypeError) as error:
            raise WeftError(
                f"{ref} is weft's record of a filter, and cannot be read: {error}",
                hint="take the filter's objects away by hand, then the record",
            ) from error


class Records:
    """The records of a cluster."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

    async def find(self, name: str, namespace: str) -> Record | None:
        """The one of a filter, if there is one."""
        held = await self._kube.find(_ref(name, namespace))
        return Record.of(held) if held else None

    async def list(self, namespace: str = "") -> tuple[Record, ...]:
        """Those of a namespace, or all."""
        listed = await self._kube.list("v1", "ConfigMap", namespace=namespace, labels=f"{LABEL}=filter")
        return tuple(Record.of(held) for held in listed.items)

    async def write(self, record: Record) -> None:
        """Keep it."""
        await self._kube.apply(record.object(), manager=_MANAGER, force=True)

    async def forget(self, record: Record) -> None:
        """The filter is gone."""
        await self._kube.delete(_ref(record.name, record.namespace))


def without_shared(steps: Iterable[Step], others: Iterable[Record]) -> tuple[Step, ...]:
    """``steps`` without those that take away a mount which other filters need too."""
    needed = {_mount(step) for other in others for step in other.removal if step.do is Do.UNMOUNT}
    return tuple(step for step in steps if step.do is not Do.UNMOUNT or _mount(step) not in needed)


def _mount(step: Step) -> tuple[Any, ...]:
    held: Mapping[str, Any] = step.object or {}
    metadata = held.get("metadata", {})
    return held.get("kind"), metadata.get("namespace"), metadata.get("name"), step.volume


def _ref(name: str, namespace: str) -> Ref:
    return Ref("v1", "ConfigMap", object_name("weft-filter", name), namespace)
