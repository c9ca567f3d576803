"""Traces of calls between a proxy and a module, with names for their numbers. Pure.

``Calls`` makes one line after the other readable, ``decoded_log`` a whole log of Envoy. A ``Form`` says how a
trace is shown: not at all, as Envoy writes it, or readable.

May import: ``weft.wasm``, ``weft.errors``.
"""

from weft.tracing.calls import Calls, Form, decoded_log

__all__ = ["Calls", "Form", "decoded_log"]
