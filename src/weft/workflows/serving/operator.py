"""The operator as a service: its turn by a Lease, its probes, its webhook, its modules."""

import asyncio
import gc
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from weft.base.clock import Clock, SystemClock
from weft.errors import WeftError
from weft.kube import Kube, Lease, LeaseLost, find_cluster, open_kube
from weft.mesh import Facts, Intent
from weft.operator import Operator, Settings, Unsigned, app, webhook
from weft.signing import Policy, Unverified
from weft.workflows.deploying.admission import fetch_image, schema_of, trial_of
from weft.workflows.deploying.cluster import ClusterAccess
from weft.workflows.deploying.documents import Documents
from weft.workflows.deploying.facts import Looker
from weft.workflows.deploying.pull_secrets import node_credential
from weft.workflows.serving.listening import Listening, listening
from weft.workflows.serving.trials import Trials
from weft.workflows.serving.webhook import trusted_tls

__all__ = ["OperatorPlace", "keep_operator"]

_LEASE = "weft-operator"
# The bytes of modules in memory, of which a plan may need one; the store has them all.
_MAX_HELD = 16 * 1024 * 1024
_MAX_TRIED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorPlace:
    """Where it answers and who it is. A ``port`` of ``None`` means that nothing is served."""

    access: ClusterAccess
    store: Path
    cache: Path
    address: str = "127.0.0.1"
    port: int | None = None
    webhook_port: int | None = None
    holder: str
    """Nobody else's name: who has it may act."""
    lease_seconds: float = 15.0
    settings: Settings = field(default_factory=Settings)
    policy: Policy | None = None
    look_again: float = 60.0
    """Seconds until a tag is asked for again."""


async def keep_operator(
    place: OperatorPlace, say: Callable[[str], None], *, ready: Callable[[str], None] = lambda _: None
) -> None:
    """Be the operator, or wait to be, until cancelled. Raises ``WeftError`` where that cannot be."""
    access = place.access
    cluster = find_cluster(access.env, file=access.kubeconfig, context=access.context)
    turns: list[Operator] = []
    async with AsyncExitStack() as stack:
        kube = await stack.enter_async_context(open_kube(cluster, access.env))
        trials = await stack.enter_async_context(Trials(place.cache / "modules", access.env))
        images = _StoredImages(place, trials)
        if place.port is not None:
            probes = app(lambda: turns[0] if turns else None)
            where = Listening(place.address, place.port)
            ready(await stack.enter_async_context(listening(probes, where)))
        if place.webhook_port is not None:
            tls = await trusted_tls(kube, place.settings.system)
            where = Listening(place.address, place.webhook_port, tls)
            await stack.enter_async_context(listening(webhook(), where))
        lease = Lease(
            kube,
            _LEASE,
            place.settings.system,
            place.holder,
            seconds=place.lease_seconds,
            on_trouble=_saying_once(say),
        )
        while True:
            say(f"waiting for the lease {place.settings.system}/{_LEASE}")
            try:
                async with lease.held():
                    turns.append(Operator(kube, images, place.settings, say))
                    await turns[0].run()
            except LeaseLost as error:
                say(str(error))
            finally:
                turns.clear()
                gc.collect()  # else what it held of the cluster is there twice in the next turn


def _saying_once(say: Callable[[str], None]) -> Callable[[WeftError], None]:
    """What is asked for every few seconds fails as often; it is news when it fails otherwise."""
    last = ""

    def tell(error: WeftError) -> None:
        nonlocal last
        if str(error) != last:
            last = str(error)
            say(last)

    return tell


class _StoredImages:
    """Modules from registries by way of the store on disk; what was looked up is known for a while."""

    def __init__(self, place: OperatorPlace, trials: Trials, clock: Clock | None = None) -> None:
        self._env = place.access.env
        self._policy = place.policy
        self._again = place.look_again
        self._looker = Looker(store=place.store, cache=place.cache)
        self._trials = trials
        self._clock = clock or SystemClock()
        self._known: OrderedDict[bytes, tuple[Facts, float]] = OrderedDict()
        self._tried: OrderedDict[bytes, None] = OrderedDict()
        self._locks: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def facts(self, kube: Kube, intent: Intent) -> Facts:
        """As ``weft.operator.Images`` wants it; where a registry is away, as it was known before."""
        key = _digest(
            intent.metadata.namespace, intent.spec.image, intent.spec.pull_secret, intent.spec.verify
        )
        async with self._locks.setdefault(key, asyncio.Lock()):  # one download, however many ask
            facts, since = self._known.get(key, (None, 0.0))
            if facts is None or self._clock.now() - since > self._again:
                try:
                    facts = await self._look(kube, intent)
                except WeftError as error:
                    if facts is None or not getattr(error, "temporary", False):
                        raise
                    # A registry that is down takes nothing away.
                    facts = replace(facts, stale=str(error))
                self._known[key] = (facts, self._clock.now())
            self._known.move_to_end(key)
            while len(self._known) > 1 and sum(map(_weight, self._known.values())) > _MAX_HELD:
                self._known.popitem(last=False)
            return facts

    async def _look(self, kube: Kube, intent: Intent) -> Facts:
        try:
            await fetch_image(kube, self._env, intent, self._looker, self._policy)
        except Unverified as error:
            raise Unsigned(str(error), hint=error.hint, detail=error.detail) from error
        return await asyncio.to_thread(self._looker.facts, intent, Documents())

    async def credential(self, kube: Kube, intent: Intent) -> str:
        """As ``weft.operator.Images`` wants it; read anew each time, as it may have been rotated."""
        return await node_credential(kube, intent)

    async def check(self, intent: Intent, facts: Facts) -> None:
        """As ``weft.operator.Images`` wants it; what passed once is not tried again."""
        spec, module = intent.spec, facts.module
        values = sorted((*key, text) for key, text in facts.values.items())
        key = _digest(str(facts.image), spec.root_id, spec.config, spec.routes, spec.environment, values)
        if key in self._tried or module is None or module.content is None:
            return
        schema = await schema_of(intent, self._looker)
        await self._trials.run(module.content, module.sha256, trial_of(intent, facts, schema))
        self._tried[key] = None
        while len(self._tried) > _MAX_TRIED:
            self._tried.popitem(last=False)


def _digest(*parts: Any) -> bytes:
    return hashlib.sha256(msgspec.json.encode(parts)).digest()


def _weight(known: tuple[Facts, float]) -> int:
    module = known[0].module
    return module.size if module else 0
