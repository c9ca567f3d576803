"""Protobuf's text format, as much of it as suites use.

https://protobuf.dev/reference/protobuf/textformat-spec: fields with and without a colon, both kinds of
braces, lists, comments, texts in pieces and with escapes. Extensions and ``Any`` are not here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from weft.scenario.suites.tree import MOST_DEEP, Message, Place, Scalar, Value

__all__ = ["read_textformat"]

_TOKEN = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<word>[A-Za-z_]\w*)
    |(?P<number>-?\s*(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][-+]?\d+)?f?))
    |(?P<sign>[{}<>\[\]:;,])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(
    rb"""\\(?:x(?P<hex>[0-9a-fA-F]{1,2})|(?P<octal>[0-7]{1,3})|u(?P<u>[0-9a-fA-F]{4})|U(?P<U>[0-9a-fA-F]{8})"""
    rb"""|(?P<one>[abfnrtv\\'"?])|(?P<bad>.))"""
)
_ONE = dict(zip(b"abfnrtv\\'\"?", b"\a\b\f\n\r\t\v\\'\"?", strict=True))
_CLOSING = {"{": "}", "<": ">"}
_LAST_CHARACTER = 0x10FFFF


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: Place


def read_textformat(text: str, file: str) -> Message:
    """The message that a file is. Raises ``UsageError`` with the line that is wrong."""
    reader = _Reader(list(_tokens(text, file)))
    return reader.message(Place(file, 1), "", 0)


def _tokens(text: str, file: str) -> Iterator[_Token]:
    at, line = 0, 1
    while at < len(text):
        found = _TOKEN.match(text, at)
        place = Place(file, line)
        if found is None:
            raise place.wrong(f"{text[at : at + 20].splitlines()[0]!r} is not text format")
        if found.lastgroup != "skip":
            yield _Token(str(found.lastgroup), found[0], place)
        at = found.end()
        line += found[0].count("\n")
    yield _Token("end", "", Place(file, line))


class _Reader:
    """Goes through the tokens once."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def message(self, place: Place, closing: str, depth: int) -> Message:
        """Fields up to the brace that closes them; up to the end where there is none."""
        if depth > MOST_DEEP:
            raise place.wrong("messages are nested too deeply")
        made = Message(place)
        while (token := self._next()).text != closing or token.kind not in {"sign", "end"}:
            if token.kind != "word":
                wanted = f"a field or {closing}" if closing else "a field"
                raise token.place.wrong(f"{token.text or 'the end'!r} stands where {wanted} should")
            made.fields.extend((token.text, value) for value in self._values(token, depth))
            self._take(",", ";")
        return made

    def _values(self, name: _Token, depth: int) -> list[Value]:
        colon = self._take(":")
        if not self._take("["):
            return [self._value(name, depth, colon=colon)]
        values: list[Value] = []
        while not self._take("]"):
            values.append(self._value(name, depth, colon=colon))
            if not self._take(","):
                self._need("]")
                break
        return values

    def _value(self, name: _Token, depth: int, *, colon: bool) -> Value:
        token = self._next()
        if token.kind == "sign" and token.text in _CLOSING:
            return self.message(token.place, _CLOSING[token.text], depth + 1)
        if not colon:
            raise name.place.wrong(f"{name.text} has no value")
        if token.kind == "text":
            return Scalar(token.place, self._text(token), is_text=True, is_word=False)
        if token.kind not in {"word", "number"}:
            raise token.place.wrong(f"{token.text or 'the end'!r} is no value of {name.text}")
        return Scalar(token.place, token.text.replace(" ", ""), is_text=False)

    def _text(self, first: _Token) -> str:
        """A text and those that follow at once."""
        parts = [_unescaped(first)]
        while self._tokens[self._at].kind == "text":
            parts.append(_unescaped(self._next()))
        return b"".join(parts).decode("utf-8", "surrogateescape")

    def _next(self) -> _Token:
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        return token

    def _take(self, *signs: str) -> bool:
        token = self._tokens[self._at]
        found = token.kind == "sign" and token.text in signs
        self._at += found
        return found

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            token = self._tokens[self._at]
            raise token.place.wrong(f"{token.text or 'the end'!r} stands where {sign} should")


def _unescaped(token: _Token) -> bytes:
    def written(found: re.Match[bytes]) -> bytes:
        if found["hex"] or found["octal"]:
            return bytes([int(found["hex"] or found["octal"], 16 if found["hex"] else 8) & 0xFF])
        if found["one"]:
            return bytes([_ONE[found["one"][0]]])
        number = int(found["u"] or found["U"] or b"0", 16)
        if found["bad"] or number > _LAST_CHARACTER:
            raise token.place.wrong(f"{found[0].decode(errors='replace')} is no escape")
        return chr(number).encode("utf-8", "surrogatepass")

    return _ESCAPE.sub(written, token.text[1:-1].encode("utf-8", "surrogateescape"))
