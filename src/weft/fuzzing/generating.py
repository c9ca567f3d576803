"""Cases by chance, the same for the same seed.

The n-th case of a seed does not depend on how many are made. A third of them are a project's own scenarios,
told a little differently; the others are told from nothing.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from weft.fuzzing import drawing
from weft.fuzzing.answers import answers
from weft.fuzzing.configs import bent, by_schema
from weft.fuzzing.connections import connection, said
from weft.fuzzing.drawing import chance, few
from weft.fuzzing.grammar import sound
from weft.fuzzing.vocabulary import Vocabulary
from weft.scenario import BodyPart, Case, Plugin, Reply, Request, Response, Setup, Step

__all__ = ["generate"]

_METHODS = ("GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE")
_AUTHORITIES = ("example.com", "EXAMPLE.com:8080", "[::1]:80", "127.0.0.1", "a" * 200, "xn--bcher-kva.de")
_STREAMS = 5


def generate(seed: int, number: int, words: Vocabulary) -> Case:
    """The case of this number."""
    dice = Random(f"{seed}/{number}")  # noqa: S311 - it is to be repeated
    teller = _Teller(dice, words)
    story = dice.choice(words.stories) if words.stories else None
    if story is not None and chance(dice, 0.35):
        plugin, setup, steps = story.plugin, story.setup, teller.retold(story.steps)
    else:
        plugin, setup = (story.plugin, story.setup) if story and chance(dice, 0.5) else (Plugin(), Setup())
        steps = teller.told()
    if chance(dice, 0.2):
        plugin = msgspec.structs.replace(plugin, config=teller.config(plugin.config))
    if words.calls and chance(dice, 0.05):
        setup = msgspec.structs.replace(setup, clusters=[])
    return Case(f"generated {number}", plugin, setup, sound(steps), None, "")


class _Teller:
    """Makes steps."""

    def __init__(self, dice: Random, words: Vocabulary) -> None:
        self._dice = dice
        self._words = words

    def config(self, said: Any) -> Any:
        """Another configuration than the one that was said."""
        good = by_schema(self._words.schema, self._dice) if self._words.schema is not None else said
        return bent({} if good is None else good, self._dice) if chance(self._dice, 0.4) else good

    # -- from nothing

    def told(self) -> list[Step]:
        """Some streams, beside one another."""
        count = 1 + few(self._dice, _STREAMS) if chance(self._dice, 0.3) else 1
        return self._woven([self._stream(name) for name in ("main", "b", "c", "d", "e", "f")[:count]])

    def _woven(self, stories: list[list[Step]]) -> list[Step]:
        """One after the other's step; each story keeps its order."""
        turns = [number for number, story in enumerate(stories) for _ in story]
        self._dice.shuffle(turns)
        told = [iter(story) for story in stories]
        return [next(told[number]) for number in turns]

    def _stream(self, name: str) -> list[Step]:
        dice = self._dice
        if self._words.network:
            return connection(dice, self._words, name)
        request, more = self._message()
        asked = [Step(stream=name, request=Request(headers=self._request_headers(), **request))]
        asked += [Step(stream=name, request_body=part) for part in more]
        answer, more = self._message()
        answered = [Step(stream=name, response=self._response(answer))]
        answered += [Step(stream=name, response_body=part) for part in more]
        early = len(asked) if self._words.portable or chance(dice, 0.9) else dice.randint(1, len(asked))
        steps = [*asked[:early], *answers(dice, self._words), *answered, *asked[early:]]
        if chance(dice, 0.2):
            steps += answers(dice, self._words)
        if self._words.ticks and chance(dice, 0.3):
            steps.insert(dice.randint(0, len(steps)), Step(tick=dice.randint(1, 3)))
        if chance(dice, 0.1):
            steps[dice.randint(1, len(steps)) :] = [Step(stream=name, disconnect=True)]
        return steps

    def _request_headers(self) -> dict[str, Any]:
        dice = self._dice
        first: dict[str, Any] = {":path": drawing.path(dice, self._words)} if chance(dice, 0.7) else {}
        if chance(dice, 0.5):
            first[":method"] = dice.choice(_METHODS)
        if chance(dice, 0.2):
            first[":authority"] = dice.choice(_AUTHORITIES)
        return first | drawing.headers(dice, self._words)

    def _message(self) -> tuple[dict[str, Any], list[BodyPart]]:
        """Body and trailers of a message, and the parts of it that come later."""
        dice, words = self._dice, self._words
        kind = dice.choice(("none", "none", "body", "chunks", "open", "trailers"))
        trailers = drawing.trailers(dice, words)
        if kind == "none":
            return {}, []
        if kind == "trailers":
            return {"trailers": trailers or {"x-trailer": "1"}}, []
        if kind == "body":
            return {"body": drawing.body(dice, words), "trailers": trailers}, []
        if kind == "chunks":
            return {"chunks": drawing.chunks(dice, words) or None, "trailers": trailers}, []
        later = [BodyPart(chunks=[piece], open=True) for piece in drawing.chunks(dice, words)]
        last = BodyPart(body="z", trailers=trailers) if chance(dice, 0.5) else BodyPart(trailers=trailers)
        ending = [last] if chance(dice, 0.9) else []
        return {"open": True}, [*later, *ending]

    def _response(self, message: dict[str, Any]) -> Response:
        dice = self._dice
        return Response(status=drawing.status(dice), headers=drawing.headers(dice, self._words), **message)

    # -- a little differently

    def retold(self, steps: tuple[Step, ...]) -> list[Step]:
        """A story, with some of its steps changed."""
        told = list(steps)
        for _ in range(1 + few(self._dice, 4)):
            self._dice.choice(self._changes())(told)
        return told

    def _changes(self) -> list[Callable[[list[Step]], None]]:
        return [self._change, self._change, self._change, self._change, self._drop, self._leave, self._beside]

    def _drop(self, told: list[Step]) -> None:
        if told:
            del told[self._dice.randrange(len(told))]

    def _leave(self, told: list[Step]) -> None:
        if told:
            at = self._dice.randrange(len(told))
            told.insert(at + 1, Step(stream=told[at].stream, disconnect=True))

    def _beside(self, told: list[Step]) -> None:
        told[:] = self._woven([told[:], self._stream("beside")])

    def _change(self, told: list[Step]) -> None:
        if not told:
            return
        at = self._dice.randrange(len(told))
        step = told[at]
        for word in ("request", "response", "request_body", "response_body", "reply"):
            if (message := getattr(step, word)) is not None:
                told[at] = msgspec.structs.replace(step, **{word: self._changed(message)})
        for word in ("downstream_data", "upstream_data"):
            if getattr(step, word) is not None:
                told[at] = msgspec.structs.replace(step, **{word: said(self._dice, self._words)})

    def _changed(self, message: Any) -> Any:
        dice = self._dice
        part = dice.choice(("headers", "headers", "one", "body", "trailers", "status"))
        fields: dict[str, Any] = {}
        if part == "headers" and hasattr(message, "headers"):
            fields = {"headers": {**message.headers, **drawing.headers(dice, self._words)}}
            if isinstance(message, Request) and chance(dice, 0.5):
                fields["headers"][":path"] = drawing.path(dice, self._words)
        elif part == "one" and getattr(message, "headers", None):
            fields = {"headers": self._one_changed(message.headers)}
        elif part == "status" and hasattr(message, "status"):
            fields = {"status": drawing.status(dice)}
        elif part == "trailers":
            fields = {"trailers": drawing.trailers(dice, self._words)}
        elif isinstance(message, Reply) and message.is_grpc:
            fields = {"message": None, "messages": drawing.chunks(dice, self._words)}
        else:
            fields = {"body": None, "chunks": drawing.chunks(dice, self._words) or None}
        return msgspec.structs.replace(message, **fields)

    def _one_changed(self, said: dict[str, Any]) -> dict[str, Any]:
        """Without one of the headers, or with another value for it."""
        dice = self._dice
        name = dice.choice(tuple(said))
        if name == ":path":
            return {**said, name: drawing.path(dice, self._words)}
        if name.startswith(":"):
            return said
        if chance(dice, 0.4):
            return {known: value for known, value in said.items() if known != name}
        return {**said, name: drawing.value(dice, self._words, name)}
