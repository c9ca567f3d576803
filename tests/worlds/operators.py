"""`weft serve operator` in a real cluster, and what a user of it does and sees."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from weft.mesh import KINDS, Kind
from worlds.deployments import World
from worlds.waiting import until

OWN, WASME, ASM, _ = KINDS
QUICK = ("--port", "0", "--again", "1", "--lease", "1", "--timeout", "20")


@contextmanager
def operators_of(world: World, folder: Path) -> Iterator["Operators"]:
    """Operators in ``world``; with the block they end, and all filters with them."""
    for kind in KINDS:
        world.cluster.knows(kind.group, kind.version, kind.name, kind.plural)
    with ExitStack() as stack:
        yield Operators(world, folder, stack)
        for log in folder.glob("*.log"):
            print(log.read_text())  # noqa: T201 - shown where a test fails
        for kind in KINDS:
            for held in world.ask("GET", path(kind, world))["items"]:
                free(world, kind, held["metadata"]["name"])


class Operators:
    """Those that were started; all end with the test."""

    def __init__(self, world: World, folder: Path, stack: ExitStack) -> None:
        self.world, self.folder, self._stack = world, folder, stack
        self.log = folder / "operator.log"

    def start(self, holder: str = "one", *words: str, user: str = "") -> subprocess.Popen[bytes]:
        log = self.folder / f"{holder}.log"
        running = self.world.process("operator", log, *QUICK, "--holder", holder, *words, user=user)
        return self._stack.enter_context(running)

    def said(self, holder: str = "one") -> str:
        return (self.folder / f"{holder}.log").read_text()


def path(kind: Kind, world: World, name: str = "") -> str:
    return f"{kind.api_version}/namespaces/{world.namespace}/{kind.plural}" + (f"/{name}" if name else "")


def resource(world: World, name: str = "headers", **spec: Any) -> dict[str, Any]:
    """A FilterDeployment of weft's own."""
    held = {
        "apiVersion": OWN.api_version,
        "kind": OWN.name,
        "metadata": {"name": name},
        "spec": {
            "image": world.image,
            "config": {"value": 1},
            "target": {"istio": {"namespace": world.istio}},
            **spec,
        },
    }
    return world.ask("POST", path(OWN, world), held)


def free(world: World, kind: Kind, name: str) -> None:
    """Gone, whatever its finalizers."""
    try:
        world.ask("PATCH", path(kind, world, name), {"metadata": {"finalizers": None}})
        world.ask("DELETE", path(kind, world, name))
    except HTTPError:
        return


def status(world: World, name: str = "headers", kind: Kind = OWN) -> dict[str, Any]:
    return dict(world.ask("GET", path(kind, world, name)).get("status") or {})


def condition(world: World, wanted: str = "Ready", name: str = "headers") -> dict[str, Any]:
    held = status(world, name).get("conditions", [])
    return next((one for one in held if one["type"] == wanted), {})


def ready(world: World, name: str = "headers", generation: int = 1) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        one = condition(world, name=name)
        current = status(world, name).get("observedGeneration") == generation
        return one if one.get("status") == "True" and current else None

    return dict(until(found, f"Ready of {name}"))


def failed(world: World, words: str, name: str = "headers") -> dict[str, Any]:
    """Wait until the resource says so."""

    def found() -> bool:
        return words in condition(world, name=name).get("message", "")

    until(found, f"failure with {words!r}")
    return condition(world, name=name)


def envoyfilter(world: World) -> dict[str, Any]:
    return {"istio": {"namespace": world.istio, "mode": "envoyfilter"}}
