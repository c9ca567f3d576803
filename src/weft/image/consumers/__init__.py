"""Who would take an image as it is published, and what each would say otherwise.

One module per program, its rules read in its source and stated here with the program's own words. Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from weft.image.consumers import gateway, istio, oras, wasme, wkg
from weft.image.consumers.published import Published, blobs_to_judge, linux_amd64

__all__ = ["CONSUMERS", "Answer", "Consumer", "Published", "ask_consumers", "blobs_to_judge", "linux_amd64"]


@dataclass(frozen=True, slots=True)
class Consumer:
    """A program that takes images from registries, and the versions that behave alike."""

    name: str
    versions: str
    refusal: Callable[[Published], str]
    """The error it gives, or nothing when it takes the image."""
    remark: Callable[[Published], str] = lambda _: ""
    """What its users should know although it takes the image."""


CONSUMERS = (
    Consumer("Istio", "1.16 and later; Higress", istio.refusal, istio.remark),
    Consumer("Istio", "1.12 to 1.15", istio.refusal_before_116, istio.remark),
    Consumer("Envoy Gateway", "1.1 and later", gateway.refusal, istio.remark),
    Consumer("wasme", "its CLI, operator and cache", wasme.refusal),
    Consumer("Gloo Edge", "which pulls as wasme does", wasme.refusal),
    Consumer("wkg", "and what builds on oci-wasm", wkg.refusal),
    Consumer("ORAS", "pull", oras.refusal, oras.remark),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one consumer makes of an image. ``error`` and ``remark`` may be empty."""

    consumer: str
    versions: str
    error: str
    remark: str

    @property
    def accepts(self) -> bool:
        """Whether it takes the image."""
        return not self.error

    def document(self) -> dict[str, Any]:
        """One entry of ``weft check --consumers -o json``."""
        return {
            "consumer": self.consumer,
            "versions": self.versions,
            "accepts": self.accepts,
            "error": self.error,
            "remark": self.remark,
        }


def ask_consumers(published: Published) -> tuple[Answer, ...]:
    """All of them, in the order of ``CONSUMERS``."""
    return tuple(_ask(consumer, published) for consumer in CONSUMERS)


def _ask(consumer: Consumer, published: Published) -> Answer:
    error = consumer.refusal(published)
    return Answer(consumer.name, consumer.versions, error, "" if error else consumer.remark(published))
