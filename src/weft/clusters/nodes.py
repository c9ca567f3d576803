"""Which modules nodes shall hold, and which they do: how weft and its node caches talk.

Both sides write ConfigMaps in the namespace of weft. Whoever deploys writes one for each module a filter
needs (label ``weft.dev/module``); each node cache keeps one that says what its node holds
(``weft.dev/node``). What registries want to be shown for a module is in the Secret ``weft-registries``, under
a key of its own that goes with the ConfigMap.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from weft.base.clock import Clock
from weft.errors import WeftError
from weft.kube import Kube, Object, Ref
from weft.mesh import ModuleFile, object_name

__all__ = [
    "CACHE_PODS",
    "MODULE_LABEL",
    "NODE_LABEL",
    "REGISTRIES",
    "Nodes",
    "NotDistributed",
    "node_report",
    "wanted_images",
]

MODULE_LABEL = "weft.dev/module"
NODE_LABEL = "weft.dev/node"
REGISTRIES = "weft-registries"
"""The Secret that node caches read: each key is a file of docker's format, that of people ``config.json``."""
CACHE_PODS = "app.kubernetes.io/component=node-cache"
_MANAGER = "weft-modules"
_SHORT = 12
_POLL_SECONDS = 0.5
_HELD = frozenset({"Ready", "Stale"})


class NotDistributed(WeftError):
    """A node does not hold a module that its proxies would need."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """The node caches of a cluster, which live in ``namespace``."""

    kube: Kube
    namespace: str
    clock: Clock

    async def want(
        self, name: str, file: ModuleFile, credential: str = "", *, begin: Callable[[], None] = lambda: None
    ) -> bool:
        """Every node shall hold ``file``, for the filter ``name``; gives whether that is new.

        Then ``begin`` is called before anything is written. ``credential`` is docker's ``config.json`` for
        the file's registry. Raises ``WeftError`` where there is no Secret for it.
        """
        labels = {MODULE_LABEL: "wanted", "app.kubernetes.io/managed-by": "weft"}
        ref = self._ref(name, file)
        before = await self.kube.find(ref)
        data = {"filter": name, "image": file.image.removeprefix("oci://"), "sha256": file.sha256}
        data |= {"credential": _key(ref)} if credential else {}
        held = {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            "metadata": {"name": ref.name, "namespace": ref.namespace, "labels": labels},
            "data": data,
        }
        had = _credential_of(before)
        if before is None:
            begin()
        if before is None or before.get("data") != data:
            await self.kube.apply(held, manager=_MANAGER, force=True)
        # Later, so that there is never one that nothing tells of.
        if credential or had:
            await self._give(_key(ref), credential)
        return before is None

    async def release(self, name: str, file: ModuleFile) -> None:
        """The filter ``name`` needs ``file`` no more."""
        ref = self._ref(name, file)
        if _credential_of(await self.kube.find(ref)):
            await self._give(_key(ref), "")
        await self.kube.delete(ref)

    async def wait(self, file: ModuleFile, *, seconds: float, say: Callable[[str], None]) -> None:
        """Wait until every node with a node cache holds ``file``.

        Raises ``NotDistributed`` naming those that do not; at once where waiting would not help.
        """
        end, told = self.clock.now() + seconds, ""
        while True:
            nodes = await self.caches()
            if not nodes:
                raise NotDistributed(
                    f"no node cache runs in namespace {self.namespace}",
                    hint="`weft install` brings it; --mode wasmplugin and configmap do without",
                )
            lacking = await self._lacking(nodes, file)
            if not lacking:
                return
            state = f"{len(nodes) - len(lacking)} of {len(nodes)} nodes hold {file.image}"
            if state != told:
                told = state
                say(state)
            if self.clock.now() > end:
                missing = "; ".join(f"{node}: {why}" for node, why in sorted(lacking.items()))
                raise NotDistributed(f"not every node holds {file.image} after {seconds:g} s: {missing}")
            await self.clock.sleep(_POLL_SECONDS)

    async def caches(self) -> frozenset[str]:
        """The nodes where a node cache runs, or is about to."""
        pods = await self.kube.list("v1", "Pod", namespace=self.namespace, labels=CACHE_PODS)
        return frozenset(
            str(pod["spec"].get("nodeName") or f"pod {pod['metadata']['name']}, which has no node yet")
            for pod in pods.items
            if not pod["metadata"].get("deletionTimestamp")
        )

    async def reports(self) -> dict[str, dict[str, Any]]:
        """What each node says of itself (``weft.nodecache.Report``)."""
        listed = await self.kube.list("v1", "ConfigMap", namespace=self.namespace, labels=NODE_LABEL)
        return {held["metadata"]["labels"][NODE_LABEL]: _report(held) for held in listed.items}

    async def _give(self, key: str, credential: str) -> None:
        """Node caches have ``credential`` under ``key``; without one, nothing is there."""
        ref = Ref("v1", "Secret", REGISTRIES, self.namespace)
        held = await self.kube.find(ref)
        if held is None:
            if not credential:
                return
            raise WeftError(f"no {ref} for the node caches' credentials", hint="`weft install` brings it")
        wanted = base64.b64encode(credential.encode()).decode() or None
        if (held.get("data") or {}).get(key) != wanted:
            await self.kube.merge(ref, {"data": {key: wanted}})

    async def strangers(self) -> frozenset[str]:
        """Nodes that have reported, and have no node cache now."""
        return frozenset((await self.reports()).keys() - await self.caches())

    async def forget(self, node: str) -> None:
        """Take the report of ``node`` away; one that comes back reports anew."""
        await self.kube.delete(Ref("v1", "ConfigMap", _report_name(node), self.namespace))

    async def _lacking(self, nodes: frozenset[str], file: ModuleFile) -> dict[str, str]:
        reports = await self.reports()
        _check_folder({node: reports[node] for node in nodes & reports.keys()}, file)
        found = {node: _why_not(reports.get(node), file) for node in nodes}
        return {node: why for node, why in found.items() if why}

    def _ref(self, name: str, file: ModuleFile) -> Ref:
        return Ref("v1", "ConfigMap", object_name("weft-module", name, file.sha256[:_SHORT]), self.namespace)


def _key(wish: Ref) -> str:
    return f"{wish.name}.json"


def _credential_of(wish: Object | None) -> str:
    return str(((wish or {}).get("data") or {}).get("credential", ""))


def wanted_images(objects: tuple[Object, ...]) -> tuple[str, ...]:
    """The images that the ConfigMaps with ``MODULE_LABEL`` want, each once."""
    return tuple(dict.fromkeys(str((held.get("data") or {}).get("image", "")) for held in objects))


def node_report(node: str, namespace: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The ConfigMap in which a node cache says what its node holds."""
    labels = {NODE_LABEL: node, "app.kubernetes.io/managed-by": "weft"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _report_name(node), "namespace": namespace, "labels": labels},
        "data": {"report": json.dumps(document, separators=(",", ":"))},
    }


def _report_name(node: str) -> str:
    return object_name("weft-node", node)


def _report(held: Object) -> dict[str, Any]:
    try:
        document = json.loads((held.get("data") or {}).get("report", ""))
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _check_folder(reports: Mapping[str, Mapping[str, Any]], file: ModuleFile) -> None:
    """A proxy opens the file where its pod mounts it: elsewhere it is of no use."""
    wanted = file.path.rpartition("/")[0]
    for node, report in sorted(reports.items()):
        folders = report.get("folders")
        if isinstance(folders, list) and wanted not in folders:
            raise NotDistributed(
                f"node {node} keeps modules in {', '.join(map(str, folders))}, and not in {wanted}",
                hint=f"`weft install --also-folder {wanted}`, or another folder in spec.target.istio.volume",
            )


def _why_not(report: Mapping[str, Any] | None, file: ModuleFile) -> str:
    """Why the node of ``report`` does not hold ``file``; empty when it does."""
    if report is None:
        return "its node cache has not reported yet"
    wishes = [one for one in report.get("images") or () if isinstance(one, dict)]
    if any(one.get("module") == f"sha256:{file.sha256}" and one.get("state") in _HELD for one in wishes):
        return ""
    image = file.image.removeprefix("oci://")
    said = [str(one.get("message")) for one in wishes if one.get("reference") == image]
    return next((text for text in said if text), "") or "it is not there yet"
