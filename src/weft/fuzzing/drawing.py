"""Values by chance: texts, headers, bodies."""

from base64 import b64encode
from random import Random
from typing import Any

from weft.fuzzing.vocabulary import HEADERS, PATHS, VALUES, Vocabulary
from weft.scenario import Base64, Content, content_bytes

__all__ = ["body", "chance", "chunks", "few", "headers", "path", "status", "text", "trailers", "value"]

_STATUSES = (200, 200, 200, 201, 204, 301, 304, 400, 401, 403, 404, 429, 500, 502, 503, 504, 299, 599)
_LENGTHS = (1, 2, 3, 7, 8, 63, 64, 100, 1000, 4096, 16_383, 16_384)
_LONG = (16_385, 65_535, 65_536, 65_537, 250_000)
_MOST_CHUNKS = 12
_TEXTS = ("{}", "[]", "null", '{"a": 1}', '{"a":', "a=b&c=d", "<a/>", "hello", "\n", "\0", "é", "data: x\n\n")
_LETTERS = "abcxyz019-_.~!$&'()*+,;=:@%/? "


def chance(dice: Random, likely: float) -> bool:
    """Whether something happens that does so often."""
    return dice.random() < likely


def few(dice: Random, most: int) -> int:
    """A number up to ``most``, rather a small one."""
    return min(most, int(dice.expovariate(0.7)))


def text(dice: Random) -> str:
    """A value for a header or a configuration."""
    if chance(dice, 0.6):
        return dice.choice(VALUES)
    return "".join(dice.choices(_LETTERS, k=dice.randint(0, 24))).strip()


def path(dice: Random, words: Vocabulary) -> str:
    """A path, the project's own, an odd one, or the one with something of the other."""
    known = dice.choice(words.paths) if words.paths else "/"
    other = dice.choice(PATHS)
    cut = known[: dice.randint(1, len(known) or 1)]
    made = dice.choice((known, known, other, known + other, other + known, cut))
    return made if made.startswith("/") and "#" not in made else "/"


def status(dice: Random) -> int:
    """Of a response."""
    return dice.choice(_STATUSES)


def headers(dice: Random, words: Vocabulary, most: int = 6) -> dict[str, Any]:
    """Some headers, rather those that the project knows; some have several values."""
    made: dict[str, Any] = {}
    for _ in range(few(dice, most)):
        name = (
            dice.choice(tuple(words.headers)) if words.headers and chance(dice, 0.6) else dice.choice(HEADERS)
        )
        values = [value(dice, words, name) for _ in range(1 + few(dice, 3) if chance(dice, 0.2) else 1)]
        # HTTP/2 makes one cookie of several.
        made[name] = values if len(values) > 1 and name != "cookie" else values[0]
    return made


def value(dice: Random, words: Vocabulary, name: str) -> str:
    """A header's value: one it has in a scenario, changed or not, or any."""
    known = words.headers.get(name, ())
    if not known or chance(dice, 0.4):
        made = text(dice)
    else:
        made = bent_text(dice, dice.choice(known)) if chance(dice, 0.6) else dice.choice(known)
    # HTTP/2 drops an empty one.
    return made or "a=b" if name == "cookie" else made


def bent_text(dice: Random, said: str) -> str:
    """A text that is nearly the same."""
    at = dice.randint(0, len(said))
    ways = (
        said[:at],
        said[at:],
        said[:at] + dice.choice(_LETTERS) + said[at:],
        said[:at] + dice.choice(VALUES) + said[at:],
        said + said,
        said.upper(),
        said.swapcase(),
    )
    return dice.choice(ways).strip()


def trailers(dice: Random, words: Vocabulary) -> dict[str, Any] | None:
    """Now and then some."""
    return headers(dice, words, 3) or {"x-trailer": "1"} if chance(dice, 0.2) else None


def body(dice: Random, words: Vocabulary) -> Content:
    """A piece of a body."""
    if words.bodies and chance(dice, 0.4):
        known = dice.choice(words.bodies)
        return _bent_body(dice, known) if chance(dice, 0.6) else known
    if chance(dice, 0.4):
        return dice.choice(_TEXTS)
    length = dice.choice(_LENGTHS if words.portable or chance(dice, 0.8) else _LONG)
    if chance(dice, 0.5):
        return dice.choice("a0{\0") * length
    return _binary(dice.randbytes(min(length, 1000)))


def chunks(dice: Random, words: Vocabulary) -> list[Content]:
    """A body in pieces; where the proxy may be Envoy none of them is empty, as none ever is there."""
    made: list[Content] = [body(dice, words) for _ in range(1 + few(dice, 4))]
    if chance(dice, 0.5):  # one body, cut somewhere
        whole = content_bytes(made[0])[:20_000]
        cuts = sorted(dice.randint(0, len(whole)) for _ in range(dice.randint(1, _MOST_CHUNKS)))
        made = [_binary(whole[a:b]) for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    return [piece for piece in made if piece != ""] if words.portable else made


def _bent_body(dice: Random, known: Content) -> Content:
    data = content_bytes(known)
    at, length = dice.randint(0, len(data)), dice.randint(0, 8)
    return _binary(data[:at] + dice.randbytes(length if chance(dice, 0.5) else 0) + data[at + length :])


def _binary(data: bytes) -> Content:
    """As text where it is one."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Base64(base64=b64encode(data).decode())
