"""A filter's gRPC calls: whom they ask, and how the filter hears of what comes back.

``named_cluster`` reads what a filter names; ``answer``, ``break_off``, ``time_out`` and ``tell_close`` tell
it how that went.

May import: ``weft.testhost.vm`` and what is below it, ``weft.scenario``.
"""

from weft.testhost.grpc.replies import UNAVAILABLE, GrpcReply, answer, break_off, tell_close, time_out
from weft.testhost.grpc.service import named_cluster

__all__ = [
    "UNAVAILABLE",
    "GrpcReply",
    "answer",
    "break_off",
    "named_cluster",
    "tell_close",
    "time_out",
]
