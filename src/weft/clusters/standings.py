"""How a deployed filter stands: object by object, workload by workload, node by node."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from weft.clusters.nodes import Nodes, NotDistributed
from weft.clusters.readers import Refused, Unread, check_control_plane, check_read
from weft.clusters.records import Record
from weft.clusters.rollouts import RolloutFailed, rollout_state
from weft.kube import Denied, Kube, Ref
from weft.mesh import Do, Step, Workload, entry_of, unmounted

__all__ = ["Part", "Standing", "State", "standing"]


class State(StrEnum):
    """Of one part of a filter, or of the whole."""

    READY = "Ready"
    CHANGING = "Changing"
    """On its way, or interrupted on it."""
    MISSING = "Missing"
    """Somebody took it away."""
    UNREAD = "Unread"
    """It is there, and nobody is known to read it."""
    FAILED = "Failed"


_WORST = (State.FAILED, State.MISSING, State.UNREAD, State.CHANGING)


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a filter consists of."""

    what: str
    state: State
    message: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A filter and its parts."""

    record: Record
    parts: tuple[Part, ...]

    @property
    def state(self) -> State:
        """The worst of the parts."""
        found = {part.state for part in self.parts}
        return next((one for one in _WORST if one in found), State.READY)

    def document(self) -> dict[str, Any]:
        """What ``weft status -o json`` shows."""
        record = self.record
        return {
            "name": record.name,
            "namespace": record.namespace,
            "id": record.filter_id,
            "target": record.target,
            "image": record.image,
            "state": str(self.state),
            "parts": [
                {"what": part.what, "state": str(part.state), "message": part.message} for part in self.parts
            ],
        }


async def standing(kube: Kube, nodes: Nodes, record: Record) -> Standing:
    """Ask the cluster about everything that ``record`` says is there."""
    steps = (_part(kube, nodes, step) for step in record.removal)
    parts = await asyncio.gather(*steps, _control_plane(kube, record.control_plane))
    return Standing(record, tuple(part for part in parts if part))


async def _control_plane(kube: Kube, where: str) -> Part | None:
    if not where:
        return None  # nobody looked for one when the filter was deployed
    what = f"istiod in {where}"
    try:
        await check_control_plane(kube, where)
    except Unread as error:
        return Part(what, State.UNREAD, str(error))
    except Denied:
        return None
    return Part(what, State.READY)


async def _part(kube: Kube, nodes: Nodes, step: Step) -> Part | None:
    if step.do is Do.UNMOUNT:
        return await _mounted(kube, step)
    if step.file is not None:
        what = f"module {step.file.sha256[:12]} on nodes"
        try:
            await nodes.wait(step.file, seconds=0, say=lambda _: None)
        except NotDistributed as error:
            return Part(what, State.CHANGING, str(error))
        return Part(what, State.READY)
    return await _object(kube, step)


async def _object(kube: Kube, step: Step) -> Part:
    ref = Ref.of(step.object or {})
    held = await kube.find(ref)
    if held is None:
        return Part(str(ref), State.MISSING, "it is not there")
    if step.do is Do.EXTRACT and entry_of(held, step.entry) is None:
        return Part(str(ref), State.MISSING, f"its list of filters has no {step.entry}")
    try:
        check_read(held)
    except (Unread, Refused) as error:
        state = State.UNREAD if isinstance(error, Unread) else State.FAILED
        return Part(str(ref), state, str(error))
    return Part(str(ref), State.READY)


async def _mounted(kube: Kube, step: Step) -> Part | None:
    ref = Ref.of(step.object or {})
    held = await kube.find(ref)
    if held is None:
        return None  # a workload that is gone needs nothing
    workload = Workload.of({**held, "kind": ref.kind})
    if unmounted(workload, step.volume) == unmounted(workload, ""):
        return Part(str(ref), State.MISSING, f"its pods do not mount {step.volume}")
    try:
        missing = rollout_state({**held, "kind": ref.kind})
    except RolloutFailed as error:
        return Part(str(ref), State.FAILED, str(error))
    return Part(str(ref), State.CHANGING if missing else State.READY, missing)
