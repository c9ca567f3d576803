"""How many requests a second the test host takes through a module, on one core, without Envoy.

``python bench/testhost.py MODULE ROOT_ID``: a request with three headers, a response with one. The best of
many short rounds is shown: on a machine with other work the rest measures that work.
"""

import sys
import time
from pathlib import Path

from weft.testhost import Code, Host, Plugin, World

ROUNDS, REQUESTS = 60, 500
REQUEST = ((":method", "GET"), (":path", "/"), (":authority", "x"))
RESPONSE = ((":status", "200"),)


def main() -> None:
    """Measure and print."""
    module, root_id = Path(sys.argv[1]), sys.argv[2]
    host = Host.start(Code.load(module.read_bytes()), Plugin(root_id=root_id), world=World(tracing=False))
    best = min(_round(host) for _ in range(ROUNDS))
    print(f"{module.name}: {best / REQUESTS * 1e6:.1f} us a request, {REQUESTS / best:,.0f} requests/s")


def _round(host: Host) -> float:
    started = time.perf_counter()
    for _ in range(REQUESTS):
        stream = host.stream()
        stream.request_headers(REQUEST, end=True)
        stream.response_headers(RESPONSE, end=True)
    return time.perf_counter() - started


main()
