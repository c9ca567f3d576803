"""``weft render`` and ``weft diff``: intents to plans, without touching anything."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from weft.errors import UsageError, WeftError
from weft.mesh import (
    Change,
    Imported,
    Intent,
    Plan,
    PlanRefused,
    changes,
    config_refs,
    make_plan,
    read_intent,
)
from weft.workflows.deploying.documents import Documents, read_documents
from weft.workflows.deploying.facts import Looker

__all__ = ["Rendered", "Retarget", "compare", "gather", "render", "retarget"]

Retarget = Callable[[Intent], Intent]


@dataclass(frozen=True, slots=True)
class Rendered:
    """An intent with its plan, and what there is to know of both."""

    intent: Intent
    plan: Plan
    notes: tuple[str, ...]


def gather(
    words: Sequence[str],
    read_input: Callable[[], str],
    *,
    more: Iterable[Intent] = (),
    change: Retarget | None = None,
    home: str = "default",
) -> Documents:
    """What the files ``words`` hold, and the intents ``more``; every intent as ``change`` makes it.

    What is in no namespace is in ``home``.
    Raises ``UsageError`` with file, line and field, and when there is nothing to deploy, or something twice.
    """
    documents = read_documents(words, read_input, home)
    documents.intents += [Imported(intent) for intent in more]
    if not documents.intents:
        named = ", ".join("standard input" if word == "-" else word for word in words)
        raise UsageError(
            f"{named}: no filter to deploy",
            hint="a FilterDeployment, a WasmPlugin or a TrafficExtension says what to deploy",
        )
    if change is not None:
        documents.intents = [replace(held, intent=change(held.intent)) for held in documents.intents]
    _check_twice([held.intent for held in documents.intents])
    return documents


def _check_twice(intents: Sequence[Intent]) -> None:
    names: dict[tuple[str, str, str], Intent] = {}
    for intent in intents:
        namespace, name = intent.metadata.namespace, intent.metadata.name
        if names.setdefault(("name", namespace, name), intent) is not intent:
            raise UsageError(f"filter {name} of namespace {namespace} is there twice")
        other = names.setdefault(("id", namespace, intent.filter_id), intent)
        if other is not intent:
            raise UsageError(
                f"filter {name}: its id {intent.filter_id} is that of filter {other.metadata.name}",
                hint="give it another id",
            )


def render(documents: Documents, looker: Looker) -> list[Rendered]:
    """A plan for each intent; raises ``PlanRefused`` where a target cannot do what is asked."""
    return [_planned(imported, documents, looker) for imported in documents.intents]


def retarget(target: str, istio: dict[str, Any] | None = None) -> Retarget:
    """A change of intents: to another target; for ``istio`` with other fields than they have."""

    def change(intent: Intent) -> Intent:
        document = msgspec.to_builtins(intent)
        field = {"envoy-gateway": "envoyGateway"}.get(target, target)
        held = document["spec"]["target"].get(field) or {}
        document["spec"]["target"] = {field: {**held, **((istio or {}) if field == "istio" else {})}}
        return read_intent(document, where=f"filter {intent.metadata.name}")

    return change


def compare(before: Sequence[Rendered], after: Sequence[Rendered]) -> list[Change]:
    """What the plans of ``after`` would tell otherwise than those of ``before``."""
    old = {one.plan.filter_id: one.plan for one in before}
    new = {one.plan.filter_id: one.plan for one in after}
    names = [*new, *(name for name in old if name not in new)]
    return [change for name in names for change in changes(old.get(name), new.get(name))]


def _planned(imported: Imported, documents: Documents, looker: Looker) -> Rendered:
    intent = imported.intent
    facts = looker.facts(intent, documents)
    hidden = {key: f"<{key[0]} {key[1]}, key {key[2]}>" for key in config_refs(intent)}
    notes = [
        f"{kind} {name} is read when deployed; here its place is marked"
        for kind, name, key in hidden
        if (kind, name, key) not in facts.values
    ]
    facts = replace(facts, values={**hidden, **facts.values})
    try:
        plan = make_plan(intent, facts)
    except PlanRefused as refused:
        raise _named(intent, refused, looked=facts.module is not None) from refused
    return Rendered(intent, plan, (*imported.notes, *notes))


def _named(intent: Intent, refused: PlanRefused, *, looked: bool) -> WeftError:
    """With the filter's name, and how the image could be looked into."""
    hint = refused.hint
    if not looked:
        hint = f"`weft pull {intent.spec.image}` first, or name the module with --module"
    return PlanRefused(f"filter {intent.metadata.name}: {refused}", reasons=refused.reasons, hint=hint)
