"""The verified modules of one node, as files that its proxies open.

``NodeCache`` brings the modules of the wanted images into a folder, each under the SHA-256 of its bytes, and
keeps them there. Promised: a file is whole, verified and never changed; what somebody deletes or damages
comes back; a restart downloads nothing it has, and needs no registry for it; a module crosses the network
once, however many images have it; a registry that is down takes away nothing; what nobody wants any more
stays for a grace period. ``Mirrored`` is a folder that has copies in others. ``app`` serves the files over
HTTP.

May import: ``weft.registry``, ``weft.image``, ``weft.oci``, ``weft.base``, ``weft.errors``.
"""

from weft.nodecache.cache import NodeCache
from weft.nodecache.folder import Folder
from weft.nodecache.ledger import Ledger
from weft.nodecache.mirrored import Mirrored
from weft.nodecache.report import Report, State, Wish
from weft.nodecache.server import app
from weft.nodecache.settings import Settings
from weft.nodecache.source import Admit, Source
from weft.nodecache.wanted import MAX_LIST_BYTES, Wanted, read_wanted

__all__ = [
    "MAX_LIST_BYTES",
    "Admit",
    "Folder",
    "Ledger",
    "Mirrored",
    "NodeCache",
    "Report",
    "Settings",
    "Source",
    "State",
    "Wanted",
    "Wish",
    "app",
    "read_wanted",
]
