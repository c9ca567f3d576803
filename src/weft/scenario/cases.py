"""From a file's text to what is run: parameters filled in, tables unrolled, settings merged."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import msgspec

from weft.base.suggestions import near_key
from weft.base.yaml_reading import careful, check_size
from weft.errors import UsageError
from weft.scenario.document import (
    Document,
    Expect,
    Plugin,
    Reply,
    Scenario,
    Setup,
    Step,
    content_bytes,
    milliseconds,
)

__all__ = ["Case", "parse", "schema"]

_PARAMETER = re.compile(r"\$\{(\w+)\}")
_Settings = TypeVar("_Settings", Plugin, Setup)
_LEVELS = ("trace", "debug", "info", "warn", "error", "critical")


@dataclass(frozen=True, slots=True)
class Case:
    """One run of one scenario."""

    name: str
    plugin: Plugin
    setup: Setup
    steps: tuple[Step, ...]
    expect: Expect | None
    where: str
    """The file."""

    @property
    def is_network(self) -> bool:
        """Whether the filter is one of connections."""
        return any(step.is_network for step in self.steps)


def parse(text: str, *, where: str) -> list[Case]:
    """All runs of a file, in order. Raises ``UsageError`` with the place that is wrong."""
    data = _load(text, where)
    if not isinstance(data, Mapping) or not isinstance(data.get("scenarios"), list):
        raise UsageError(
            f"{where}: no list of scenarios", hint="a file of scenarios starts with `scenarios:`"
        )
    common = data.get("parameters") or {}
    unrolled = [row for entry in data["scenarios"] for row in _unroll(entry, common, where)]
    filled = {**data, "scenarios": unrolled}
    for part in ("plugin", "setup"):
        if part in data:
            filled[part] = _fill(data[part], common, f"{where}: {part}")
    try:
        document = msgspec.convert(filled, Document)
    except msgspec.ValidationError as error:
        said = _named(str(error), unrolled)
        raise UsageError(f"{where}: {said}", hint=near_key(error, Document)) from error
    cases = [_case(document, scenario, where) for scenario in document.scenarios]
    for case in cases:
        _check(case)
    return cases


def schema() -> dict[str, Any]:
    """The JSON Schema of the format, for editors; ``${name}`` may stand for any value."""
    made = msgspec.json.schema(Document)
    parts = made["$defs"]
    for part in parts.values():
        for name, value in part.get("properties", {}).items():
            part["properties"][name] = {"anyOf": [value, {"$ref": "#/$defs/Parameter"}]}
    parts["Parameter"] = {"type": "string", "pattern": r"^\$\{\w+\}$"}
    return made


def _load(text: str, where: str) -> Any:
    import yaml

    try:
        check_size(text)
        return yaml.load(text, Loader=_loader())  # noqa: S506 - it is a safe one
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise UsageError(f"{where}{line}: not valid YAML: {getattr(error, 'problem', error)}") from error


@cache
def _loader() -> Any:
    """YAML as read everywhere, except that 2026-01-01 is a text, as it is in a header."""

    class Loader(careful()):  # type: ignore[misc]
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in Loader.yaml_implicit_resolvers.items()
    }
    return Loader


def _unroll(entry: Any, common: Mapping[str, Any], where: str) -> list[Any]:
    """One entry for each row of its table, with all parameters filled in."""
    if not isinstance(entry, Mapping):
        return [entry]
    rows = entry.get("table") or [{}]
    rest = {key: value for key, value in entry.items() if key not in {"table", "parameters"}}
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise UsageError(f"{where}: {entry.get('name')}: a table is a list of mappings")
    own = entry.get("parameters") or {}
    made = []
    for number, row in enumerate(rows, 1):
        filled = _fill(rest, {**common, **own, **row}, f"{where}: {entry.get('name')}")
        if entry.get("table") and filled.get("name") == entry.get("name"):
            filled["name"] = f"{filled['name']} [{row.get('name', number)}]"
        made.append(filled)
    return made


def _fill(value: Any, parameters: Mapping[str, Any], where: str) -> Any:
    """``value`` with each ``${name}`` replaced; a text that is nothing else becomes the parameter itself."""
    if isinstance(value, Mapping):
        return {_fill(key, parameters, where): _fill(item, parameters, where) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, parameters, where) for item in value]
    if not isinstance(value, str) or "${" not in value:
        return value

    def known(name: str) -> Any:
        if name not in parameters:
            raise UsageError(f"{where}: no parameter {name}")
        return parameters[name]

    whole = _PARAMETER.fullmatch(value)
    if whole:
        return known(whole[1])
    return _PARAMETER.sub(lambda found: str(known(found[1])), value)


def _named(message: str, scenarios: list[Any]) -> str:
    """A mistake's place with the scenario's name instead of its number."""
    found = re.search(r"`\$\.scenarios\[(\d+)\]([^`]*)`", message)
    if found is None or not isinstance(scenarios[int(found[1])], Mapping):
        return message
    name = scenarios[int(found[1])].get("name", found[1])
    return message[: found.start()].removesuffix(" - at ") + f" at {name}{found[2]}"


def _case(document: Document, scenario: Scenario, where: str) -> Case:
    return Case(
        scenario.name,
        _merged(document.plugin, scenario.plugin),
        _merged(document.setup, scenario.setup),
        tuple(scenario.steps),
        scenario.expect,
        where,
    )


def _merged(low: _Settings, high: _Settings) -> _Settings:
    named = {name: value for name in high.__struct_fields__ if (value := getattr(high, name)) is not None}
    return msgspec.structs.replace(low, **named)


def _check(case: Case) -> None:
    """What types cannot say."""
    _check_network(case)
    for number, step in enumerate(case.steps, 1):
        place = f"{case.where}: {case.name}: step {number}"
        actions = step.actions
        if len(actions) > 1:
            raise UsageError(
                f"{place} does several things: {', '.join(actions)}", hint="one step, one action"
            )
        if not actions and step.expect is None:
            raise UsageError(f"{place} does nothing and expects nothing")
        if step.advance is not None and milliseconds(step.advance) is None:
            raise UsageError(f"{place}: {step.advance!r} is no duration", hint="write 500ms or 2s")
        _check_contents(step, place)
        _check_patterns(msgspec.to_builtins(step.expect), place)
        _check_level(step.expect, place)
        _check_ending(step.expect, place)
    _check_patterns(msgspec.to_builtins(case.expect), f"{case.where}: {case.name}")
    _check_level(case.expect, f"{case.where}: {case.name}")


def _check_network(case: Case) -> None:
    """A filter is of HTTP or of connections."""
    if not case.is_network:
        return
    if any(step.is_http for step in case.steps):
        raise UsageError(f"{case.where}: {case.name} is about HTTP and about connections")
    if case.setup.neighbors:
        raise UsageError(f"{case.where}: {case.name}: a chain is of HTTP filters")
    for number, step in enumerate(case.steps, 1):
        if step.downstream_data is not None and step.downstream_data.reset:
            raise UsageError(
                f"{case.where}: {case.name}: step {number}: a client does not reset", hint="say disconnect"
            )


def _check_reply(reply: Reply, place: str) -> None:
    """A gRPC call has one of two endings, and messages in place of a body."""
    if reply.message is not None and reply.messages is not None:
        raise UsageError(f"{place} has both message and messages")
    if reply.is_grpc and reply.is_http:
        raise UsageError(f"{place} has a body and speaks gRPC", hint="gRPC has message or messages")
    if reply.is_grpc and str(reply.status) != "200":
        raise UsageError(f"{place} has both status and gRPC", hint="how gRPC ends is grpc_status")
    if reply.open and (reply.grpc_status is not None or reply.grpc_message is not None or reply.trailers):
        raise UsageError(f"{place} stays open and ends")


def _check_contents(step: Step, place: str) -> None:
    message = step.request or step.request_body or step.response or step.response_body or step.reply
    said = step.downstream_data or step.upstream_data
    body, chunks = (message.body, message.chunks) if message else (None, None)
    body, chunks = (said.data, said.chunks) if said else (body, chunks)
    if body is not None and chunks is not None:
        raise UsageError(f"{place} has both {'data' if said else 'body'} and chunks")
    contents = chunks or ([body] if body is not None else [])
    if step.reply is not None:
        _check_reply(step.reply, place)
        contents = contents or step.reply.all_messages
    for content in contents:
        try:
            content_bytes(content)
        except ValueError as error:
            raise UsageError(f"{place}: not base64: {error}") from error


def _check_patterns(value: Any, place: str) -> None:
    if isinstance(value, Mapping):
        if isinstance(value.get("regex"), str):
            try:
                re.compile(value["regex"])
            except re.error as error:
                raise UsageError(f"{place}: {value['regex']!r} is no regular expression: {error}") from error
        if isinstance(value.get("base64"), str):
            try:
                b64decode(value["base64"], validate=True)
            except ValueError as error:
                raise UsageError(f"{place}: not base64: {error}") from error
        for item in value.values():
            _check_patterns(item, place)
    elif isinstance(value, list):
        for item in value:
            _check_patterns(item, place)


def _check_ending(expect: Expect | None, place: str) -> None:
    for word in ("held", "leaks"):
        if expect is not None and getattr(expect, word) is not None:
            raise UsageError(
                f"{place}: {word} is of a whole scenario", hint="put it into the scenario's own expect"
            )


def _check_level(expect: Expect | None, place: str) -> None:
    if expect is not None and expect.quiet is not None and expect.quiet not in _LEVELS:
        raise UsageError(f"{place}: no log level {expect.quiet}", hint=f"one of {', '.join(_LEVELS)}")
