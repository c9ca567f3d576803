"""What Envoy is told to play a case: the filter with its configuration, and whom it may call."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from weft.scenario import Case, Expect, Matcher, config_bytes
from weft.stage.documents import filter_document

__all__ = ["Project", "case_document", "servers"]


@dataclass(frozen=True, slots=True)
class Project:
    """What holds where a scenario says nothing."""

    name: str
    root_id: str
    config: bytes


def case_document(case: Case, project: Project, *, module: str, vm_id: str) -> dict[str, Any]:
    """The filter as the case wants it, in a VM of its own."""
    said = case.plugin
    return filter_document(
        name=project.name if said.name is None else said.name,
        root_id=project.root_id if said.root_id is None else said.root_id,
        vm_id=vm_id,
        module=module,
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
