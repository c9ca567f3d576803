"""A config reaches the filter as it was written, and is checked against the filter's schema before."""

from pathlib import Path
from typing import Any

import pytest

from weft.errors import UsageError
from weft.workflows.running.configs import check_config, read_config

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "value": {"type": "string"},
        "rewrites": {
            "type": "array",
            "items": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
        },
    },
}


def test_text_stands_for_itself_and_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(' {"a": 1}\n')
    assert read_config("wurld") == "wurld"
    assert read_config(f"@{tmp_path}/c.json") == ' {"a": 1}\n'


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("none", None, "No such file or directory"),
        ("latin", b"\xff", "not UTF-8 text"),
        ("big", b"x" * (4 * 1024 * 1024 + 1), "the file is larger than 4194304 bytes"),
    ],
)
def test_a_file_that_cannot_be_a_config_is_told(
    tmp_path: Path, name: str, content: bytes | None, complaint: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_config(f"@{tmp_path / name}")
    assert str(caught.value) == f"--config @{tmp_path / name}: {complaint}"


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ('{"value": 5}', "--config: value: 5 is not of type 'string'"),
        (
            '{"rewrites": [{"path": "/"}, {"path": 5}]}',
            "--config: rewrites[1].path: 5 is not of type 'string'",
        ),
        ('{"rewrites": [{}]}', "--config: rewrites[0]: 'path' is a required property"),
        ('{"colour": 1}', "--config: Additional properties are not allowed ('colour' was unexpected)"),
        ("[]", "--config: [] is not of type 'object'"),
        ({"value": True}, "--config: value: True is not of type 'string'"),
    ],
)
def test_a_mistake_is_told_with_its_path(config: Any, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_config(config, SCHEMA, where="--config")
    assert str(caught.value) == complaint


def test_broken_json_is_told_with_a_hint_about_the_shell() -> None:
    with pytest.raises(UsageError) as caught:
        check_config("{value: x}", SCHEMA, where="--config")
    assert str(caught.value).startswith("--config is not valid JSON: Expecting property name")
    assert caught.value.hint == "quote it for the shell: '{...}'"


def test_a_complaint_about_something_huge_is_short() -> None:
    with pytest.raises(UsageError) as caught:
        check_config([["x y"] * 10_000], SCHEMA, where="--config")
    assert len(str(caught.value)) < 500


def test_a_bottomless_config_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        check_config("[" * 100_000, SCHEMA, where="--config")
    assert str(caught.value) == "--config is nested too deeply"


@pytest.mark.parametrize("config", ['{"value": "x"}', "{}", {"rewrites": []}])
def test_what_fits_passes(config: Any) -> None:
    check_config(config, SCHEMA, where="--config")


@pytest.mark.parametrize("config", ["world", "5", "", "{"])
def test_a_filter_may_take_plain_text(config: str) -> None:
    check_config(config, {"type": "string"}, where="--config")


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        ({"type": "objekt"}, "the filter's own schema is wrong at $.type: 'objekt' is not valid under any"),
        ({"properties": []}, "the filter's own schema is wrong at $.properties: [] is not of type 'object'"),
        (
            {"$ref": "http://127.0.0.1:1/schema.json"},
            "the filter's own schema refers to 'http://127.0.0.1:1/schema.json', which is not in it",
        ),
        ({"$ref": "#/$defs/none"}, "the filter's own schema refers to '/$defs/none', which is not in it"),
    ],
)
def test_a_wrong_schema_is_the_authors_mistake_and_fetches_nothing(schema: Any, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_config("{}", schema, where="--config")
    assert str(caught.value).startswith(complaint)
