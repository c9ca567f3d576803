"""What a node cache says of itself, to an operator, a person or a probe."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["Report", "State", "Wish"]


class State(StrEnum):
    """How far one image is."""

    PENDING = "Pending"
    """It was not looked for yet."""
    READY = "Ready"
    """Its module is here, and it is what the reference means."""
    STALE = "Stale"
    """A module is here, but what the reference means now could not be had."""
    FAILED = "Failed"
    """No module is here."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One wanted image. ``image`` and ``module`` are empty until they are known."""

    reference: str
    state: State
    image: str = ""
    module: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All of a node. ``problems`` are with the list itself."""

    node: str
    wishes: tuple[Wish, ...]
    problems: tuple[str, ...]
    files: int
    size: int
    folders: tuple[str, ...] = ()
    """Where proxies find the files."""

    @property
    def ready(self) -> bool:
        """Whether every wanted module can be opened."""
        return not self.problems and all(wish.state is State.READY for wish in self.wishes)

    def document(self) -> dict[str, Any]:
        """What ``/status`` shows.

        ::

            {"node": "worker-1", "ready": false, "folders": ["/var/local/lib/wasme-cache"],
             "files": 2, "bytes": 81920, "problems": [],
             "images": [{"reference": "hub.example.com/f:v1", "state": "Failed",
                         "image": "sha256:…", "module": "sha256:…", "message": "…"}]}
        """
        return {
            "node": self.node,
            "ready": self.ready,
            "folders": list(self.folders),
            "files": self.files,
            "bytes": self.size,
            "problems": list(self.problems),
            "images": [
                {
                    "reference": wish.reference,
                    "state": str(wish.state),
                    "image": wish.image,
                    "module": wish.module,
                    "message": wish.message,
                }
                for wish in self.wishes
            ],
        }
