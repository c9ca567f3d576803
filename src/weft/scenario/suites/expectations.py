"""What a suite expects of a phase, as a scenario expects it."""

from collections.abc import Sequence

from weft.scenario.document import Expect, HeaderMatcher, LogExpect, Match, MessageExpect, ReplyExpect
from weft.scenario.suites.fields import Part
from weft.scenario.suites.inputs import Headers
from weft.scenario.suites.patterns import Read, match

__all__ = ["expected", "logged"]


def expected(
    results: Sequence[Part],
    side: str,
    read: Read,
    *,
    given: Headers | None = None,
    before: str | None = "",
    of_body: bool = False,
) -> Expect | None:
    """All results of a phase at once; ``None`` where there is none.

    ``side`` is where its message goes, ``given`` the headers it was fed, ``before`` the body that left
    earlier, ``None`` for one that is not known.
    """
    if not results:
        return None
    reply = next((part for result in results for part in result.all("immediate")), None)
    if reply is not None:
        side, given, before = "client", None, ""
    bodies = [matcher for result in results for matcher in result.all("body")]
    if bodies and reply is None and not of_body:
        hint = "expect it in the phase of the body, or with an immediate response"
        raise bodies[0].place.wrong("headers have no body", hint)
    body = match(bodies, read, before) if bodies else None
    message = MessageExpect(headers=_header_matchers(results, given or {}) or None, body=body)
    said = None if message == MessageExpect() else message
    return Expect(
        upstream=said if side == "upstream" else None,
        client=said if side == "client" else None,
        local_reply=_reply(reply) if reply else None,
        logs=logged(results, read) or None,
    )


def logged(results: Sequence[Part], read: Read) -> list[str | LogExpect]:
    """The lines of the log that results expect."""
    found: list[str | LogExpect] = []
    for matcher in (part for result in results for part in result.all("log")):
        if matcher.truth("invert"):
            raise matcher.at("invert").wrong("that a line is not logged cannot be translated")
        found.append(LogExpect(message=match([matcher], read)))
    return found


def _header_matchers(results: Sequence[Part], given: Headers) -> dict[str, HeaderMatcher]:
    wanted: dict[str, list[str]] = {}
    found: dict[str, HeaderMatcher] = {}
    for result in results:
        if result.has("headers"):
            what = "headers as one text cannot be translated: their form and order are the tester's own"
            raise result.at("headers").wrong(what, "expect each with has_header")
        for header in result.all("has_header"):
            values = wanted.setdefault(header.text("key").lower(), [])
            if header.has("value") and header.text("value") not in values:
                values.append(header.text("value"))
        for header in result.all("no_header"):
            if header.has("value"):
                raise header.at("value").wrong("a no_header with a value cannot be translated")
            found[header.text("key").lower()] = Match(absent=True)
    return found | {name: _values(values, given.get(name, [])) for name, values in wanted.items()}


def _values(wanted: Sequence[str], given: Sequence[str]) -> HeaderMatcher:
    """Values of a header. The tester joins those of one name, so one text may mean all that were fed."""
    if not wanted:
        return Match()
    if len(wanted) > 1:
        return list(wanted)
    return list(given) if len(given) > 1 and ", ".join(given) == wanted[0] else wanted[0]


def _reply(part: Part) -> ReplyExpect:
    status, grpc_status = part.number("http_status"), part.number("grpc_status")
    return ReplyExpect(
        status=status,
        grpc_status=None if grpc_status is None or grpc_status < 0 else grpc_status,
        details="_".join(part.text("details").split()) if part.has("details") else None,
    )
