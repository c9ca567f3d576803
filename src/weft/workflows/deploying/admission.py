"""Before anything is deployed: the image judged and fetched, its configs tried on the filter itself."""

import asyncio
import base64
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weft.errors import NotFound, UsageError
from weft.kube import Kube, Ref
from weft.mesh import Facts, ImageUrl, Intent, base_config
from weft.oci import Reference
from weft.signing import Policy, PublicKey
from weft.store import Store
from weft.workflows.deploying.facts import Looker
from weft.workflows.deploying.pull_secrets import pull_credential
from weft.workflows.deploying.trying import Trial, try_out
from weft.workflows.images.pull import pull
from weft.workflows.images.registries import Access, open_registries
from weft.workflows.running.loading import attached_schema
from weft.workflows.signatures.verify import judge_by

if TYPE_CHECKING:
    from weft.testhost import Code

__all__ = ["check_configs", "fetch_image", "schema_of", "trial_of"]


async def fetch_image(
    kube: Kube, env: Mapping[str, str], intent: Intent, looker: Looker, policy: Policy | None
) -> None:
    """Have the image of ``intent`` in the store, as its tag means now.

    It must have the signatures that ``policy`` and the intent's own ``verify`` want. Raises ``Unverified``,
    ``NotFound`` or what the registry raises.
    """
    image = ImageUrl.parse(intent.spec.image)
    own = await _own_policy(kube, intent)
    policies = [one for one in (policy, own) if one]
    if image.scheme != "oci" or looker.module is not None:
        if policies:
            raise UsageError(f"{intent.spec.image}: only images of a registry can be verified")
        return
    store = Store(looker.store)

    async def judge(source: Any, reference: Reference, digest: Any) -> None:
        for one in policies:
            await judge_by(one)(source, reference, digest)

    reference = image.reference
    if not policies and reference.digest is not None and _here(store, reference):
        return
    secret = await pull_credential(kube, intent, reference)
    given = {reference.registry: secret} if secret else {}
    told = intent.spec.registry
    access = Access(insecure=told.insecure_skip_verify, plain_http=told.plain_http)
    async with open_registries(env, [reference.registry], access, given=given) as registries:
        await pull(store, registries, reference, judge=judge if policies else None, attached=True)


async def check_configs(intent: Intent, facts: Facts, looker: Looker) -> None:
    """Try each config of ``intent`` on the filter's schema and on the filter, in this process.

    Raises as ``try_out`` does. Where the module is not known, nothing is checked.
    """
    content = facts.module.content if facts.module else None
    if content is None:
        return
    trial = trial_of(intent, facts, await schema_of(intent, looker))

    def load() -> "Code":
        from weft.testhost import Code

        return Code.load(content, looker.cache / "modules")

    await asyncio.to_thread(try_out, trial, load)


def trial_of(intent: Intent, facts: Facts, schema: Any) -> Trial:
    """What to try of ``intent``; ``schema`` is that of the filter, ``None`` where there is none."""
    return Trial(
        root_id=intent.spec.root_id or next(iter(facts.root_ids), ""),
        environment=intent.spec.environment,
        configs=tuple(_configs(intent, facts)),
        schema=schema,
    )


async def schema_of(intent: Intent, looker: Looker) -> Any:
    """The JSON Schema that came with the image; ``None`` when there is none, or it is not here."""
    image = ImageUrl.parse(intent.spec.image)
    store = Store(looker.store)
    if image.scheme != "oci" or not _here(store, image.reference):
        return None
    return await attached_schema(store, image.reference)


def _configs(intent: Intent, facts: Facts) -> Iterator[tuple[str, Any]]:
    named = f"filter {intent.metadata.name}"
    yield f"{named}: spec.config", base_config(intent, facts)
    for index, route in enumerate(intent.spec.routes):
        if not route.disabled and route.config is not None:
            yield f"{named}: spec.routes[{index}].config", route.config


async def _own_policy(kube: Kube, intent: Intent) -> Policy | None:
    if intent.spec.verify is None:
        return None
    keys = {}
    for index, key in enumerate(intent.spec.verify.keys):
        where = f"spec.verify.keys[{index}]"
        name, data = where, key.pem.encode()
        if key.secret_ref is not None:
            ref = Ref("v1", "Secret", key.secret_ref.name, intent.metadata.namespace)
            name, data = ref.name, await _secret(kube, ref, key.secret_ref.key or "cosign.pub", where)
        keys[name] = PublicKey.load(data, where=where)
    return Policy.of_keys(keys)


async def _secret(kube: Kube, ref: Ref, key: str, where: str) -> bytes:
    held = await kube.find(ref)
    if held is None:
        raise UsageError(f"{where}: no {ref}")
    data = held.get("data") or {}
    if key not in data:
        raise UsageError(f"{where}: {ref} has no key {key!r}")
    return base64.b64decode(data[key])


def _here(store: Store, reference: Reference) -> bool:
    try:
        store.find(reference)
    except NotFound:
        return False
    return True
