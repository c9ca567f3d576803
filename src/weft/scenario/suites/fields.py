"""Which fields a suite has, and how one is asked for.

The table is the format; a name that is not in it is a mistake of the suite's writer or newer than this.
"""

from collections.abc import Mapping

from weft.scenario.suites.tree import Message, Place, Scalar

__all__ = ["Part", "suite"]

# Message → field → its kind: a scalar or another message; repeated, where a star is before it.
_FORMAT: Mapping[str, Mapping[str, str]] = {
    "TestSuite": {"env": "Env", "test": "*Test"},
    "Env": {
        "wasm_path": "text",
        "config_path": "text",
        "log_level": "word",
        "log_path": "text",
        "time_secs": "number",
        "num_additional_streams": "number",
        "additional_stream_advance_rate": "number",
    },
    "Test": {
        "name": "text",
        "benchmark": "truth",
        "num_chunks": "number",
        "chunk_size": "number",
        "properties": "*Property",
        "plugin_init": "Invocation",
        "stream_init": "Invocation",
        "request_headers": "Invocation",
        "request_body": "*Invocation",
        "response_headers": "Invocation",
        "response_body": "*Invocation",
        "stream_destroy": "Invocation",
    },
    "Property": {"path": "text", "value": "text"},
    "Invocation": {"input": "Input", "result": "*Expectation"},
    "Input": {"header": "*Header", "content": "text", "file": "text"},
    "Header": {"key": "text", "value": "text"},
    "Expectation": {
        "has_header": "*Header",
        "no_header": "*Header",
        "headers": "*StringMatcher",
        "body": "*StringMatcher",
        "immediate": "Immediate",
        "log": "*StringMatcher",
    },
    "Immediate": {"http_status": "number", "grpc_status": "number", "details": "text"},
    "StringMatcher": {"invert": "truth", "exact": "text", "regex": "text", "file": "text"},
}
_TRUTH = {"true": True, "false": False}


class Part:
    """A message with the fields that its kind has."""

    def __init__(self, message: Message, kind: str) -> None:
        self.place: Place = message.place
        self._scalars: dict[str, Scalar] = {}
        self._parts: dict[str, list[Part]] = {}
        for name, value in message.fields:
            wanted = _FORMAT[kind].get(name)
            if wanted is None:
                raise value.place.wrong(f"{_called(kind)} has no field {name}", f"it has {_names(kind)}")
            inner = wanted.removeprefix("*")
            if inner == wanted and (name in self._scalars or name in self._parts):
                raise value.place.wrong(f"{name} stands twice in one {_called(kind)}")
            if inner in _FORMAT:
                if isinstance(value, Scalar):
                    raise value.place.wrong(f"{name} is a message, not {value.text!r}")
                self._parts.setdefault(name, []).append(Part(value, inner))
            else:
                self._scalars[name] = _checked(name, value, inner)

    def has(self, name: str) -> bool:
        """Whether the field is set."""
        return name in self._scalars or name in self._parts

    def text(self, name: str, default: str = "") -> str:
        """A scalar as it is written."""
        return self._scalars[name].text if name in self._scalars else default

    def number(self, name: str) -> int | None:
        """A whole number; ``None`` where nothing is said."""
        return int(self._scalars[name].text, 0) if name in self._scalars else None

    def truth(self, name: str) -> bool:
        """A truth; false where nothing is said."""
        return _TRUTH[self.text(name, "false")]

    def at(self, name: str) -> Place:
        """Where a field stands."""
        return self._scalars[name].place if name in self._scalars else self._parts[name][0].place

    def all(self, name: str) -> list["Part"]:
        """The messages of a field."""
        return self._parts.get(name, [])

    def one(self, name: str) -> "Part | None":
        """The message of a field."""
        return next(iter(self.all(name)), None)


def suite(message: Message) -> Part:
    """A whole file, every field of it checked. Raises ``UsageError`` with a line."""
    return Part(message, "TestSuite")


def _checked(name: str, value: "Scalar | Message", kind: str) -> Scalar:
    if isinstance(value, Message):
        raise value.place.wrong(f"{name} is no message")
    fits = {
        "text": value.is_text,
        "word": True,
        "truth": value.is_word and value.text in _TRUTH,
        "number": value.is_word and _is_whole(value.text),
    }[kind]
    if not fits:
        noun = {"text": "a text in quotes", "truth": "true or false", "number": "a whole number"}[kind]
        raise value.place.wrong(f"{name} must be {noun}, not {value.text!r}")
    return value


def _is_whole(text: str) -> bool:
    try:
        int(text, 0)
    except ValueError:
        return False
    return True


def _called(kind: str) -> str:
    return "a suite" if kind == "TestSuite" else kind


def _names(kind: str) -> str:
    return ", ".join(_FORMAT[kind])
