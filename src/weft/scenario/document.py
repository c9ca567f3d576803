"""The format of a file of scenarios.

::

    plugin: {root_id: my_filter, config: {name: hello}}      # for all scenarios of the file
    parameters: {path: /ab}                                  # ${path} stands for it anywhere below
    scenarios:
      - name: adds the header to a ${status} response
        table: [{status: 200}, {status: 404}]                # one run for each row
        steps:
          - request: {headers: {":path": "${path}"}, body: hello}
            expect:
              upstream: {headers: {":path": "${path}"}, body: hello}
          - response: {status: "${status}"}
            expect:
              client: {status: "${status}", headers: {hello: world, server: {absent: true}}}

What ``expect`` says after a step is about that step's stream as it is then; calls and logs are those of the
step. After all steps a scenario's own ``expect`` sees all calls and logs.
"""

import base64
import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

__all__ = [
    "CallExpect",
    "Content",
    "Data",
    "Document",
    "Expect",
    "LogExpect",
    "Match",
    "Matcher",
    "MessageExpect",
    "Neighbor",
    "Plugin",
    "Reply",
    "ReplyExpect",
    "Request",
    "Response",
    "Scenario",
    "Setup",
    "Step",
    "content_bytes",
    "milliseconds",
]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mapping whose misspelt keys are refused."""


class Match(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a text may look; all that is named must hold."""

    exact: str | None = None
    regex: str | None = None
    """Of the whole text."""
    contains: str | None = None
    base64: str | None = None
    """These bytes, where they are no text."""
    absent: bool = False
    """There must be none."""


Scalar = str | int | float
Matcher = Scalar | Match
HeaderMatcher = Scalar | list[Scalar] | Match
"""A list names all values of a header, in order."""


class Base64(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bytes that are no text."""

    base64: str


Content = str | Base64
Headers = dict[str, Scalar | list[Scalar]]
Metadata = Annotated[dict[str, Scalar], Meta(min_length=1)]


class Plugin(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the proxy tells the filter when it starts it."""

    name: str | None = None
    root_id: str | None = None
    vm_id: str | None = None
    config: Any = None
    """An object becomes JSON; a text is passed on as it is. Without it: the default of ``weft.toml``."""
    vm_config: Any = None
    environment: dict[str, str] | None = None
    fail_open: bool | None = None


class Neighbor(Plugin, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another filter of the chain, in a VM of its own."""

    module: str | None = None
    """A file beside this one, or an image of the store; without it: this filter once more."""


class Setup(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is around the filter."""

    clock: str | None = None
    """When it starts, as ``2026-01-01T00:00:00Z``."""
    clusters: list[str] | None = None
    """Which clusters can be called; all, where nothing is said."""
    properties: dict[str, Any] | None = None
    """Dotted path → value."""
    log_level: str | None = None
    """What the proxy keeps of the filter's log: all of it, where nothing is said."""
    before: list[Neighbor] | None = None
    """Filters that a request meets before this one, and a response after it."""
    after: list[Neighbor] | None = None
    """Filters that a request meets after this one."""

    @property
    def neighbors(self) -> list[Neighbor]:
        """All other filters, in their order."""
        return [*(self.before or ()), *(self.after or ())]


class _Message(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    headers: Headers = {}
    body: Content | None = None
    chunks: list[Content] | None = None
    """The body in pieces."""
    trailers: Headers | None = None
    open: bool = False
    """Whether more will come, by ``request_body`` or ``response_body``."""


class Request(_Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request; ``:method``, ``:scheme``, ``:authority`` and ``:path`` have defaults."""


class Response(_Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the upstream answers."""

    status: Scalar = 200


class Reply(_Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What comes back from a call the filter made: the oldest that is open, or that to ``cluster``.

    A gRPC call has no body but messages; its headers and trailers are what gRPC calls metadata. It ends with
    a status, unless it stays ``open``.
    """

    cluster: str | None = None
    status: Scalar = 200
    message: Content | None = None
    """Of gRPC."""
    messages: list[Content] | None = None
    """Of gRPC, several."""
    grpc_status: Annotated[int, Meta(ge=0, le=16)] | None = None
    """How a gRPC call ends: 0, where nothing is said."""
    grpc_message: str | None = None
    """Why it ends so."""
    timeout: bool = False
    """It takes longer than the filter is willing to wait."""
    failed: bool = False
    """It breaks off without an answer."""

    @property
    def all_messages(self) -> list[Content]:
        """Of gRPC, however they are said."""
        return self.messages or ([] if self.message is None else [self.message])

    @property
    def is_grpc(self) -> bool:
        """Whether it answers nothing but gRPC."""
        said = (self.message, self.messages, self.grpc_status, self.grpc_message)
        return any(word is not None for word in said)

    @property
    def is_http(self) -> bool:
        """Whether it answers nothing but HTTP."""
        return self.body is not None or self.chunks is not None


class BodyPart(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """More of a body."""

    body: Content | None = None
    chunks: list[Content] | None = None
    trailers: Headers | None = None
    open: bool = False


class Data(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bytes of a connection."""

    data: Content | None = None
    chunks: list[Content] | None = None
    """One after the other."""
    end: bool = False
    """This side has no more to say; the other may go on."""
    reset: bool = False
    """It breaks off; a client does that by ``disconnect``."""


class MessageExpect(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What left the filter; of a connection the bytes are the body."""

    sent: bool | None = None
    """Whether anything did, or whether the connection reached the upstream."""
    status: Matcher | None = None
    headers: dict[str, HeaderMatcher] | None = None
    only_headers: dict[str, HeaderMatcher] | None = None
    """These and no others, pseudo headers included."""
    body: Matcher | None = None
    trailers: dict[str, HeaderMatcher] | None = None
    ended: bool | None = None


class ReplyExpect(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An answer in the upstream's place."""

    status: Matcher | None = None
    body: Matcher | None = None
    details: Matcher | None = None
    grpc_status: Matcher | None = None


class CallExpect(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call the filter made; a gRPC stream is told again in each step in which it goes on."""

    cluster: Matcher | None = None
    service: Matcher | None = None
    """Of gRPC, as ``envoy.service.auth.v3.Authorization``."""
    method: Matcher | None = None
    message: Matcher | None = None
    """The only message of gRPC."""
    messages: list[Matcher] | None = None
    """All messages of gRPC, in order."""
    ended: bool | None = None
    """Whether the filter said all it had to say."""
    reset: bool | None = None
    """Whether it was broken off: by the filter, or because it took too long."""
    headers: dict[str, HeaderMatcher] | None = None
    """Of gRPC: the initial metadata."""
    body: Matcher | None = None
    trailers: dict[str, HeaderMatcher] | None = None
    timeout: Matcher | None = None
    """Milliseconds."""


class LogExpect(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line of the filter's log."""

    level: str | None = None
    message: Matcher


class Expect(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What must hold; what is not named may be anything. A filter that fails is a mismatch too."""

    upstream: MessageExpect | None = None
    client: MessageExpect | None = None
    local_reply: ReplyExpect | bool | None = None
    reset: bool | None = None
    calls: list[CallExpect] | None = None
    """Exactly these, in order."""
    logs: list[str | LogExpect] | None = None
    """Each of these, among others."""
    quiet: str | None = None
    """No line of this level or above."""
    metrics: dict[str, int | list[int] | Match] | None = None
    """Counters and gauges by value, histograms by all they were given."""
    shared_data: dict[str, Matcher] | None = None
    refused: bool = False
    """The filter does not accept its configuration."""
    crash: Matcher | None = None
    """The filter fails, and this is what the proxy logs."""
    held: bool | None = None
    """Of a whole scenario: whether what came whole stays held when there is nothing to wait for any more."""
    leaks: bool | None = None
    """Of a whole scenario: whether more and more is left behind when it happens thousands of times."""


class Step(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that happens, and what must hold then."""

    stream: str = "main"
    request: Request | None = None
    request_body: BodyPart | None = None
    response: Response | None = None
    response_body: BodyPart | None = None
    request_metadata: Metadata | None = None
    """Metadata of HTTP/2 comes with a request that is open: an extension of Envoy's."""
    response_metadata: Metadata | None = None
    reply: Reply | None = None
    connect: bool = False
    """A client connects, to a filter of connections."""
    downstream_data: Data | None = None
    """The client says something."""
    upstream_data: Data | None = None
    tick: int | None = None
    """So many ticks, each when the filter's timer says."""
    advance: int | str | None = None
    """Time passes: ``500ms``, ``2s``, or milliseconds."""
    disconnect: bool = False
    """The client goes away."""
    expect: Expect | None = None

    @property
    def actions(self) -> list[str]:
        """What happens, by the format's words; a good step has at most one."""
        names = (
            *("request", "request_body", "request_metadata"),
            *("response", "response_body", "response_metadata", "reply"),
            *("downstream_data", "upstream_data", "tick", "advance"),
        )
        found = [name for name in names if getattr(self, name) is not None]
        return found + ["connect"] * self.connect + ["disconnect"] * self.disconnect

    @property
    def is_http(self) -> bool:
        """Whether it is about an HTTP stream."""
        said = (self.request, self.request_body, self.response, self.response_body)
        known = (self.request_metadata, self.response_metadata)
        return any(part is not None for part in (*said, *known))

    @property
    def is_network(self) -> bool:
        """Whether it is about a connection."""
        return self.connect or self.downstream_data is not None or self.upstream_data is not None


class Scenario(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One story."""

    name: str
    parameters: dict[str, Any] = {}
    table: list[dict[str, Any]] | None = None
    plugin: Plugin = Plugin()
    setup: Setup = Setup()
    steps: list[Step] = []
    expect: Expect | None = None


class Document(_Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file."""

    plugin: Plugin = Plugin()
    setup: Setup = Setup()
    parameters: dict[str, Any] = {}
    scenarios: list[Scenario]


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m)")
_UNITS = {"ms": 1, "s": 1000, "m": 60_000}


def milliseconds(duration: int | str) -> int | None:
    """``2s`` → 2000; ``None`` for what is no duration."""
    if isinstance(duration, int):
        return duration
    found = _DURATION.fullmatch(duration.strip())
    return round(float(found[1]) * _UNITS[found[2]]) if found else None


def content_bytes(content: Content) -> bytes:
    """The bytes that are meant. Raises ``ValueError`` for bad base64."""
    if isinstance(content, str):
        return content.encode("utf-8", "surrogateescape")
    return base64.b64decode(content.base64, validate=True)
