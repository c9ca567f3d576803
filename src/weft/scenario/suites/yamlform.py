"""A suite in YAML: protobuf's mapping to JSON, written in YAML. Names may be in camel case."""

import re
from typing import TYPE_CHECKING

from weft.base.yaml_reading import check_size
from weft.scenario.suites.tree import MOST_DEEP, Message, Place, Scalar, Value

if TYPE_CHECKING:
    import yaml

__all__ = ["read_yaml"]

_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"


def read_yaml(text: str, file: str) -> Message | None:
    """The message that a file is; ``None`` for an empty one. Raises ``UsageError`` with the line."""
    import yaml

    try:
        check_size(text)
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(file, mark.line + 1 if mark else 1)
        raise place.wrong(f"not valid YAML: {getattr(error, 'problem', error)}") from error
    if node is None:
        return None
    value = _value(node, file, 0)
    if not isinstance(value, Message):
        raise value.place.wrong("a suite is a mapping")
    return value


def _value(node: "yaml.Node", file: str, depth: int) -> Value:
    import yaml

    place = Place(file, node.start_mark.line + 1)
    if depth > MOST_DEEP:
        raise place.wrong("mappings are nested too deeply")
    if isinstance(node, yaml.ScalarNode):
        return Scalar(place, node.value, is_text=True, is_word=node.tag != _TEXT)
    if not isinstance(node, yaml.MappingNode):
        raise place.wrong("a list stands where one value should")
    made = Message(place)
    for key, value in node.value:
        name = re.sub(r"(?<=[a-z])([A-Z])", lambda found: f"_{found[1].lower()}", str(key.value))
        items = value.value if isinstance(value, yaml.SequenceNode) else [value]
        made.fields.extend((name, _value(item, file, depth + 1)) for item in items if item.tag != _NULL)
    return made
