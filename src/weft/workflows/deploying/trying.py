"""Configs tried before they are deployed: on the schema that came with a filter, and on the filter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from weft.errors import FilterRefused
from weft.workflows.running.configs import check_config

if TYPE_CHECKING:
    from weft.testhost import Code

__all__ = ["Trial", "try_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a filter is started with; ``configs`` are in the order they are tried, each with its place."""

    root_id: str
    environment: Mapping[str, str]
    configs: tuple[tuple[str, Any], ...]
    schema: Any = None


def try_out(trial: Trial, load: Callable[[], "Code"]) -> None:
    """Try each config; ``load`` gives the filter.

    Raises ``UsageError`` with the place in the config, ``FilterRefused`` with what the filter logged.
    """
    for where, config in trial.configs:
        if trial.schema is not None and config is not None:
            check_config(config, trial.schema, where=where)
    from weft.testhost import Host, Plugin, config_bytes

    code = load()
    for where, config in trial.configs:
        told = b"" if config is None else config_bytes(config)
        try:
            Host.start(code, Plugin(root_id=trial.root_id, config=told, environment=dict(trial.environment)))
        except FilterRefused as error:
            hint = "--skip-config-check deploys it anyway"
            raise FilterRefused(f"{where}: the filter refuses it", hint=hint, detail=error.detail) from error
