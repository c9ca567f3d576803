"""What a suite feeds a filter: headers as a list or as HTTP/1 text, bodies whole or in chunks."""

import re

from weft.scenario.suites.fields import Part
from weft.scenario.suites.patterns import Read

__all__ = ["Headers", "chunks", "headers"]

Headers = dict[str, list[str]]

_REQUEST = re.compile(r"(\S+) (\S+) HTTP/\S+")
_RESPONSE = re.compile(r"HTTP/\S+ (\d{3})(?: .*)?")


def headers(given: Part | None, read: Read) -> Headers:
    """Name in lower case → values, pseudo headers among them."""
    if given is None:
        return {}
    _only_one(given, ("header", "content", "file"))
    found: Headers = {}
    if given.has("header"):
        for header in given.all("header"):
            found.setdefault(header.text("key").lower(), []).append(header.text("value"))
        return found
    text = _text(given, read).decode("utf-8", "surrogateescape")
    first, *lines = text.replace("\r", "").partition("\n\n")[0].splitlines() or [""]
    if request := _REQUEST.fullmatch(first):
        found = {":method": [request[1]], ":path": [request[2]]}
    elif response := _RESPONSE.fullmatch(first):
        found = {":status": [response[1]]}
    else:
        raise given.place.wrong(f"{first!r} does not begin a message of HTTP/1")
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise given.place.wrong(f"{line!r} is no header")
        name = name.strip().lower()
        found.setdefault(":authority" if name == "host" else name, []).append(value.strip())
    return found


def chunks(given: Part | None, test: Part, read: Read) -> list[str]:
    """A body in as many pieces as the test says; one where it says nothing, none for nothing."""
    if given is None:
        return []
    if given.has("header"):
        raise given.at("header").wrong("a body has no headers")
    _only_one(given, ("content", "file"))
    body = _text(given, read)
    if test.has("num_chunks") and test.has("chunk_size"):
        raise test.at("chunk_size").wrong("num_chunks is there already")
    size = test.number("chunk_size") or len(body)
    if count := test.number("num_chunks"):
        size = -(-len(body) // max(count, 1))
    size = max(size, 1)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return [piece.decode("utf-8", "surrogateescape") for piece in pieces]


def _text(given: Part, read: Read) -> bytes:
    if given.has("file"):
        return read(given.text("file"), given.at("file"))
    return given.text("content").encode("utf-8", "surrogateescape")


def _only_one(given: Part, names: tuple[str, ...]) -> None:
    there = [name for name in names if given.has(name)]
    if len(there) > 1:
        raise given.at(there[1]).wrong(f"{there[0]} is there already")
