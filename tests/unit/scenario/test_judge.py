"""What counts as a difference, and how it is told."""

from typing import Any

import msgspec
import pytest

from weft.scenario import (
    Expect,
    Mismatch,
    Observed,
    ObservedCall,
    ObservedLog,
    ObservedMessage,
    ObservedReply,
    judge,
)

CHAT = ObservedCall(
    "chat", (("x", "1"),), b"", (), 0, service="s.S", method="M", messages=(b"a", b"\xff"), ended=False
)
SEEN = Observed(
    upstream=ObservedMessage(((":path", "/a"), ("x", "1"), ("x", "2")), b"body", (("t", "z"),), ended=True),
    client=ObservedMessage(((":status", "403"), ("a", "b")), b"no", None, ended=True),
    local_reply=ObservedReply(403, b"no", "why"),
    calls=(ObservedCall("auth", ((":path", "/"),), b"", (), 1000),),
    logs=(ObservedLog("info", "hello"), ObservedLog("error", "config: bad")),
    metrics={"c": 2, "h": [1, 5]},
    shared_data={"k": b"v"},
)


def judged(expect: dict[str, Any], seen: Observed = SEEN) -> list[Mismatch]:
    return judge(msgspec.convert(expect, Expect), seen)


@pytest.mark.parametrize(
    "expect",
    [
        {
            "upstream": {
                "sent": True,
                "headers": {":path": "/a", "X": ["1", 2]},
                "body": "body",
                "ended": True,
            }
        },
        {"upstream": {"headers": {"x": "1", "y": {"absent": True}}, "trailers": {"t": {"regex": "[z]"}}}},
        {"upstream": {"only_headers": {":path": "/a", "x": {"contains": "1"}}}},
        {"client": {"status": 403, "body": {"regex": "n."}}},
        {"local_reply": {"status": 403, "body": "no", "details": "why"}},
        {"local_reply": True, "reset": False},
        {"calls": [{"cluster": "auth", "timeout": 1000, "headers": {":path": "/"}}]},
        {"logs": ["hello", {"level": "error", "message": {"contains": "bad"}}], "quiet": "critical"},
        {"metrics": {"c": 2, "h": [1, 5]}, "shared_data": {"k": "v", "n": {"absent": True}}},
    ],
)
def test_what_is_as_expected(expect: dict[str, Any]) -> None:
    assert judged(expect) == []


@pytest.mark.parametrize(
    ("expect", "mismatch"),
    [
        ({"upstream": {"sent": False}}, Mismatch("upstream", "nothing is sent", ":path: /a, x: 1, x: 2")),
        ({"upstream": {"headers": {"y": "1"}}}, Mismatch("upstream.headers.y", "1", "(nothing)")),
        ({"upstream": {"headers": {"x": ["1"]}}}, Mismatch("upstream.headers.x", "1", "1, 2")),
        ({"client": {"headers": {"a": {"absent": True}}}}, Mismatch("client.headers.a", "(nothing)", "b")),
        ({"client": {"only_headers": {":status": 403}}}, Mismatch("client.headers", "no others", "a: b")),
        ({"client": {"body": {"regex": "y.*"}}}, Mismatch("client.body", "matching y.*", "no")),
        ({"client": {"status": 200}}, Mismatch("client.status", "200", "403")),
        ({"local_reply": False}, Mismatch("local_reply", "none", "403 'no'")),
        ({"local_reply": {"grpc_status": 7}}, Mismatch("local_reply.grpc_status", "7", "(nothing)")),
        ({"calls": []}, Mismatch("calls", "0 calls", "auth :path: /")),
        ({"calls": [{"cluster": "b"}]}, Mismatch("calls[0].cluster", "b", "auth")),
        ({"logs": ["bye"]}, Mismatch("logs", "bye", "info: hello\nerror: config: bad")),
        ({"quiet": "warn"}, Mismatch("logs", "nothing at warn or above", "info: hello\nerror: config: bad")),
        ({"metrics": {"c": 1}}, Mismatch("metrics.c", "1", "2")),
        ({"metrics": {"d": 1}}, Mismatch("metrics.d", "1", "(nothing)")),
        ({"shared_data": {"k": "w"}}, Mismatch("shared_data.k", "w", "v")),
        ({"reset": True}, Mismatch("reset", "true", "false")),
        ({"refused": True}, Mismatch("refused", "the configuration is refused", "the filter accepts it")),
        ({"crash": {"contains": "unreachable"}}, Mismatch("crash", "containing unreachable", "(nothing)")),
    ],
)
def test_a_difference_is_told_with_both_sides(expect: dict[str, Any], mismatch: Mismatch) -> None:
    assert judged(expect) == [mismatch]


@pytest.mark.parametrize(
    ("expect", "mismatch"),
    [
        ({"service": "s.S", "method": "M", "ended": False, "reset": False}, None),
        ({"messages": ["a", {"base64": "/w=="}], "headers": {"x": 1}}, None),
        ({"messages": ["a"]}, Mismatch("calls[0].messages", "1 message", "a; \\xff")),
        ({"message": "a"}, Mismatch("calls[0].messages", "1 message", "a; \\xff")),
        ({"messages": []}, Mismatch("calls[0].messages", "0 messages", "a; \\xff")),
        (
            {"messages": ["a", {"base64": "/g=="}]},
            Mismatch("calls[0].messages[1]", "the bytes /g==", "\\xff"),
        ),
        ({"method": "N"}, Mismatch("calls[0].method", "N", "M")),
        ({"service": {"absent": True}}, Mismatch("calls[0].service", "(nothing)", "s.S")),
        ({"ended": True}, Mismatch("calls[0].ended", "true", "false")),
        ({"reset": True}, Mismatch("calls[0].reset", "true", "false")),
    ],
)
def test_calls_of_grpc(expect: dict[str, Any], mismatch: Mismatch | None) -> None:
    assert judged({"calls": [expect]}, Observed(calls=(CHAT,))) == ([mismatch] if mismatch else [])


def test_a_failure_nobody_expected_is_a_difference() -> None:
    assert judged({}, Observed(failure="boom")) == [Mismatch("crash", "the filter lives", "boom")]
    assert judged({"crash": "boom"}, Observed(failure="boom")) == []


def test_a_refusal_nobody_expected_is_a_difference() -> None:
    assert judged({}, Observed(refused="why")) == [Mismatch("refused", "the filter starts", "why")]
    assert judged({"refused": True}, Observed(refused="why")) == []
