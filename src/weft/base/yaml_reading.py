"""Read YAML of users with promises that the library does not make.

* However deep it is nested, the process lives: the library's fast composer calls itself for each level.
* A few lines of aliases do not become gigabytes, and nothing contains itself.
* A key that a mapping has twice is an error, as YAML 1.2 has it: one of the two would be lost without a word.

What is wrong is raised as the library's own errors, with a mark.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

__all__ = ["MOST_LEVELS", "MOST_VALUES", "careful", "check_size"]

# Go's and protobuf's readers stop at 10,000 and 100; no document of ours has 30.
MOST_LEVELS = 100
# A filter's config of 4 MiB has fewer.
MOST_VALUES = 2_000_000


def check_size(text: str) -> None:
    """Raise ``yaml.YAMLError`` where ``text`` is nested too deeply, is too large, or is no YAML."""
    import yaml

    sizes: dict[str | None, int] = {}  # of what has an anchor
    open_ones: list[list[Any]] = [["", 0]]  # anchor and values so far
    for event in _events(text):
        if isinstance(event, yaml.CollectionStartEvent):
            open_ones.append([event.anchor, 1])
            if len(open_ones) > MOST_LEVELS + 1:
                raise _wrong(f"nested deeper than {MOST_LEVELS} levels", event)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_ones.pop()
            sizes[anchor] = size
            open_ones[-1][1] += size
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_ones):
                raise _wrong(f"*{event.anchor} stands inside of what it stands for", event)
            open_ones[-1][1] += sizes.get(event.anchor, 1)
        elif isinstance(event, yaml.ScalarEvent):
            open_ones[-1][1] += 1
        if open_ones[-1][1] > MOST_VALUES:
            raise _wrong(f"more than {MOST_VALUES:,} values, what aliases stand for written out", event)


def _events(text: str) -> Iterator[Any]:
    """What the fast parser says, and where it complains the words of the other, which say what was found."""
    import yaml

    try:
        yield from yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        for _ in yaml.parse(text, Loader=yaml.SafeLoader):
            pass
        raise


def _wrong(problem: str, at: Any) -> Exception:
    import yaml

    return yaml.MarkedYAMLError(problem=problem, problem_mark=at.start_mark)


@cache
def careful() -> Any:
    """The library's safe loader (the fast one where there is one), to which no key may come twice."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def __init__(self, stream: Any) -> None:
            super().__init__(stream)
            self._seen: set[int] = set()

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            # Called for every mapping before it is made; later, what `<<` merges is among its own keys.
            if id(node) not in self._seen:
                self._seen.add(id(node))
                _check_keys(node)
            super().flatten_mapping(node)

    return Loader


def _check_keys(node: Any) -> None:
    import yaml

    keys = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
            continue
        if key.value in keys:
            raise _wrong(f"the key {key.value} is there twice", key)
        keys.add(key.value)
