"""Scenarios on this host: ``play`` what must happen, ``probe`` what can, ``soak`` for what is left behind.

May import: all of ``weft.testhost``, ``weft.scenario``, ``weft.errors``.
"""

from weft.testhost.playing.player import play
from weft.testhost.playing.probing import Probed, probe
from weft.testhost.playing.soaking import Left, soak

__all__ = [
    "Left",
    "Probed",
    "play",
    "probe",
    "soak",
]
