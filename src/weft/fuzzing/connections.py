"""Connections by chance, for a filter of those."""

from random import Random

from weft.fuzzing import drawing
from weft.fuzzing.drawing import chance, few
from weft.fuzzing.vocabulary import Vocabulary
from weft.scenario import Data, Step

__all__ = ["connection", "said"]

_MOST = 6


def connection(dice: Random, words: Vocabulary, name: str) -> list[Step]:
    """A client that connects, what both sides say, and how it ends."""
    talk = [_spoken(name, said(dice, words), up=chance(dice, 0.4)) for _ in range(1 + few(dice, _MOST))]
    ends = [
        _spoken(name, Data(end=True), up=False),
        _spoken(name, Data(end=True), up=True),
        _spoken(name, Data(reset=True), up=True),
        Step(stream=name, disconnect=True),
    ]
    return [Step(stream=name, connect=True), *talk, *dice.sample(ends, dice.randint(0, 2))]


def said(dice: Random, words: Vocabulary) -> Data:
    """Something that one side says, perhaps its last."""
    pieces = drawing.chunks(dice, words) if chance(dice, 0.4) else [drawing.body(dice, words)]
    return Data(chunks=pieces, end=chance(dice, 0.1))


def _spoken(name: str, data: Data, *, up: bool) -> Step:
    return Step(stream=name, upstream_data=data) if up else Step(stream=name, downstream_data=data)
