"""Bootstraps that users bring, and what ours needs to know of this machine."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from weft.base.documents import parse_document
from weft.base.files import read_limited
from weft.errors import UsageError

__all__ = ["read_bootstrap", "trusted_ca"]

# The largest static bootstraps, with certificates inline, are a few megabytes.
_MAX_BOOTSTRAP = 16 * 1024 * 1024


def read_bootstrap(word: str, read_input: Callable[[], str]) -> dict[str, Any]:
    """The document that ``--bootstrap WORD`` means: a file, or standard input for ``-``."""
    document = parse_document(_text(word, read_input), where=f"--bootstrap {word}")
    if not isinstance(document, dict):
        raise UsageError(f"--bootstrap {word} is no Envoy bootstrap: it holds no mapping")
    return document


def _text(word: str, read_input: Callable[[], str]) -> str:
    if word == "-":
        return read_input()
    try:
        data = read_limited(Path(word), _MAX_BOOTSTRAP)
    except OSError as error:
        raise UsageError(f"--bootstrap {word}: {error.strerror}") from error
    if data is None:
        raise UsageError(f"--bootstrap {word}: the file is larger than {_MAX_BOOTSTRAP} bytes")
    return data.decode(errors="replace")


def trusted_ca(env: Mapping[str, str]) -> str | None:
    """The certificates this machine trusts: ``SSL_CERT_FILE``, or where the system keeps them."""
    import ssl

    named = env.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    return named if named and Path(named).is_file() else None
