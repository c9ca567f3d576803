"""Two proxies are compared in all they showed, whatever a scenario expects."""

from dataclasses import replace

import pytest

from weft.scenario import (
    Mismatch,
    Observed,
    ObservedCall,
    ObservedLog,
    ObservedMessage,
    ObservedReply,
    compare,
)

SEEN = Observed(
    upstream=ObservedMessage(((":path", "/"), ("a", "1"), ("a", "2")), b"body", (("t", "1"),), ended=True),
    client=ObservedMessage(((":status", "200"),), b"back", None, ended=True),
    local_reply=ObservedReply(403, b"no", "mine", 7),
    calls=(ObservedCall("auth", ((":path", "/x"),), b"ask", (), 100),),
    logs=(ObservedLog("info", "hello"),),
    metrics={"total": 1, "sizes": [3, 4]},
    failure="Function: f failed: boom\n  0: 0x1 - f",
)


@pytest.mark.parametrize(
    ("change", "what", "there"),
    [
        ({"upstream": ObservedMessage()}, "upstream.sent", "false"),
        (
            {"upstream": replace(SEEN.upstream, headers=((":path", "/"), ("a", "1")))},
            "upstream.headers.a",
            "1",
        ),
        ({"upstream": replace(SEEN.upstream, body=b"\xff")}, "upstream.body", "\\xff"),
        ({"upstream": replace(SEEN.upstream, trailers=None)}, "upstream.trailers.t", "(nothing)"),
        ({"client": replace(SEEN.client, headers=((":status", "404"),))}, "client.headers.:status", "404"),
        ({"client": replace(SEEN.client, ended=False)}, "client.ended", "false"),
        ({"local_reply": None}, "local_reply", "false"),
        ({"local_reply": ObservedReply(500, b"no", "mine", 7)}, "local_reply.status", "500"),
        ({"local_reply": ObservedReply(403, b"", "mine", 7)}, "local_reply.body", "(nothing)"),
        ({"local_reply": ObservedReply(403, b"no", "other", 7)}, "local_reply.details", "other"),
        ({"local_reply": ObservedReply(403, b"no", "mine")}, "local_reply.grpc_status", "(nothing)"),
        ({"reset": True}, "reset", "true"),
        ({"calls": ()}, "calls", "(nothing)"),
        ({"calls": (replace(SEEN.calls[0], cluster="other"),)}, "calls[0].cluster", "other"),
        ({"calls": (replace(SEEN.calls[0], timeout_ms=5),)}, "calls[0].timeout", "5"),
        ({"calls": (replace(SEEN.calls[0], headers=()),)}, "calls[0].headers.:path", "(nothing)"),
        ({"calls": (replace(SEEN.calls[0], method="M"),)}, "calls[0].method", "M"),
        ({"calls": (replace(SEEN.calls[0], messages=(b"a", b"b")),)}, "calls[0].messages", "a; b"),
        ({"calls": (replace(SEEN.calls[0], reset=True),)}, "calls[0].reset", "true"),
        ({"logs": ()}, "logs", "(nothing)"),
        ({"logs": (ObservedLog("warn", "hello"),)}, "logs", "warn: hello"),
        ({"metrics": {"total": 2, "sizes": [3, 4]}}, "metrics.total", "2"),
        ({"metrics": {"total": 1, "sizes": [3, 5]}}, "metrics.sizes", "[3, 5]"),
        ({"refused": "words"}, "refused", "true"),
        ({"failure": "Function: f failed: bang"}, "crash", "Function: f failed: bang"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_difference_is_named(change: dict[str, object], what: str, there: str) -> None:
    found = compare(SEEN, replace(SEEN, **change))  # type: ignore[arg-type]
    assert (found[0].what, found[0].got) == (what, there)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="nothing"),
        pytest.param(
            {"upstream": replace(SEEN.upstream, headers=(("a", "1"), ("a", "2"), (":path", "/")))},
            id="the order of names",
        ),
        pytest.param({"failure": "Function: f failed: boom"}, id="a backtrace"),
        pytest.param({"logs": (ObservedLog("info", "hello\n"),)}, id="a line's end"),
        pytest.param({"local_reply": ObservedReply(403, b"no", "", 7)}, id="details that were not told"),
        pytest.param({"shared_data": {"x": b"y"}}, id="shared data"),
    ],
)
def test_what_is_a_proxys_own_business_is_no_difference(change: dict[str, object]) -> None:
    assert compare(SEEN, replace(SEEN, **change)) == []  # type: ignore[arg-type]


def test_two_refusals_are_the_same_in_any_words() -> None:
    assert compare(Observed(refused="one"), Observed(refused="other")) == []


def test_a_body_that_is_not_sent_is_not_compared() -> None:
    head = ObservedMessage(((":status", "403"), ("content-length", "2")), b"", None, ended=True)
    here = Observed(client=head, local_reply=ObservedReply(403, b"no", "mine"))
    assert compare(here, replace(here, local_reply=ObservedReply(403, b"", "mine"))) == []


def test_what_is_logged_and_is_no_text_is_the_same_when_it_was_read_as_text() -> None:
    here, there = (Observed(logs=(ObservedLog("info", said),)) for said in ("a\udcff", "a\ufffd"))
    assert compare(here, there) == []


def test_a_call_that_was_cancelled_at_once_may_not_have_been_sent() -> None:
    cancelled = replace(SEEN.calls[0], cluster="other", reset=True)
    here = replace(SEEN, calls=(cancelled, *SEEN.calls))
    assert compare(here, SEEN) == []
    assert [found.what for found in compare(here, replace(SEEN, calls=()))] == ["calls"]


def test_a_local_reply_that_reached_nobody_is_not_compared() -> None:
    here = Observed(local_reply=ObservedReply(403, b"no", "mine"))
    assert compare(here, Observed()) == []
    sent = ObservedMessage(((":status", "403"),), b"", None, ended=True)
    (found,) = compare(replace(here, client=sent), Observed(client=sent))
    assert found == Mismatch("local_reply", "true", "false")


def test_histograms_can_be_compared_by_number() -> None:
    other = replace(SEEN, metrics={"total": 1, "sizes": [5, 6]})
    assert compare(SEEN, other, counts_only=True) == []
    assert compare(SEEN, replace(SEEN, metrics={"total": 1, "sizes": [5]}), counts_only=True) == [
        Mismatch("metrics.sizes", "2", "1")
    ]
