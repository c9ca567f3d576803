"""The page about scenarios says what there is, and its examples are scenarios."""

import re
from pathlib import Path

import pytest

from weft.scenario import parse, schema

PAGE = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text()
EXAMPLES = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "scenarios:" in block]
_INNER = {"Base64", "Document", "Match", "Parameter", "Scenario"}
"""Parts whose words are shown by examples alone."""


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"example {at}" for at in range(1, 1 + len(EXAMPLES))])
def test_an_example_can_be_read(example: str) -> None:
    assert parse(example, where="docs/scenarios.md")


@pytest.mark.parametrize("part", sorted(schema()["$defs"].keys() - _INNER))
def test_the_page_has_every_word_of_the_format(part: str) -> None:
    words = schema()["$defs"][part]["properties"]
    assert [word for word in words if not re.search(rf"\b{word}\b", PAGE)] == []
