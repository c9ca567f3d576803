"""The configs of an intent: the one for all requests and those of its routes, with secrets put in."""

import copy
import json
from typing import Any

from weft.mesh.intent.intent import ConfigSource, Intent
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.plan import PlanRefused

__all__ = ["as_mapping", "base_config", "config_refs"]


def base_config(intent: Intent, facts: Facts) -> Any:
    """What the filter is told where no route says otherwise; raises ``PlanRefused``."""
    if not intent.spec.config_from:
        return intent.spec.config
    config = copy.deepcopy(intent.spec.config or {})
    assert isinstance(config, dict)  # noqa: S101 - the reader allows configFrom beside mappings only
    for index, source in enumerate(intent.spec.config_from):
        _put(config, source.path, _value(source, facts, f"spec.configFrom[{index}]"), index)
    return config


def config_refs(intent: Intent) -> list[tuple[str, str, str]]:
    """The keys of Secrets and ConfigMaps that ``Facts.values`` must hold."""
    return [_ref(source) for source in intent.spec.config_from]


def as_mapping(config: Any) -> dict[str, Any] | None:
    """``config`` as the JSON object it is or spells; ``None`` when it is something else."""
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except (ValueError, RecursionError):
            return None
    return config if isinstance(config, dict) else None


def _value(source: ConfigSource, facts: Facts, where: str) -> str:
    kind, name, key = _ref(source)
    found = facts.values.get((kind, name, key))
    if found is None:
        raise PlanRefused(f"{where}: {kind} {name} with key {key!r} is not known")
    return found


def _ref(source: ConfigSource) -> tuple[str, str, str]:
    secret = source.secret_key_ref
    kind, ref = ("Secret", secret) if secret is not None else ("ConfigMap", source.config_map_key_ref)
    assert ref is not None  # noqa: S101 - the reader checked it
    return kind, ref.name, ref.key


def _put(config: dict[str, Any], path: str, value: str, index: int) -> None:
    *parents, last = path.split(".")
    place = config
    for name in parents:
        place = place.setdefault(name, {})
        if not isinstance(place, dict):
            raise PlanRefused(f"spec.configFrom[{index}].path: {name!r} in {path!r} is no mapping")
    place[last] = value
