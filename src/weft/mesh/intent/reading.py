"""From a document to an intent, strictly: one complaint, with its place, and what was probably meant."""

import difflib
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec

from weft.errors import UsageError
from weft.mesh.intent.image_url import ImageUrl
from weft.mesh.intent.intent import API_VERSION, KIND, Intent, Match, PathMatch, Route, Spec, Text
from weft.mesh.intent.regex import why_not_re2
from weft.mesh.intent.schema import Path, allowed_values, field_names

__all__ = ["LineOf", "checked", "kind_of", "nowhere", "read_intent", "read_struct"]

LineOf = Callable[[Path], int | None]
"""The line on which the value at a path stands."""

_Struct = TypeVar("_Struct")
_Problem = tuple[Path, str]

_MISSING = re.compile(r"Object missing required field `(.+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.+)`")
_WORD = re.compile(r"Invalid enum value (.+)")
_STEP = re.compile(r"\[(\d+)\]|\.([^.\[]+)")
# msgspec's words for kinds of values, and people's.
_KINDS = {"str": "text", "int": "a number", "object": "a mapping", "array": "a list", "bool": "true or false"}


def nowhere(path: Path) -> int | None:  # noqa: ARG001 - the signature is LineOf's
    """The lines of a document that has none."""
    return None


def kind_of(document: Any) -> tuple[str, str]:
    """``apiVersion`` and ``kind``; empty where the document has none."""
    fields = document if isinstance(document, dict) else {}
    version, kind = fields.get("apiVersion"), fields.get("kind")
    return (version if isinstance(version, str) else "", kind if isinstance(kind, str) else "")


def read_intent(document: Any, *, where: str, line_of: LineOf = nowhere) -> Intent:
    """The intent that ``document`` holds; raises ``UsageError`` naming ``where``, line and field."""
    found = kind_of(document)
    if found != (API_VERSION, KIND):
        held = " ".join(word for word in found if word) or "no kind of object"
        raise UsageError(f"{where}: holds {held}, not {API_VERSION} {KIND}")
    intent = read_struct(document, Intent, where=where, line_of=line_of)
    return checked(intent, where=where, line_of=line_of)


def read_struct(document: Any, kind: type[_Struct], *, where: str, line_of: LineOf = nowhere) -> _Struct:
    """``document`` as a ``kind``; raises ``UsageError`` naming ``where``, line and field."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        path, problem, hint = _in_words(message, _parsed(place.rstrip("`")), of_intent=kind is Intent)
        raise _complaint(where, line_of, path, problem, hint) from error
    except RecursionError as error:
        raise UsageError(f"{where}: nested too deeply") from error


def checked(intent: Intent, *, where: str, line_of: LineOf = nowhere) -> Intent:
    """``intent``, if it also holds what types cannot say; raises ``UsageError`` like ``read_intent``."""
    for path, problem in _problems(intent.spec):
        raise _complaint(where, line_of, ("spec", *path), problem)
    return intent


def _complaint(where: str, line_of: LineOf, path: Path, problem: str, hint: str | None = None) -> UsageError:
    line = line_of(path)
    place = where if line is None else f"{where} line {line}"
    return UsageError(f"{place}: {_spelled(path)}{problem}", hint=hint)


def _spelled(path: Path) -> str:
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return f"{words.removeprefix('.')}: " if path else ""


def _parsed(place: str) -> Path:
    return tuple(int(index) if index else name for index, name in _STEP.findall(place))


def _in_words(message: str, path: Path, *, of_intent: bool) -> tuple[Path, str, str | None]:
    if found := _MISSING.fullmatch(message):
        return (*path, found.group(1)), "is missing", None
    if found := _UNKNOWN.fullmatch(message):
        name = found.group(1)
        known = field_names(path) if of_intent else []
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}" if known else None
        return (*path, name), "there is no such field", hint
    if found := _WORD.fullmatch(message):
        words = allowed_values(path) if of_intent else []
        near = difflib.get_close_matches(found.group(1).strip("'"), words, n=1)
        among = f"; it must be one of {', '.join(words)}" if words else ""
        return path, f"{found.group(1)} is not known{among}", f"did you mean {near[0]}?" if near else None
    return path, _kinds(message), None


def _kinds(message: str) -> str:
    """``Expected `str | null`, got `int``` in people's words."""
    for kind, words in _KINDS.items():
        message = re.sub(rf"(?<=[`| ]){kind}(?=[`| ])", words, message)
    return (message[:1].lower() + message[1:]).replace("`", "").replace(" | null", "").replace(" | ", " or ")


def _problems(spec: Spec) -> Iterator[_Problem]:
    """What is wrong though each value by itself may be as it is."""
    yield from _target_problems(spec)
    if (problem := ImageUrl.problem(spec.image)) is not None:
        yield ("image",), problem
    if spec.workloads is not None and spec.target_refs:
        yield ("targetRefs",), "cannot stand beside workloads; name the one or the other"
    for index, source in enumerate(spec.config_from):
        if (source.secret_key_ref is None) == (source.config_map_key_ref is None):
            yield ("configFrom", index), "needs either secretKeyRef or configMapKeyRef"
    if spec.config_from and isinstance(spec.config, str):
        yield ("configFrom",), "needs a config that is a mapping, not text"
    for index, key in enumerate(spec.verify.keys if spec.verify else ()):
        if (key.secret_ref is None) == (not key.pem):
            yield ("verify", "keys", index), "needs either secretRef or pem"
    percents = [step.percent for step in spec.rollout.steps] if spec.rollout else []
    if percents != sorted(set(percents)):
        yield ("rollout", "steps"), "each step must have more percent than the one before"
    for index, route in enumerate(spec.routes):
        yield from ((("routes", index, *path), problem) for path, problem in _route_problems(route))


def _target_problems(spec: Spec) -> Iterator[_Problem]:
    named = [name for name in spec.target.__struct_fields__ if getattr(spec.target, name) is not None]
    if len(named) != 1:
        yield ("target",), f"must name one kind of target, not {' and '.join(named) or 'none'}"
    if spec.target.istio is not None and len(set(spec.target.istio.ports)) < len(spec.target.istio.ports):
        yield ("target", "istio", "ports"), "names a port twice"


def _route_problems(route: Route) -> Iterator[_Problem]:
    if route.match == Match():
        yield ("match",), "names nothing; what all requests get stands in spec.config"
    if route.disabled and route.config is not None:
        yield ("config",), "cannot stand beside disabled: true"
    if route.match.path is not None:
        yield from ((("match", "path", *path), problem) for path, problem in _text_problems(route.match.path))
        for how in ("prefix", "exact"):
            text = getattr(route.match.path, how)
            if text is not None and not text.startswith("/"):
                yield ("match", "path", how), f"{text!r} must start with /"
    for name, value in route.match.headers.items():
        if isinstance(value, Text):
            place = ("match", "headers", name)
            yield from (((*place, *path), problem) for path, problem in _text_problems(value))
    if not route.disabled and route.config is None:
        yield (), "needs a config, or disabled: true"


def _text_problems(text: PathMatch | Text) -> Iterator[_Problem]:
    if sum(one is not None for one in (text.exact, text.prefix, text.regex)) != 1:
        yield (), "needs one of exact, prefix and regex"
    if text.regex is not None and (problem := why_not_re2(text.regex)):
        yield ("regex",), problem
