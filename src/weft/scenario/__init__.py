"""Scenarios: what is done to a filter and what must come of it, the same for any proxy. Pure.

``parse`` reads a file of scenarios (``weft.scenario.document`` is the format) into ``Case`` values with
parameters and tables filled in, ``parse_suite`` a test suite of Google's Service Extensions
(``weft.scenario.suites``); ``text_of`` writes cases. ``judge`` compares an ``Expect`` with what a proxy
showed (``Observed``) and gives what differs. Doing the steps is the business of whoever has a proxy:
``weft.testhost`` is one.

May import: ``weft.errors``.
"""

from weft.scenario.cases import Case, parse, schema
from weft.scenario.comparing import compare, withheld_body
from weft.scenario.document import (
    Base64,
    BodyPart,
    Content,
    Data,
    Expect,
    Matcher,
    Neighbor,
    Plugin,
    Reply,
    ReplyExpect,
    Request,
    Response,
    Setup,
    Step,
    content_bytes,
    milliseconds,
)
from weft.scenario.feeding import config_bytes, grpc_ending, header_pairs, pieces, request_headers
from weft.scenario.judging import Mismatch, judge
from weft.scenario.observed import Observed, ObservedCall, ObservedLog, ObservedMessage, ObservedReply
from weft.scenario.played import Impossible, LeftOut, Played, StepResult
from weft.scenario.suites import Place, is_suite, parse_suite
from weft.scenario.writing import text_of

__all__ = [
    "Base64",
    "BodyPart",
    "Case",
    "Content",
    "Data",
    "Expect",
    "Impossible",
    "LeftOut",
    "Matcher",
    "Mismatch",
    "Neighbor",
    "Observed",
    "ObservedCall",
    "ObservedLog",
    "ObservedMessage",
    "ObservedReply",
    "Place",
    "Played",
    "Plugin",
    "Reply",
    "ReplyExpect",
    "Request",
    "Response",
    "Setup",
    "Step",
    "StepResult",
    "compare",
    "config_bytes",
    "content_bytes",
    "grpc_ending",
    "header_pairs",
    "is_suite",
    "judge",
    "milliseconds",
    "parse",
    "parse_suite",
    "pieces",
    "request_headers",
    "schema",
    "text_of",
    "withheld_body",
]
