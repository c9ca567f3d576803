"""From a suite to scenarios: a test is one stream through a filter.

The rules:

* a phase of a test is a step; what must have come before it and is not in the test comes with defaults;
* headers that a body follows are looked at when all of it went in: a filter may hold them until then;
* where an immediate response is expected, all else of that result is about the response;
* ``plugin_init`` and ``stream_destroy`` expect lines of the log, which are looked for at the end;
* of ``env``, ``config_path`` and ``time_secs`` count; the rest is about the tester, not about the filter.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from weft.scenario.cases import Case
from weft.scenario.document import (
    Base64,
    BodyPart,
    Expect,
    LogExpect,
    MessageExpect,
    Plugin,
    Request,
    Response,
    Setup,
    Step,
)
from weft.scenario.suites.expectations import expected, logged
from weft.scenario.suites.fields import Part, suite
from weft.scenario.suites.inputs import Headers, chunks, headers
from weft.scenario.suites.patterns import Read, exact_text
from weft.scenario.suites.textformat import read_textformat
from weft.scenario.suites.yamlform import read_yaml

__all__ = ["is_suite", "parse_suite"]

_SUITE = re.compile(r"^(?:test|env)\s*:", re.MULTILINE)
_STREAM = ("stream_init", "request_headers", "request_body", "stream_destroy")
_SCENARIOS = re.compile(r"^scenarios\s*:", re.MULTILINE)


def is_suite(text: str) -> bool:
    """Whether a YAML file is a suite and not scenarios."""
    return _SUITE.search(text) is not None and _SCENARIOS.search(text) is None


def parse_suite(text: str, *, where: str, yaml: bool, read: Read) -> list[Case]:
    """A case for each test; ``read`` gives the files that the suite names.

    Raises ``UsageError`` with the line of what is wrong or has no counterpart.
    """
    message = read_yaml(text, where) if yaml else read_textformat(text, where)
    if message is None:
        return []
    whole = suite(message)
    env = whole.one("env")
    plugin, setup = _plugin(env, read), _setup(env)
    return [
        _Test(test, read).case(number, plugin, setup, where)
        for number, test in enumerate(whole.all("test"), 1)
    ]


def _plugin(env: Part | None, read: Read) -> Plugin:
    if env is None or not env.has("config_path"):
        return Plugin()
    place = env.at("config_path")
    try:
        return Plugin(config=read(env.text("config_path"), place).decode())
    except UnicodeDecodeError as error:
        raise place.wrong("the configuration is no text") from error


def _setup(env: Part | None) -> Setup:
    seconds = env.number("time_secs") if env else None
    if env is None or seconds is None:
        return Setup()
    try:
        return Setup(clock=datetime.fromtimestamp(seconds, UTC).isoformat())
    except (OverflowError, ValueError, OSError) as error:
        raise env.at("time_secs").wrong(f"{seconds} is no moment") from error


class _Test:
    """One test on its way to a case."""

    def __init__(self, test: Part, read: Read) -> None:
        self._test = test
        self._read = read

    def case(self, number: int, plugin: Plugin, setup: Setup, where: str) -> Case:
        """The whole of it."""
        test = self._test
        known = {part.text("path").replace("\0", "."): part.text("value") for part in test.all("properties")}
        setup = msgspec.structs.replace(setup, properties=known) if known else setup
        last = [*self._only_logs("plugin_init"), *self._only_logs("stream_destroy")]
        return Case(
            test.text("name") or f"test {number}",
            plugin,
            setup,
            tuple(self._steps()),
            Expect(logs=last) if last else None,
            where,
        )

    def _steps(self) -> list[Step]:
        test = self._test
        answered = test.has("response_headers") or test.has("response_body")
        if not (answered or any(test.has(name) for name in _STREAM)):
            return []
        steps = self._request() + (self._response() if answered else [])
        early = self._only_logs("stream_init")
        if early:
            steps[0] = _more_logs(steps[0], early)
        if test.has("stream_destroy") and not answered:
            steps.append(Step(disconnect=True))
        return steps

    def _request(self) -> list[Step]:
        head, bodies = self._test.one("request_headers"), self._test.all("request_body")
        given = headers(head.one("input") if head else None, self._read)
        if head is None and bodies:
            given = {":method": ["POST"]}
        expect = expected(_results(head), "upstream", self._read, given=given)
        request = Request(headers=_values(given), open=bool(bodies))
        parts = self._body(bodies, "upstream")
        return _held(
            [
                Step(request=request, expect=expect),
                *(Step(request_body=part, expect=wanted) for part, wanted in parts),
            ]
        )

    def _response(self) -> list[Step]:
        head, bodies = self._test.one("response_headers"), self._test.all("response_body")
        given = headers(head.one("input") if head else None, self._read)
        expect = expected(_results(head), "client", self._read, given=given)
        status = given.pop(":status", ["200"])[-1]
        response = Response(status=status, headers=_values(given), open=bool(bodies))
        parts = self._body(bodies, "client")
        return _held(
            [
                Step(response=response, expect=expect),
                *(Step(response_body=part, expect=wanted) for part, wanted in parts),
            ]
        )

    def _body(self, phases: Sequence[Part], side: str) -> Iterable[tuple[BodyPart, Expect | None]]:
        before: str | None = ""
        for phase in phases:
            pieces: list[str | Base64] = list(chunks(phase.one("input"), self._test, self._read))
            part = BodyPart(chunks=pieces, open=phase is not phases[-1])
            yield part, expected(_results(phase), side, self._read, before=before, of_body=True)
            matchers = [matcher for result in phase.all("result") for matcher in result.all("body")]
            own = exact_text(matchers, self._read)
            before = None if before is None or own is None else before + own

    def _only_logs(self, phase: str) -> list[str | LogExpect]:
        part = self._test.one(phase)
        if part is None:
            return []
        if part.has("input"):
            raise part.at("input").wrong(f"{phase} has no input")
        for name in ("has_header", "no_header", "headers", "body", "immediate"):
            for result in part.all("result"):
                if result.has(name):
                    raise result.at(name).wrong(f"{phase} can expect lines of the log only")
        return logged(part.all("result"), self._read)


def _results(phase: Part | None) -> list[Part]:
    return phase.all("result") if phase else []


def _values(given: Headers) -> dict[str, str | int | float | list[str | int | float]]:
    return {name: values[0] if len(values) == 1 else list(values) for name, values in given.items()}


def _held(steps: list[Step]) -> list[Step]:
    """Headers of a message with a body are looked at when all of it went in, unless it is answered."""
    head = steps[0].expect
    if len(steps) == 1 or head is None or any(_is_answered(step) for step in steps):
        return steps
    for side in ("upstream", "client"):
        message = getattr(head, side)
        if message is not None:
            last = steps[-1].expect or Expect()
            old = getattr(last, side) or MessageExpect()
            names = {**(message.headers or {}), **(old.headers or {})}
            both = msgspec.structs.replace(last, **{side: msgspec.structs.replace(old, headers=names)})
            steps[0] = msgspec.structs.replace(steps[0], expect=msgspec.structs.replace(head, **{side: None}))
            steps[-1] = msgspec.structs.replace(steps[-1], expect=both)
    return steps


def _is_answered(step: Step) -> bool:
    return step.expect is not None and step.expect.local_reply is not None


def _more_logs(step: Step, logs: list[str | LogExpect]) -> Step:
    expect = step.expect or Expect()
    more = msgspec.structs.replace(expect, logs=[*(expect.logs or ()), *logs])
    return msgspec.structs.replace(step, expect=more)
