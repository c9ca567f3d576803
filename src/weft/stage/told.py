"""What Envoy is told to play a case: the filter with its configuration, and whom it may call."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from weft.scenario import Case, Expect, Matcher, Neighbor, Plugin, config_bytes
from weft.stage.documents import AFTER, BEFORE, FILTER, NETWORK, filter_document

__all__ = ["Project", "case_documents", "servers", "vm_ids"]


@dataclass(frozen=True, slots=True)
class Project:
    """What holds where a scenario says nothing."""

    name: str
    root_id: str
    config: bytes


def case_documents(
    case: Case, project: Project, *, vm_id: str, files: Callable[[str | None], str]
) -> dict[str, dict[str, Any]]:
    """Place → filter as the case wants it, in a VM of its own; in the order of the chain.

    ``files`` has the file of a neighbor's module, and of the filter's own for ``None``.
    """
    if case.is_network:
        return {NETWORK: _document(case.plugin, project, NETWORK, vm_id, files)}
    before, after = case.setup.before or [], case.setup.after or []
    made = {}
    for place, said in zip(BEFORE, before, strict=False):
        made[place] = _document(said, project, place, vm_id, files)
    made[FILTER] = _document(case.plugin, project, FILTER, vm_id, files)
    for place, said in zip(AFTER, after, strict=False):
        made[place] = _document(said, project, place, vm_id, files)
    return made


def vm_ids(case: Case, vm_id: str) -> list[str]:
    """Those of the whole chain."""
    before, after = case.setup.before or [], case.setup.after or []
    places = [*BEFORE[: len(before)], FILTER, *AFTER[: len(after)]]
    return [_vm_id(vm_id, place) for place in places]


def _vm_id(vm_id: str, place: str) -> str:
    return vm_id if place in {FILTER, NETWORK} else f"{vm_id}-{place}"


def _document(
    said: Plugin, project: Project, place: str, vm_id: str, files: Callable[[str | None], str]
) -> dict[str, Any]:
    module = said.module if isinstance(said, Neighbor) else None
    project = project if module is None else Project("", "", b"")
    return filter_document(
        place=place,
        name=project.name if said.name is None else said.name,
        root_id=project.root_id if said.root_id is None else said.root_id,
        vm_id=_vm_id(vm_id, place),
        module=files(module),
        config=_text(project.config if said.config is None else config_bytes(said.config)),
        vm_config="" if said.vm_config is None else _text(config_bytes(said.vm_config)),
        environment=said.environment,
        fail_open=bool(said.fail_open),
    )


def servers(case: Case, known: frozenset[str]) -> set[str]:
    """Whom the filter may call: whom the case allows, or else all it or ``known`` names."""
    if case.setup.clusters is not None:
        return set(case.setup.clusters)
    named = {step.reply.cluster for step in case.steps if step.reply and step.reply.cluster}
    expects = [case.expect, *(step.expect for step in case.steps)]
    return named | known | {name for expect in expects if expect for name in _called(expect)}


def _called(expect: Expect) -> Iterator[str]:
    for call in expect.calls or ():
        if (name := _exact(call.cluster)) is not None:
            yield name


def _exact(matcher: Matcher | None) -> str | None:
    if matcher is None or isinstance(matcher, str):
        return matcher
    return getattr(matcher, "exact", None)


def _text(config: bytes) -> str:
    return config.decode("utf-8", "replace")
