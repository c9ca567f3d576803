"""From filters and what the user wants of them to the plugins of a chain.

``--config``, ``--id`` and ``--root-id`` may be repeated: the first is for the first filter, and so on. A
filter that none is left for keeps what its author set.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from weft.errors import UsageError
from weft.mesh import Failure, Plugin
from weft.workflows.running.configs import check_config, read_config
from weft.workflows.running.loading import Loaded

__all__ = ["Wishes", "make_chain", "make_plugin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line says of the filters."""

    configs: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    root_ids: tuple[str, ...] = ()
    failure: Failure = Failure.CLOSED

    def config_file(self, index: int) -> tuple[Path, ...]:
        """The file that the configuration at ``index`` is read from, if it is."""
        word = self.configs[index] if index < len(self.configs) else ""
        return (Path(word[1:]),) if word.startswith("@") else ()


def make_chain(
    filters: Sequence[Loaded], wishes: Wishes, place: Callable[[Loaded], Path]
) -> tuple[Plugin, ...]:
    """One plugin per filter, in order; ``place`` says where Envoy will read a module.

    Raises ``UsageError``: more options than filters, an id given twice, a config that the schema forbids.
    """
    for option, words in (("--config", wishes.configs), ("--id", wishes.ids), ("--root-id", wishes.root_ids)):
        if len(words) > len(filters):
            raise UsageError(f"{len(words)} times {option} for {len(filters)} filters")
    ids = _ids(filters, wishes.ids)
    return tuple(
        make_plugin(loaded, wishes, index, name, place(loaded))
        for index, (loaded, name) in enumerate(zip(filters, ids, strict=True))
    )


def make_plugin(loaded: Loaded, wishes: Wishes, index: int, name: str, module: Path) -> Plugin:
    """The plugin at ``index`` of the chain; raises what ``make_chain`` raises."""
    given = read_config(wishes.configs[index]) if index < len(wishes.configs) else None
    config = loaded.config if given is None else given
    if loaded.schema is not None and config not in (None, ""):
        where = f"the config of {name}" if given is None else "--config"
        check_config(config, loaded.schema, where=where)
    return Plugin(
        id=name,
        module=str(module),
        root_id=wishes.root_ids[index] if index < len(wishes.root_ids) else loaded.root_id,
        config=config,
        failure=wishes.failure,
    )


def _ids(filters: Sequence[Loaded], given: Sequence[str]) -> list[str]:
    """What the user gave, then the filters' own names; a second ``auth`` becomes ``auth-2``."""
    if len(set(given)) < len(given):
        raise UsageError("the same --id is given twice", hint="ids tell the filters of a chain apart")
    ids = list(given)
    for loaded in filters[len(given) :]:
        name, count = loaded.name, 1
        while name in ids:
            count += 1
            name = f"{loaded.name}-{count}"
        ids.append(name)
    return ids
