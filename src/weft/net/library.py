"""aiohttp, imported without reading the system's authorities.

It makes its two default TLS contexts while it is imported, and each reads them all: 45 ms together, a quarter
of the import, and weft gives every request a context of its own (``Trust.context``). Here a default context
reads them when it is used first, so that nobody else in this process sees a difference.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["aiohttp", "authorities_later"]


@contextmanager
def authorities_later() -> Iterator[None]:
    """Contexts that are made in the block read the system's authorities when a connection needs them."""

    def note(context: ssl.SSLContext) -> None:
        def wrap_bio(*words: Any, **named: Any) -> ssl.SSLObject:
            del context.__dict__["wrap_bio"]
            context.set_default_verify_paths()
            return context.wrap_bio(*words, **named)

        context.__dict__["wrap_bio"] = wrap_bio

    ssl.SSLContext.set_default_verify_paths = note  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        del ssl.SSLContext.set_default_verify_paths  # what it hid is inherited


with authorities_later():
    import aiohttp
