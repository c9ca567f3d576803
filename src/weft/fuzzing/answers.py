"""Answers to a filter's calls, by chance.

A filter that can speak HTTP and gRPC gets one of each for every answer: what fits no call is passed over.
"""

from random import Random
from typing import Any

from weft.fuzzing import drawing
from weft.fuzzing.drawing import chance, few
from weft.fuzzing.vocabulary import Vocabulary
from weft.scenario import Reply, Step

__all__ = ["answers"]

_MOST = 3
_GRPC_CODES = (None, None, None, 0, 1, 2, 4, 5, 7, 8, 13, 14, 16)
_NO_GRPC = (404, 500, 503)


def answers(dice: Random, words: Vocabulary) -> list[Step]:
    """Answers to calls, if any are made."""
    if not (words.calls or words.grpc):
        return []
    replies: list[Reply] = []
    for _ in range(1 + few(dice, _MOST)):
        replies += _any_kind(dice, words)
    return [Step(reply=reply) for reply in replies]


def _any_kind(dice: Random, words: Vocabulary) -> list[Reply]:
    # Answers come in another order than the calls where these go to several servers.
    several = len(words.clusters) > 1 and chance(dice, 0.4)
    cluster = dice.choice(words.clusters) if several else None
    if chance(dice, 0.1):
        return [Reply(cluster=cluster, failed=True)]
    # On Envoy it is really waited for.
    if chance(dice, 0.02 if words.portable else 0.1):
        return [Reply(cluster=cluster, timeout=True)]
    made = [_http(dice, words, cluster)] if words.calls else []
    made += [_grpc(dice, words, cluster)] if words.grpc else []
    dice.shuffle(made)
    return made


def _http(dice: Random, words: Vocabulary, cluster: str | None) -> Reply:
    # Without a body it would be one to gRPC, too.
    body = drawing.body(dice, words) if chance(dice, 0.6) else "" if words.grpc else None
    return Reply(
        cluster=cluster,
        status=drawing.status(dice),
        headers=drawing.headers(dice, words, 3),
        body=body,
        trailers=drawing.trailers(dice, words),
    )


def _grpc(dice: Random, words: Vocabulary, cluster: str | None) -> Reply:
    if chance(dice, 0.05):
        return Reply(cluster=cluster, status=dice.choice(_NO_GRPC))
    headers: dict[str, Any] = {f"x-{name}": drawing.text(dice) for name in "ab"[: few(dice, 2)]}
    messages = [drawing.body(dice, words) for _ in range(few(dice, _MOST))]
    if chance(dice, 0.25):
        return Reply(cluster=cluster, headers=headers, messages=messages, open=True)
    return Reply(
        cluster=cluster,
        headers=headers,
        messages=messages,
        grpc_status=dice.choice(_GRPC_CODES),
        grpc_message=drawing.text(dice) if chance(dice, 0.3) else None,
        trailers={"x-t": drawing.text(dice)} if chance(dice, 0.2) else None,
    )
