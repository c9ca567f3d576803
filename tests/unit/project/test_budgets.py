"""What a filter may cost: amounts as people write them."""

import pytest

from weft.errors import UsageError
from weft.project import Budgets, Limit, Project

HEAD = '[filter]\nname = "f"\nlanguage = "cpp"\n[budgets]\n'


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("64KiB", 65536),
        ("64 KiB", 65536),
        ("1.5 MiB", 1.5 * 1024 * 1024),
        ("200 kB", 200_000),
        ("200 KB", 200_000),
        ("2M", 2_000_000),
        ("32B", 32),
        ("0", 0),
        (512, 512),
    ],
)
def test_amounts_of_memory(text: str | int, most: float) -> None:
    assert Budgets(memory_per_vm=text).limits() == (Limit("memory_per_vm", most, "bytes", str(text)),)


@pytest.mark.parametrize(
    ("text", "most", "unit"),
    [("1.5x", 1.5, "ratio"), ("5us", 5, "microseconds"), ("2.5 µs", 2.5, "microseconds")],
)
def test_amounts_of_work(text: str, most: float, unit: str) -> None:
    assert Budgets(cpu_per_request=text).limits() == (Limit("cpu_per_request", most, unit, text),)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ('memory_per_vm = "lots"', "weft.toml: budgets.memory_per_vm: 'lots' is no amount", "write 64 KiB"),
        ('module_size = "5us"', "weft.toml: budgets.module_size: '5us' is no amount", "write 64 KiB"),
        ('leak_slope = "-1"', "weft.toml: budgets.leak_slope: '-1' is no amount", "write 64 KiB"),
        (
            'cpu_per_request = "3"',
            "weft.toml: budgets.cpu_per_request: '3' is no amount",
            "write 1.5x or 5us",
        ),
        ("cpu = 1", "weft.toml: Object contains unknown field `cpu` - at `$.budgets`", None),
    ],
)
def test_what_is_no_budget_is_refused(line: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as refused:
        Project.parse(HEAD + line, where="weft.toml")
    assert str(refused.value) == message
    assert refused.value.hint == hint


def test_budgets_travel_as_plain_data() -> None:
    budgets = Project.parse(HEAD + 'module_size = "1 MB"\nleak_slope = 16', where="weft.toml").budgets
    assert budgets.document() == {"module_size": "1 MB", "leak_slope": 16}
    assert Budgets.parse(budgets.document(), where="image") == budgets
    with pytest.raises(UsageError, match=r"^image: Object contains unknown field `x`$"):
        Budgets.parse({"x": 1}, where="image")
    with pytest.raises(UsageError, match=r"^image\.leak_slope: 'x' is no amount$"):
        Budgets.parse({"leak_slope": "x"}, where="image")
