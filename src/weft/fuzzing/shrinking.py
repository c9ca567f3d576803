"""Take away from a case all that it does not need to fail as it does.

The rules: large parts go first; what is tried is always smaller (``weight``), so it ends; never the same
twice. What cannot be played is no candidate: see ``weft.fuzzing.grammar``.
"""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import msgspec

from weft.fuzzing.grammar import sound
from weft.scenario import (
    Base64,
    BodyPart,
    Case,
    Content,
    Plugin,
    Request,
    Response,
    Setup,
    Step,
    content_bytes,
)

__all__ = ["candidates", "minimise", "weight"]

_MESSAGES = (
    *("request", "request_body", "response", "response_body", "reply"),
    *("downstream_data", "upstream_data"),
)
_BODIES = (("body", "chunks"), ("data", "chunks"), ("message", "messages"))
"""The words for one piece, and for several."""
_FIELDS = (
    ("trailers", None),
    ("body", None),
    ("data", None),
    ("chunks", None),
    ("message", None),
    ("messages", None),
    ("grpc_message", None),
    ("grpc_status", None),
    ("cluster", None),
    ("status", 200),
    ("open", False),
    ("end", False),
)
_MOST_PARTS = 32

_Message = TypeVar("_Message", Request, Response)

Fails = Callable[[Sequence[Case]], Case | None]
"""Play cases; the first that fails in the same way, as it was played."""


def minimise(case: Case, fails: Fails, *, most: int = 500, at_once: int = 1) -> Iterator[Case]:
    """Smaller and smaller cases, within ``most`` tries, ``at_once`` of them together."""
    seen, left = {_key(case)}, most
    while left > 0:
        fresh, smaller = _fresh(case, seen), None
        while smaller is None and left > 0 and (batch := list(islice(fresh, min(at_once, left)))):
            left -= len(batch)
            smaller = fails(batch)
        if smaller is None:
            return
        case = smaller
        yield case


def weight(case: Case) -> tuple[int, int]:
    """How much there is to read: steps, and what they and the settings say."""
    return len(case.steps), sum(_said(part) for part in (case.plugin, case.setup, *case.steps))


def _said(value: Any) -> int:
    """Everything that is said counts, and characters beside the plainest twice."""
    if isinstance(value, Base64):
        return 2 * len(content_bytes(value))
    if isinstance(value, msgspec.Struct):
        held = ((default, getattr(value, name)) for name, default in _defaults(type(value)).items())
        return sum(2 + _said(item) for default, item in held if item not in (default, {}))
    if isinstance(value, Mapping):
        return sum(2 + len(str(key)) + _said(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return sum(2 + _said(item) for item in value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return 1 + len(str(value)) + (abs(value) > 1)
    text = str(value)
    return 2 * len(text) - text.count("a")


@cache
def _defaults(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.name: field.default for field in msgspec.structs.fields(kind)}


def candidates(case: Case) -> Iterator[Case]:
    """Smaller cases, from those with much less to those with a little less."""
    most = weight(case)
    for made in _smaller(case):
        whole = replace(made, steps=sound(made.steps))
        if weight(whole) < most:
            yield whole


def _fresh(case: Case, seen: set[bytes]) -> Iterator[Case]:
    for made in candidates(case):
        if (key := _key(made)) not in seen:
            seen.add(key)
            yield made


def _key(case: Case) -> bytes:
    return msgspec.json.encode((case.plugin, case.setup, case.steps))


def _smaller(case: Case) -> Iterator[Case]:
    for name in dict.fromkeys(step.stream for step in case.steps):
        yield replace(case, steps=tuple(step for step in case.steps if step.stream != name))
        yield replace(case, steps=tuple(_in_one(case.steps, name)))
        if "main" not in {step.stream for step in case.steps}:
            yield replace(case, steps=tuple(_renamed(step, name) for step in case.steps))
    for kept in _without(case.steps):
        yield replace(case, steps=tuple(kept))
    yield replace(case, plugin=Plugin(), setup=Setup())
    yield replace(case, setup=Setup())
    yield replace(case, plugin=Plugin())
    for part in ("plugin", "setup"):
        settings = getattr(case, part)
        for field, value in _settings(settings):
            yield replace(case, **{part: msgspec.structs.replace(settings, **{field: value})})
    for at, step in enumerate(case.steps):
        for made in _steps(step):
            yield replace(case, steps=(*case.steps[:at], made, *case.steps[at + 1 :]))


def _without(items: Sequence[Any]) -> Iterator[Any]:
    """The items without all, without a half, a quarter, … without one of a few; the last go first."""
    size = len(items)
    while size > 0 and len(items) // size <= _MOST_PARTS:
        for start in range(len(items) - size, -1, -size):
            yield items[:start] + items[start + size :]  # type: ignore[operator]
        size = size // 2


def _in_one(steps: Sequence[Step], name: str) -> Iterator[Step]:
    """A stream's messages whole, with all that came of them later."""
    parts = [step for step in steps if step.stream == name]
    for step in steps:
        if step.stream == name and (step.request_body is not None or step.response_body is not None):
            continue
        if step.stream == name and step.request is not None:
            later = [part.request_body for part in parts if part.request_body is not None]
            yield msgspec.structs.replace(step, request=_whole(step.request, later))
        elif step.stream == name and step.response is not None:
            later = [part.response_body for part in parts if part.response_body is not None]
            yield msgspec.structs.replace(step, response=_whole(step.response, later))
        else:
            yield step


def _whole(message: _Message, later: Sequence[BodyPart]) -> _Message:
    every: list[Request | Response | BodyPart] = [message, *later]
    chunks = [piece for part in every for piece in part.chunks or ([] if part.body is None else [part.body])]
    trailers = next((part.trailers for part in every if part.trailers is not None), None)
    body, several = (chunks[0], None) if len(chunks) == 1 else (None, chunks or None)
    return msgspec.structs.replace(message, body=body, chunks=several, trailers=trailers, open=False)


def _renamed(step: Step, name: str) -> Step:
    return msgspec.structs.replace(step, stream="main") if step.stream == name else step


def _settings(settings: Any) -> Iterator[tuple[str, Any]]:
    for field in settings.__struct_fields__:
        value = getattr(settings, field)
        if value is not None:
            yield field, None
            yield from ((field, smaller) for smaller in _values(value))


def _values(value: Any) -> Iterator[Any]:
    """Smaller values of any kind."""
    if isinstance(value, Mapping):
        for kept in _without(tuple(value)):
            yield {key: value[key] for key in kept}
        for key, item in value.items():
            yield from ({**value, key: smaller} for smaller in _values(item))
    elif isinstance(value, list):
        yield from _without(value)
        for at, item in enumerate(value):
            yield from ([*value[:at], smaller, *value[at + 1 :]] for smaller in _values(item))
    elif isinstance(value, str):
        yield from _texts(value)
    elif isinstance(value, int | float) and value not in {0, 1}:
        yield from (0, 1, int(value / 2) if abs(value) < 2**63 else 0)


def _texts(text: str) -> Iterator[str]:
    yield from _without(text)
    yield "a" * len(text)


def _headers(headers: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Pseudo headers go, or stay what they may be: a path begins with a slash."""
    for kept in _without(tuple(headers)):
        yield {name: headers[name] for name in kept}
    for name, value in headers.items():
        if name == ":path":
            yield from ({**headers, name: f"/{rest}"} for rest in _texts(str(value)[1:]))
        elif not name.startswith(":"):
            yield from ({**headers, name: smaller} for smaller in _values(value) if smaller != [])


def _steps(step: Step) -> Iterator[Step]:
    if step.tick is not None and step.tick > 1:
        yield msgspec.structs.replace(step, tick=1)
    for word in _MESSAGES:
        if (message := getattr(step, word)) is not None:
            for made in _messages(message):
                yield msgspec.structs.replace(step, **{word: made})


def _messages(message: Any) -> Iterator[Any]:
    for field, plain in _FIELDS:
        if hasattr(message, field) and getattr(message, field) != plain:
            yield msgspec.structs.replace(message, **{field: plain})
    for field in ("headers", "trailers"):
        for fewer in _headers(getattr(message, field, None) or {}):
            yield msgspec.structs.replace(message, **{field: fewer})
    yield from _bodies(message)


def _bodies(message: Any) -> Iterator[Any]:
    for one, several in _BODIES:
        if hasattr(message, one):
            for made in _pieces(getattr(message, one), getattr(message, several)):
                yield msgspec.structs.replace(message, **dict(zip((one, several), made, strict=True)))


def _pieces(
    body: Content | None, chunks: list[Content] | None
) -> Iterator[tuple[Content | None, list[Content] | None]]:
    """Smaller ones: a body, or its pieces."""
    if chunks is not None:
        yield from ((None, kept or None) for kept in _without(chunks))
        yield _content(b"".join(content_bytes(piece) for piece in chunks)), None
        for at, piece in enumerate(chunks):
            for smaller in _contents(piece):
                yield None, [*chunks[:at], smaller, *chunks[at + 1 :]]
    if body is not None:
        yield from ((smaller, None) for smaller in _contents(body))


def _contents(content: Content) -> Iterator[Content]:
    data = content_bytes(content)
    yield from (_content(fewer) for fewer in _without(data))
    yield "a" * len(data)


def _content(data: bytes) -> Content:
    """As text where it is one."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Base64(base64=base64.b64encode(data).decode())
