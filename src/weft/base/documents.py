"""YAML and JSON documents of users, read and written the way Envoy reads them.

Envoy's YAML differs from Python's in the corners: there a date, ``12:30:45`` and ``1_000`` are text, ``y``
and ``1e3`` are not. So what is read here is what Envoy would read, and what is written here is quoted where
Envoy needs it.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from weft.base.located import Located
from weft.base.yaml_reading import careful, check_size
from weft.errors import UsageError

__all__ = ["as_yaml", "parse_document", "parse_documents"]

_TAG = "tag:yaml.org,2002:"
_DIGITS = "-+.0123456789"
_INTEGER = re.compile(r"[-+]?(?:0x[0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$")
_DIGITS_ONLY = re.compile(r"[-+]?[0-9]+$")  # 09 is text to one reader and a number to the other
_ONE_LETTER = re.compile(r"[yYnN]$")
# What Python's reader takes for something else than text and Envoy's does not.
_GUESSES = {_TAG + kind for kind in ("int", "float", "timestamp", "value")}


def parse_document(text: str, *, where: str) -> Any:
    """The plain data in a JSON or YAML document; raises ``UsageError`` with the place that is wrong."""
    import yaml

    if text.lstrip().startswith(("{", "[")):
        try:
            return json.loads(text)
        except (json.JSONDecodeError, RecursionError):
            pass  # YAML has braces too, and its reader names the place better
    with _complaints(where):
        check_size(text)
        return yaml.load(text, _reader())  # noqa: S506 - a SafeLoader that guesses less


def parse_documents(text: str, *, where: str) -> list[Located]:
    """The documents in ``text``, JSON or YAML, without the empty ones; raises as ``parse_document`` does."""
    found = []
    with _complaints(where):
        check_size(text)
        loader = _reader()(text)
        try:
            while loader.check_node():
                node = loader.get_node()
                value = loader.construct_document(node)
                if value is not None:
                    found.append(Located(value, where, node))
        finally:
            loader.dispose()
    return found


@contextmanager
def _complaints(where: str) -> Iterator[None]:
    import yaml

    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageError(f"{where}{place}: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{where}: {str(error).splitlines()[0]}") from error


def as_yaml(value: Any) -> str:
    """``value`` as YAML, in its own order and without anchors; in ASCII, since readers disagree on U+0085."""
    import yaml

    return yaml.dump(value, Dumper=_writer(), sort_keys=False, width=100)


@cache
def _reader() -> Any:
    import yaml

    class Reader(careful()):  # type: ignore[misc]
        yaml_implicit_resolvers = {  # noqa: RUF012 - yaml's own way
            first: [(tag, form) for tag, form in forms if tag not in _GUESSES]
            for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    _add_numbers(Reader)
    return Reader


@cache
def _writer() -> Any:
    import yaml

    class Writer(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    Writer.add_implicit_resolver(_TAG + "bool", _ONE_LETTER, list("yYnN"))
    Writer.add_implicit_resolver(_TAG + "int", _DIGITS_ONLY, list(_DIGITS))
    _add_numbers(Writer)
    return Writer


def _add_numbers(resolver: Any) -> None:
    resolver.add_implicit_resolver(_TAG + "int", _INTEGER, list(_DIGITS))
    resolver.add_implicit_resolver(_TAG + "float", _FLOAT, list(_DIGITS))
