"""A proxy's part: it starts filters, lets time pass, answers their calls, and chains them.

``Host`` is one filter with any number of streams, ``Chain`` are several in a row.

May import: all of ``weft.testhost`` but ``weft.testhost.playing``, and ``weft.errors``.
"""

from weft.testhost.proxy.chain import Chain, ChainStream
from weft.testhost.proxy.host import Host

__all__ = [
    "Chain",
    "ChainStream",
    "Host",
]
