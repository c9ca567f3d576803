"""``weft trace --decode``: a log in, the same log with readable calls out."""

from pathlib import Path

from conftest import Weft

LOG = "[host->vm] proxy_on_tick(1)\nwasm log a: hi\n[host<-vm] proxy_on_tick return: void\n"
READABLE = "> proxy_on_tick(root_context=1)\nwasm log a: hi\n< void\n"


def test_a_trace_on_standard_input_becomes_readable(weft: Weft) -> None:
    assert weft("trace", "--decode", "-", stdin=LOG).out == READABLE


def test_a_trace_in_a_file_becomes_readable(weft: Weft, tmp_path: Path) -> None:
    file = tmp_path / "envoy.log"
    file.write_text(LOG)
    assert weft("trace", "--decode", file).out == READABLE


def test_what_to_decode_must_be_said(weft: Weft) -> None:
    result = weft("trace")
    assert result.code == 2
    assert "Missing option '--decode'" in result.err
