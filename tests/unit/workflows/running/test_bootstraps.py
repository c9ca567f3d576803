"""Bootstraps are read from a file or from standard input."""

from pathlib import Path

import pytest

from weft.errors import UsageError
from weft.workflows.running.bootstraps import read_bootstrap, trusted_ca


def no_input() -> str:
    raise AssertionError("standard input is not to be read")


def test_a_file_or_standard_input_is_read(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("a: [1]")
    assert read_bootstrap(str(tmp_path / "b.yaml"), no_input) == {"a": [1]}
    assert read_bootstrap("-", lambda: '{"b": 2}') == {"b": 2}


@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("none.yaml", "--bootstrap none.yaml: No such file or directory"),
        (".", "--bootstrap .: Is a directory"),
        ("bad.yaml", "--bootstrap bad.yaml at line 1, column 4: expected the node content"),
        ("big.yaml", "--bootstrap big.yaml: the file is larger than 100 bytes"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("weft.workflows.running.bootstraps._MAX_BOOTSTRAP", 100)
    Path("bad.yaml").write_text("a: ")
    Path("bad.yaml").write_text("a: }")
    Path("big.yaml").write_text("#" * 101)
    with pytest.raises(UsageError) as caught:
        read_bootstrap(word, no_input)
    assert str(caught.value).startswith(complaint)


def test_certificates_are_those_the_user_names(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    assert trusted_ca({"SSL_CERT_FILE": str(tmp_path / "ca.pem")}) == str(tmp_path / "ca.pem")
    assert trusted_ca({"SSL_CERT_FILE": str(tmp_path / "none.pem")}) is None
