"""A proxy-wasm host in this process: Envoy's behaviour around a filter, without Envoy.

``Code.load`` compiles a module, ``Host.start`` starts it as a filter, ``Host.stream`` takes a request through
it. Time, chance and the answers to calls come from the caller, so a run can be repeated to the byte. Whatever
the guest does, the host lives: bad addresses give a status, failures and endless code give
``Vm.failure`` in Envoy's words.

``play`` does the steps of a ``weft.scenario`` case, ``probe`` those that are possible, ``soak`` those of many
cases over and over.

May import: ``weft.scenario``, ``weft.symbols``, ``weft.wasm``, ``weft.base``, ``weft.errors``. Only
``weft.testhost.engine`` knows the engine.
"""

from weft.scenario import config_bytes
from weft.testhost.abi import Pairs
from weft.testhost.engine import Limits
from weft.testhost.grpc import GrpcReply
from weft.testhost.headers import HeaderMap
from weft.testhost.playing import Left, Probed, play, probe, soak
from weft.testhost.proxy import Host
from weft.testhost.streams import HttpStream, LocalReply, Message
from weft.testhost.vm import Code, Plugin
from weft.testhost.world import Callout, Clock, LogLine, World

__all__ = [
    "Callout",
    "Clock",
    "Code",
    "GrpcReply",
    "HeaderMap",
    "Host",
    "HttpStream",
    "Left",
    "Limits",
    "LocalReply",
    "LogLine",
    "Message",
    "Pairs",
    "Plugin",
    "Probed",
    "World",
    "config_bytes",
    "play",
    "probe",
    "soak",
]
