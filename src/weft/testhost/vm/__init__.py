"""One VM and the contexts in it: all that Envoy does around a single call into a filter.

``Code`` is a compiled module, ``Plugin`` what a proxy is told beside it, ``Vm`` both of them running. A
``Context`` is what the guest reaches while it is called for one stream or root. Which functions the guest may
call is handed in, as ``Hostcall`` rows.

May import: ``weft.testhost.world`` and what is below it, ``weft.symbols``, ``weft.wasm``, ``weft.errors``.
"""

from weft.testhost.vm.contexts import Context, HttpPeer, Reply
from weft.testhost.vm.hostcall import Body, Hostcall
from weft.testhost.vm.plugin import Plugin
from weft.testhost.vm.vm import NS_PER_MS, Code, Vm

__all__ = [
    "NS_PER_MS",
    "Body",
    "Code",
    "Context",
    "Hostcall",
    "HttpPeer",
    "Plugin",
    "Reply",
    "Vm",
]
