"""Deploy to a cluster, undeploy, and ask how things stand there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from weft.clusters import (
    Deployer,
    Leaving,
    Nodes,
    Prospect,
    Record,
    Standing,
    look,
    read_records,
    standing,
)
from weft.kube import Cluster, Denied, Kube, find_cluster, open_kube
from weft.signing import Policy
from weft.workflows.deploying.admission import check_configs, fetch_image
from weft.workflows.deploying.documents import Documents
from weft.workflows.deploying.facts import Looker
from weft.workflows.deploying.pull_secrets import node_credential

__all__ = ["ClusterAccess", "Deployment", "deploy", "leave", "opened", "stand", "undeploy"]

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAccess:
    """Which cluster, and where weft's own part is in it."""

    env: Mapping[str, str]
    kubeconfig: Path | None = None
    context: str = ""
    system: str = "weft-system"

    @property
    def cluster(self) -> Cluster:
        """Raises ``UsageError`` where nothing says which one, or what says it is wrong."""
        return find_cluster(self.env, file=self.kubeconfig, context=self.context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """How to deploy."""

    looker: Looker
    policy: Policy | None = None
    istiod: str = ""
    check_config: bool = True
    seconds: float = 300.0
    force: bool = False
    share_secret: bool = False
    """Node caches may have what the pull secret holds for the image's repository."""
    dry_run: bool = False


@asynccontextmanager
async def opened(
    access: ClusterAccess, *, seconds: float = 300.0, force: bool = False, say: Say
) -> AsyncIterator[Deployer]:
    """The cluster, ready to deploy to. Raises ``UsageError`` where nothing says which one."""
    async with open_kube(access.cluster, access.env) as kube:
        yield Deployer(kube=kube, system=access.system, seconds=seconds, force=force, say=say)


async def deploy(
    access: ClusterAccess,
    documents: Documents,
    how: Deployment,
    *,
    show: Callable[[Prospect], None],
    say: Say,
) -> list[Prospect]:
    """Deploy all intents of ``documents``, one after the other; ``show`` is told each plan before it is done.

    Everything is looked at and planned before anything is changed. Raises ``PlanRefused``, ``Unverified``,
    ``FilterRefused`` or ``UsageError`` then, ``RolledBack`` later.
    """
    async with opened(access, seconds=how.seconds, force=how.force, say=say) as deployer:
        prospects = []
        for imported in documents.intents:
            intent = imported.intent
            await fetch_image(deployer.kube, access.env, intent, how.looker, how.policy)
            known = await asyncio.to_thread(how.looker.facts, intent, Documents())
            facts = await look(deployer.kube, intent, known, istiod=how.istiod)
            prospects.append(await deployer.prospect(intent, facts))
            if how.check_config:
                await check_configs(intent, facts, how.looker)
        for prospect in prospects:
            show(prospect)
            if prospect.intent.spec.rollout is not None:
                say("spec.rollout is the operator's: here all workloads get the filter at once")
            credential = await _shared(deployer.kube, prospect, how, say)
            if not how.dry_run:
                await deployer.deploy(replace(prospect, credential=credential))
        return prospects


async def _shared(kube: Kube, prospect: Prospect, how: Deployment, say: Say) -> str:
    if not prospect.needs_credential:
        return ""
    if how.share_secret:
        return await node_credential(kube, prospect.intent)
    secret = f"{prospect.intent.metadata.namespace}/{prospect.intent.spec.pull_secret}"
    say(f"node caches do not get what the Secret {secret} holds; --share-pull-secret gives it to them")
    return ""


async def undeploy(access: ClusterAccess, name: str, namespace: str, *, seconds: float, say: Say) -> Record:
    """Take a filter away; raises as ``Deployer.undeploy`` does."""
    async with opened(access, seconds=seconds, say=say) as deployer:
        return await deployer.undeploy(name, namespace or deployer.kube.cluster.namespace)


async def leave(access: ClusterAccess, name: str, namespace: str) -> Leaving:
    """What undeploying would do; raises as that does."""
    async with opened(access, say=lambda _: None) as deployer:
        return await deployer.leaving(name, namespace or deployer.kube.cluster.namespace)


async def stand(access: ClusterAccess, name: str, namespace: str) -> list[Standing]:
    """How the filters of ``namespace`` (of all, where it is empty) stand, or the one called ``name``."""
    async with opened(access, say=lambda _: None) as deployer:
        try:
            records = await read_records(deployer.kube, namespace)
        except Denied as error:
            error.hint = error.hint or (None if namespace else "-n asks for one namespace only")
            raise
        chosen = [one for one in records if not name or name in {one.name, one.filter_id}]
        nodes = Nodes(deployer.kube, deployer.system, deployer.clock)
        return list(await asyncio.gather(*(standing(deployer.kube, nodes, one) for one in chosen)))
