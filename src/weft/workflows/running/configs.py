"""The configuration a filter is given: where it comes from, and whether the filter's schema allows it.

What the user wrote reaches the filter byte for byte; it is parsed only to be checked.
"""

import json
import textwrap
from pathlib import Path
from typing import Any

from weft.base.files import read_limited
from weft.errors import UsageError

__all__ = ["check_config", "read_config"]

# Envoy hands it to the filter in one piece; more than this is data, not configuration.
_MAX_CONFIG = 4 * 1024 * 1024
# A complaint quotes what is wrong, however large that is.
_MAX_PROBLEM = 400


def read_config(word: str) -> str:
    """The text that ``--config WORD`` means: ``@file`` is read, everything else stands for itself."""
    if not word.startswith("@"):
        return word
    path = Path(word[1:])
    try:
        data = read_limited(path, _MAX_CONFIG)
    except OSError as error:
        raise UsageError(f"--config {word}: {error.strerror}") from error
    if data is None:
        raise UsageError(f"--config {word}: the file is larger than {_MAX_CONFIG} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"--config {word}: not UTF-8 text") from error


def check_config(config: Any, schema: Any, *, where: str) -> None:
    """Raise ``UsageError`` with the JSON path where ``config`` (text, or plain data) breaks ``schema``."""
    import jsonschema
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    kind = jsonschema.validators.validator_for(schema)
    try:
        kind.check_schema(schema)
        # An empty registry: a schema must not make us fetch anything.
        checker = kind(schema, registry=Registry())
        if isinstance(config, str):
            if checker.is_valid(config):
                return  # a filter that takes plain text
            config = _parsed(config, where)
        wrong = jsonschema.exceptions.best_match(checker.iter_errors(config))
    except jsonschema.SchemaError as error:
        raise UsageError(f"the filter's own schema is wrong at {error.json_path}: {error.message}") from error
    except RecursionError as error:
        raise UsageError(f"{where} is nested too deeply") from error
    except Unresolvable as error:
        raise UsageError(f"the filter's own schema refers to {error.ref!r}, which is not in it") from error
    if wrong is not None:
        place = wrong.json_path.removeprefix("$").removeprefix(".")
        problem = textwrap.shorten(wrong.message, _MAX_PROBLEM, placeholder=" ...")
        raise UsageError(f"{where}: {place}: {problem}" if place else f"{where}: {problem}")


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(
            f"{where} is not valid JSON: {error}", hint="quote it for the shell: '{...}'"
        ) from error
