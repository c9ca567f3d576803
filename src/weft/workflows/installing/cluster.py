"""Install and uninstall, from a kubeconfig on."""

from collections.abc import Callable
from dataclasses import dataclass

from weft.installing import Installation
from weft.kube import Cluster, find_cluster, open_kube
from weft.workflows.deploying.cluster import ClusterAccess
from weft.workflows.installing.install import Installer
from weft.workflows.installing.outcome import Show
from weft.workflows.installing.uninstall import Uninstaller

__all__ = ["How", "install", "uninstall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How to go about it, and whom to tell."""

    seconds: float
    force: bool
    show: Show
    say: Callable[[str], None]


async def install(access: ClusterAccess, installation: Installation, how: How, *, wait: bool) -> None:
    """Make the cluster hold ``installation``; raises as ``Installer.install``."""
    async with open_kube(_cluster(access), access.env) as kube:
        installer = Installer(kube=kube, show=how.show, say=how.say, seconds=how.seconds, force=how.force)
        await installer.install(installation, wait=wait)


async def uninstall(access: ClusterAccess, installation: Installation, how: How) -> None:
    """Take ``installation`` out of the cluster; raises as ``Uninstaller.uninstall``."""
    async with open_kube(_cluster(access), access.env) as kube:
        uninstaller = Uninstaller(kube=kube, show=how.show, say=how.say, seconds=how.seconds, force=how.force)
        await uninstaller.uninstall(installation)


def _cluster(access: ClusterAccess) -> Cluster:
    return find_cluster(access.env, file=access.kubeconfig, context=access.context)
