"""A pair of keys is whole or absent, whoever else writes there."""

from pathlib import Path

import pytest

from weft.errors import UsageError, WeftError
from weft.workflows.signatures.keys import make_key_pair


@pytest.mark.parametrize("late", ["team.key", "team.pub"])
def test_a_file_that_appears_meanwhile_is_kept_and_half_a_pair_is_not(tmp_path: Path, late: str) -> None:
    def somebody_is_faster() -> bytes:
        (tmp_path / late).write_text("precious")
        return b""

    with pytest.raises(UsageError) as caught:
        make_key_pair(str(tmp_path / "team"), "ed25519", somebody_is_faster)
    assert str(caught.value) == f"{tmp_path / late} exists; a key is never overwritten"
    assert [path.name for path in tmp_path.iterdir()] == [late]
    assert (tmp_path / late).read_text() == "precious"


@pytest.mark.parametrize(
    ("prefix", "complaint"),
    [
        pytest.param("file/team", "{}/file is not a folder", id="in a file"),
        pytest.param("file/deep/team", "{}/file/deep/team.key: Not a directory", id="below a file"),
    ],
)
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, prefix: str, complaint: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WeftError) as caught:
        make_key_pair(str(tmp_path / prefix), "ed25519", lambda: b"")
    assert str(caught.value) == complaint.format(tmp_path)
