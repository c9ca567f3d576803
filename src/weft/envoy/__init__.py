"""Start, watch and stop a real Envoy.

``Native`` and ``container`` are a ``Program``; ``Proxy(Launch(...)).serving()`` is its life, from the first
answered request to the last; ``Feed`` exchanges filters in a running one; ``validate`` asks what one makes of
a module. ``Echo`` is an upstream for it. What Envoy and the filters say arrives as ``Record``; a refusal
carries the filter's own words. Envoy never outlives this process.

May import: ``weft.mesh``, ``weft.wasm``, ``weft.base``, ``weft.errors``.
"""

from weft.envoy.admin import Admin
from weft.envoy.arguments import Levels
from weft.envoy.echo import Echo
from weft.envoy.feed import Feed
from weft.envoy.logs import Record
from weft.envoy.program import Native, Program, container
from weft.envoy.proxy import Launch, Proxy
from weft.envoy.refusal import Symbolize
from weft.envoy.validation import Outcome, Verdict, validate
from weft.envoy.view import LogView

__all__ = [
    "Admin",
    "Echo",
    "Feed",
    "Launch",
    "Levels",
    "LogView",
    "Native",
    "Outcome",
    "Program",
    "Proxy",
    "Record",
    "Symbolize",
    "Verdict",
    "container",
    "validate",
]
