"""``weft render`` and ``weft diff``: intents to plans, without touching anything."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from weft.errors import UsageError, WeftError
from weft.mesh import Change, Imported, Intent, Plan, PlanRefused, changes, make_plan, read_intent
from weft.workflows.deploying.documents import Documents, read_documents
from weft.workflows.deploying.facts import Looker

__all__ = ["Rendered", "compare", "render", "retarget"]

Retarget = Callable[[Intent], Intent]


@dataclass(frozen=True, slots=True)
class Rendered:
    """An intent with its plan, and what there is to know of both."""

    intent: Intent
    plan: Plan
    notes: tuple[str, ...]


def render(
    words: Sequence[str],
    looker: Looker,
    read_input: Callable[[], str],
    *,
    more: Iterable[Intent] = (),
    change: Retarget | None = None,
) -> list[Rendered]:
    """A plan for each intent in the files ``words``, and for ``more``.

    Raises ``UsageError`` with file, line and field, ``PlanRefused`` where a target cannot do what is asked.
    """
    documents = read_documents(words, read_input)
    documents.intents += [Imported(intent) for intent in more]
    if not documents.intents:
        raise UsageError(
            f"{', '.join(words) or 'the command line'}: no filter to deploy",
            hint="a FilterDeployment, a WasmPlugin or a TrafficExtension says what to deploy",
        )
    return [_planned(imported, documents, looker, change) for imported in documents.intents]


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


def _planned(imported: Imported, documents: Documents, looker: Looker, change: Retarget | None) -> Rendered:
    intent = imported.intent if change is None else change(imported.intent)
    facts = looker.facts(intent, documents)
    notes = list(imported.notes)
    hidden = {}
    for source in intent.spec.config_from:
        secret = source.secret_key_ref
        kind, ref = ("Secret", secret) if secret else ("ConfigMap", source.config_map_key_ref)
        if ref is not None and (kind, ref.name, ref.key) not in facts.values:
            hidden[kind, ref.name, ref.key] = f"<{kind} {ref.name}, key {ref.key}>"
            notes.append(f"{kind} {ref.name} is read when deployed; here its place is marked")
    facts = replace(facts, values={**hidden, **facts.values})
    try:
        plan = make_plan(intent, facts)
    except PlanRefused as refused:
        raise _named(intent, refused, looked=facts.module is not None) from refused
    return Rendered(intent, plan, tuple(notes))


def _named(intent: Intent, refused: PlanRefused, *, looked: bool) -> WeftError:
    """With the filter's name, and how the image could be looked into."""
    hint = refused.hint
    if not looked:
        hint = f"`weft pull {intent.spec.image}` first, or name the module with --module"
    return PlanRefused(f"filter {intent.metadata.name}: {refused}", reasons=refused.reasons, hint=hint)
