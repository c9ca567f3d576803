"""What generated scenarios speak of: what a project's own scenarios name, beside what is odd anywhere.

The rules: only what a proxy lets through to a filter. A path has no fragment, a header no control character
and no blank around it; a message has no length of its own, for its body will be another one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from weft.scenario import (
    BodyPart,
    Case,
    Content,
    Data,
    Reply,
    Request,
    Response,
    Setup,
    Step,
    header_pairs,
)

__all__ = ["HEADERS", "PATHS", "VALUES", "Vocabulary", "learn"]

PATHS = (
    *("/", "/a", "/a/b/c", "/a/../b", "/./a", "//a", "/a%20b", "/%2e%2e/a", "/%", "/%zz", "/a?b=c", "/?"),
    *("/a?b=c&b=d", "/é", "/a;b=c", "/.well-known/x", "/A", '/"', "/a\\b", "/[", "/a+b*"),
    *("/" + "a" * 300, "/" + "a/" * 2000),
)
VALUES = (
    *("", "0", "1", "-1", "00", "0x10", "18446744073709551616", "1e309", "NaN", "true", "null", "a", "A"),
    *("a,b", "a, b", ",", ";", "=", "a=b; c=d", '"', '"a', "{}", "[1", "é", "日本語", "😀", "%00", "%", "\\"),
    *("../../etc/passwd", "*", "a\tb", "a" * 8, "a" * 255, "a" * 4096, "a" * 16_000),
    *("Bearer x", "Bearer", "Basic dTpw", "Basic !", "gzip;q=0", "Thu, 01 Jan 1970 00:00:00 GMT"),
    *("application/json", "application/grpc", "text/html; charset="),
)
HEADERS = (
    *("accept", "accept-encoding", "authorization", "cache-control", "content-encoding", "content-type"),
    *("cookie", "etag", "if-none-match", "location", "origin", "range", "server", "set-cookie"),
    *("traceparent", "user-agent", "vary", "x", "x-a", "x-b3-traceid", "x-forwarded-for", "x-request-id"),
    *("x_y", "x-" + "n" * 200),
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What there is to say about one project."""

    stories: tuple[Case, ...] = ()
    """Its own scenarios, without what they expect."""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    bodies: tuple[Content, ...] = ()
    schema: Any = None
    """JSON Schema of the configuration."""
    calls: bool = True
    """Whether the filter calls other servers by HTTP."""
    grpc: bool = False
    """Whether it does by gRPC."""
    clusters: tuple[str, ...] = ()
    """Servers that it calls."""
    ticks: bool = True
    """Whether it has a timer that can be waited for."""
    portable: bool = False
    """Whether everything must be possible on a real Envoy, too."""

    @property
    def network(self) -> bool:
        """Whether it is a filter of connections."""
        return any(story.is_network for story in self.stories)


def learn(
    cases: Iterable[Case],
    *,
    schema: Any = None,
    calls: bool = True,
    grpc: bool = False,
    ticks: bool = True,
    portable: bool = False,
) -> Vocabulary:
    """What the cases name."""
    cases = list(cases)
    stories = tuple(_bare(case, portable=portable) for case in cases)
    headers: dict[str, dict[str, None]] = {}
    bodies: list[Content] = []
    for message in (message for case in stories for step in case.steps for message in _messages(step)):
        trailers = getattr(message, "trailers", None) or {}
        for name, value in header_pairs({**getattr(message, "headers", {}), **trailers}):
            headers.setdefault(name, {})[value] = None
        bodies += _contents(message)
    return Vocabulary(
        stories=stories,
        headers={name: tuple(values) for name, values in headers.items() if name[:1] != ":"},
        paths=tuple(headers.get(":path", ())),
        bodies=tuple(bodies),
        schema=schema,
        calls=calls,
        grpc=grpc,
        clusters=tuple(dict.fromkeys(_clusters(cases))),
        ticks=ticks and not portable,
        portable=portable,
    )


def _messages(step: Step) -> Iterator[Request | Response | Reply | BodyPart | Data]:
    http = (step.request, step.request_body, step.response, step.response_body, step.reply)
    for message in (*http, step.downstream_data, step.upstream_data):
        if message is not None:
            yield message


def _contents(message: Request | Response | Reply | BodyPart | Data) -> list[Content]:
    single = message.data if isinstance(message, Data) else message.body
    several = message.all_messages if isinstance(message, Reply) else []
    return [*([] if single is None else [single]), *(message.chunks or ()), *several]


def _clusters(cases: Iterable[Case]) -> Iterator[str]:
    for case in cases:
        yield from case.setup.clusters or ()
        for step in case.steps:
            if step.reply is not None and step.reply.cluster is not None:
                yield step.reply.cluster
            calls = step.expect.calls or () if step.expect is not None else ()
            yield from (call.cluster for call in calls if isinstance(call.cluster, str))


def _bare(case: Case, *, portable: bool) -> Case:
    steps = [msgspec.structs.replace(step, expect=None) for step in case.steps]
    steps = [step for step in steps if step.actions]
    setup = case.setup
    if portable:
        setup = Setup(clusters=setup.clusters, before=setup.before, after=setup.after)
        steps = [step for step in steps if step.tick is None and step.advance is None]
    return replace(case, steps=tuple(steps), setup=setup, expect=None)
