"""Configurations by a schema, by a schema that nobody understands, and beside it."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.fuzzing.configs import bent, by_schema

SCHEMAS: dict[str, Any] = {
    "scalars": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "minLength": 2, "maxLength": 5},
            "count": {"type": "integer", "minimum": 3, "maximum": 4},
            "share": {"type": "number"},
            "on": {"type": "boolean"},
            "nothing": {"type": "null"},
        },
    },
    "choices": {
        "properties": {
            "a": {"enum": ["x", 1, None]},
            "b": {"const": {"c": 1}},
            "c": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "d": {"type": ["string", "null"], "default": "d", "examples": ["e"]},
        },
        "type": "object",
    },
    "lists": {
        "type": "array",
        "minItems": 1,
        "items": {"$ref": "#/$defs/item"},
        "$defs": {"item": {"type": "integer"}},
    },
    "itself": {"type": "object", "properties": {"next": {"$ref": "#"}}},
}


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - it is to be repeated


@pytest.mark.parametrize("schema", [pytest.param(schema, id=name) for name, schema in SCHEMAS.items()])
def test_what_a_schema_describes_fits_it(schema: dict[str, Any]) -> None:
    made = [by_schema(schema, dice(number)) for number in range(100)]
    for value in made:
        jsonschema.validate(value, schema)
    assert len({json.dumps(value) for value in made}) > 3


@pytest.mark.parametrize("schema", [pytest.param(schema, id=name) for name, schema in SCHEMAS.items()])
def test_what_is_bent_mostly_does_not(schema: dict[str, Any]) -> None:
    def fits(value: Any) -> bool:
        return jsonschema.Draft202012Validator(schema).is_valid(value)

    made = [bent(by_schema(schema, dice(number)), dice(number)) for number in range(100)]
    assert any(not fits(value) for value in made)
    assert any(isinstance(value, str) for value in made)


def test_a_schema_cannot_ask_for_more_than_there_is_memory() -> None:
    inner: dict[str, Any] = {"type": "boolean"}
    for _ in range(3):
        inner = {"type": "array", "items": inner, "minItems": 10**9}
    assert len(by_schema(inner, dice(1))) == 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "enum", "minimum", "minItems", "$ref", "anyOf", "maxLength"]
            ),
            inner,
            max_size=4,
        )
    ),
)


@pytest.mark.parametrize("make", [by_schema, bent])
@given(schema=JSON, seed=st.integers())
def test_no_schema_is_too_strange(make: Callable[..., Any], schema: Any, seed: int) -> None:
    json.dumps(make(schema, dice(seed)))
