"""The connections of a case of network filters: what both ends say, and what comes to them."""

from dataclasses import dataclass

from weft.scenario import Data, Impossible, ObservedMessage, Step, pieces
from weft.stage.stage import Stage
from weft.stage.wire import Wire

__all__ = ["Connections"]


@dataclass(slots=True)
class _Relayed:
    """A client, and the upstream's end once the connection came so far."""

    client: Wire
    upstream: Wire | None = None
    gone: bool = False
    """Whether either end broke off."""


class Connections:
    """Named connections through one filter."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._relayed: dict[str, _Relayed] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._relayed

    @property
    def held(self) -> bool:
        """Whether the filter holds one that is new: then Envoy does not see its client go."""
        return any(one.upstream is None and not one.client.ended for one in self._relayed.values())

    def close(self) -> None:
        """Hang up everywhere."""
        for wire in (*(one.client for one in self._relayed.values()), *self._stage.relayed):
            wire.reset()

    async def act(self, step: Step) -> None:
        """Do what a step says. Raises ``Impossible``."""
        if step.connect:
            self._relayed[step.stream] = _Relayed(await self._stage.connect_wire())
            return
        if step.stream not in self._relayed:
            raise Impossible(f"stream {step.stream}", "a client connected before", "there was none")
        relayed = self._relayed[step.stream]
        if step.disconnect:
            relayed.gone = True
            relayed.client.reset()
        elif step.downstream_data is not None:
            await self._say(relayed.client, step.downstream_data)
        elif step.upstream_data is not None:
            if relayed.upstream is None:
                raise Impossible(
                    "upstream_data", "the connection reached the upstream", "the filter holds it"
                )
            relayed.gone = relayed.gone or step.upstream_data.reset
            await self._say(relayed.upstream, step.upstream_data)

    def sort_relayed(self) -> None:
        """Find out whose connection reached the upstream: the oldest that had not."""
        known = [one.upstream for one in self._relayed.values()]
        waiting = [one for one in self._relayed.values() if one.upstream is None]
        fresh = [wire for wire in self._stage.relayed if not any(wire is other for other in known)]
        for one, wire in zip(waiting, fresh, strict=False):
            one.upstream = wire

    def seen(self, name: str) -> tuple[ObservedMessage, ObservedMessage, bool]:
        """What came to the upstream, what to the client, and whether it broke off."""
        one = self._relayed[name]
        upstream = ObservedMessage() if one.upstream is None else _message(one.upstream)
        return upstream, _message(one.client), one.gone

    async def _say(self, wire: Wire, said: Data) -> None:
        """Each piece for itself: Envoy reads as much as there is."""
        for piece in pieces(said.data, said.chunks):
            wire.send(piece)
            await self._stage.settle()
        if said.end:
            wire.end()
        if said.reset:
            wire.reset()


def _message(wire: Wire) -> ObservedMessage:
    return ObservedMessage((), bytes(wire.data), None, wire.ended)
