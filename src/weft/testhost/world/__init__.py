"""What lies outside of a VM and is shared by all that is in one proxy: time, logs, metrics, data, calls.

Nothing here happens by itself: time stands still until somebody moves it, a call is answered when somebody
answers it, and everything that was done can be looked at.

May import: ``weft.testhost.abi``.
"""

from weft.testhost.world.callout import Callout
from weft.testhost.world.clock import Clock
from weft.testhost.world.world import LogLine, World

__all__ = ["Callout", "Clock", "LogLine", "World"]
