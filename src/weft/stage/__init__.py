"""Plays scenarios on a real Envoy: the same steps as on the test host, the same things seen, the same judge.

``open_stage`` starts an Envoy with its clients, upstream and servers in our hands; ``play_on_stage`` plays a
``weft.scenario`` case on it, one at a time, each in a VM of its own. What Envoy cannot do or does not show is
told as ``LeftOut``, never passed over.

May import: ``weft.envoy``, ``weft.scenario``, ``weft.symbols``, ``weft.wasm``, ``weft.base``,
``weft.errors``.
"""

from weft.stage.playing import play_on_stage
from weft.stage.stage import PATIENCE, Lost, Stage, open_stage
from weft.stage.told import Project

__all__ = ["PATIENCE", "Lost", "Project", "Stage", "open_stage", "play_on_stage"]
