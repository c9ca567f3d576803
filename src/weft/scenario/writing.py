"""From cases back to the text of a file; ``parse`` gives the same cases again."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from weft.scenario.cases import Case

__all__ = ["text_of"]

_PARAMETER = re.compile(r"\$(?=\{\w+\})")
_DOLLAR = "dollar"


def text_of(cases: Iterable[Case]) -> str:
    """YAML that says what the cases say, and nothing that goes without saying."""
    import yaml

    scenarios = [_scenario(case) for case in cases]
    document: dict[str, Any] = {"scenarios": scenarios}
    escaped = _escaped(document)
    if escaped != document:
        escaped = {"parameters": {_DOLLAR: "$"}, **escaped}
    # An alias would be right, and hard to read.
    return str(yaml.dump(escaped, Dumper=_dumper(), sort_keys=False, width=100))


def _scenario(case: Case) -> dict[str, Any]:
    said: dict[str, Any] = {"name": case.name}
    for word, part in (("plugin", case.plugin), ("setup", case.setup)):
        if plain := _plain(part):
            said[word] = plain
    said["steps"] = [_plain(step) for step in case.steps]
    if case.expect is not None:
        said["expect"] = _plain(case.expect)
    return said


def _plain(value: Any) -> Any:
    """Mappings, lists and scalars, without what is as it would be anyway."""
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(value)
        held = [(field, getattr(value, field.name)) for field in fields]
        return {field.name: _plain(item) for field, item in held if item != _default(field)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default


def _escaped(value: Any) -> Any:
    """``${name}`` as a text that the reader makes ``${name}`` of."""
    if isinstance(value, Mapping):
        return {_escaped(key): _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return _PARAMETER.sub(f"${{{_DOLLAR}}}", value) if isinstance(value, str) else value


def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    return Dumper
