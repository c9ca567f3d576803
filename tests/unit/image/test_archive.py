"""Tar and gzip from strangers: read within limits, refused by name."""

import gzip
import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.sample_images import MODULE, tar
from weft.image import ImageInvalid
from weft.image.archive import files_in, gzip_deterministic, tar_deterministic
from weft.image.tar import walk

FORMATS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
WANTED = ("plugin.wasm", "runtime-config.json")


def read_all(data: bytes) -> dict[str, bytes]:
    return {member.name: member.read() for member in walk(io.BytesIO(data).read)}


def header(name: str, *, size: int = 0, kind: bytes = b"0", link: str = "") -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.type, entry.linkname = size, kind, link
    return entry.tobuf(tarfile.GNU_FORMAT)


def resign(block: bytearray) -> bytes:
    """Put the right checksum into a header that was changed."""
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_every_format_is_read(form: int) -> None:
    files = {"a": b"", "b/c.txt": b"x" * 512, "d" * 90 + "/" + "e" * 90: b"y" * 513}
    assert read_all(tar(files, form=form)) == files


def test_names_longer_than_a_header_are_read() -> None:
    files = {"x" * 300 + "/plugin.wasm": MODULE, "größe.txt": b"1"}
    assert read_all(tar(files, form=tarfile.GNU_FORMAT)) == files
    assert read_all(tar(files, form=tarfile.PAX_FORMAT)) == files


def test_an_old_archive_without_magic_is_read() -> None:
    block = bytearray(header("a", size=1))
    block[257:265] = b"\0" * 8
    assert read_all(resign(block) + b"x" + b"\0" * 511) == {"a": b"x"}


def test_a_checksum_of_signed_bytes_is_accepted() -> None:
    block = bytearray(tarfile.TarInfo("ü").tobuf(tarfile.USTAR_FORMAT, "latin-1"))
    block[148:156] = b" " * 8
    signed = sum(byte - 256 if byte > 127 else byte for byte in block)
    block[148:156] = b"%06o\0 " % signed
    assert list(read_all(bytes(block))) == ["\N{REPLACEMENT CHARACTER}"]


def test_a_size_in_base_256_is_read() -> None:
    block = bytearray(header("a", size=3))
    block[124:136] = b"\x80" + (3).to_bytes(11, "big")
    assert read_all(resign(block) + b"xyz" + b"\0" * 509) == {"a": b"xyz"}


def test_only_regular_files_are_given() -> None:
    links = b"".join(
        header("plugin.wasm", kind=kind, link="/etc/passwd", size=9999)
        for kind in (b"1", b"2", b"3", b"5", b"6")
    )
    assert read_all(links + tar({"plugin.wasm": MODULE})) == {"plugin.wasm": MODULE}


def test_a_global_header_is_passed_over() -> None:
    record = b"52 comment=" + b"0" * 40 + b"\n"
    assert read_all(header("g", kind=b"g", size=52) + record.ljust(512, b"\0") + tar({"a": b"1"})) == {
        "a": b"1"
    }


def test_reading_stops_at_the_end_mark() -> None:
    assert read_all(tar({"a": b"1"}) + tar({"b": b"2"})) == {"a": b"1"}


def test_content_that_nobody_reads_is_skipped() -> None:
    data = tar({"a": b"x" * 100_000, "b": b"2"})
    assert [member.name for member in walk(io.BytesIO(data).read)] == ["a", "b"]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        pytest.param(b"x" * 512, "there is no tar header at byte 0", id="garbage"),
        pytest.param(
            tar({"a": b"1"})[:1024] + b"x" * 512, "there is no tar header at byte 1024", id="garbage behind"
        ),
        pytest.param(header("a")[:100], "the archive ends at byte 100, inside a header", id="header cut off"),
        pytest.param(
            header("a", size=5) + b"xyz", "the archive ends at byte 515, inside a file", id="file cut off"
        ),
        pytest.param(
            header("a", size=0o77777777777), "the archive ends at byte 512, inside a file", id="size is a lie"
        ),
        pytest.param(
            resign(bytearray(header("a")[:124] + b"99999999999\0" + header("a")[136:])),
            "the tar header at byte 0 has no size",
            id="size is not octal",
        ),
        pytest.param(
            resign(bytearray(header("a")[:124] + b"\xff" * 12 + header("a")[136:])),
            "the tar header at byte 0 has no size",
            id="size is negative",
        ),
        pytest.param(
            header("a", kind=b"S"),
            "the archive holds a sparse file, 'a'; pack it again without holes",
            id="gnu sparse",
        ),
        pytest.param(
            header("x", kind=b"x", size=31) + b"31 GNU.sparse.realsize=1000000\n".ljust(512, b"\0"),
            "the archive holds a sparse file; pack it again without holes",
            id="pax sparse",
        ),
        pytest.param(
            header("x", kind=b"x", size=10) + b"what is it".ljust(512, b"\0"),
            "the archive has an extended header that is not pax",
            id="no pax record",
        ),
        pytest.param(
            header("x", kind=b"x", size=10) + b"99 path=a\n".ljust(512, b"\0"),
            "the archive has an extended header that is not pax",
            id="pax record longer than it is",
        ),
        pytest.param(
            header("x", kind=b"x", size=11) + b"11 size=-1\n".ljust(512, b"\0"),
            "the extended tar header before byte 1024 has no size",
            id="pax size",
        ),
        pytest.param(
            header("x", kind=b"L", size=70_000),
            "the archive has an extended header of 70000 bytes",
            id="long name",
        ),
        pytest.param(
            header("x", kind=b"x", size=600) + b"x" * 512,
            "the archive ends at byte 1024, inside a file",
            id="extended header cut off",
        ),
    ],
)
def test_a_damaged_archive_is_explained_with_its_offset(data: bytes, complaint: str) -> None:
    with pytest.raises(ImageInvalid) as caught:
        read_all(data)
    assert str(caught.value) == complaint


def test_an_endless_list_of_empty_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.image.tar.MAX_MEMBERS", 3)
    with pytest.raises(ImageInvalid, match="the archive has more than 3 entries"):
        read_all(header("a") * 4)


def test_a_gzip_bomb_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.image.archive.MAX_UNPACKED_BYTES", 8 * 1024 * 1024)
    bomb = gzip.compress(tar({"bin/zeros": bytes(9 * 1024 * 1024), "plugin.wasm": MODULE}))
    with pytest.raises(ImageInvalid) as caught:
        files_in(bomb, WANTED, required="plugin.wasm")
    assert str(caught.value) == f"{len(bomb)} bytes of gzip unpack to more than 8 MiB: a gzip bomb"


def test_a_module_too_large_for_istio_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.image.archive.MAX_MODULE_BYTES", 50)
    layer = header("plugin.wasm", size=51)
    with pytest.raises(ImageInvalid) as caught:
        files_in(layer, WANTED, required="plugin.wasm")
    assert str(caught.value) == "plugin.wasm has 51 bytes, more than the 256 MiB that Istio takes"


def test_our_own_archive_has_no_date_and_no_owner() -> None:
    data = tar_deterministic({"plugin.wasm": MODULE})
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        (entry,) = archive
    assert (entry.mtime, entry.uid, entry.uname, entry.gname, entry.mode) == (0, 0, "", "", 0o644)
    assert gzip_deterministic(data)[:10] == bytes.fromhex("1f8b08000000000002ff")


@given(st.binary(max_size=4096))
def test_our_gzip_is_gzip(data: bytes) -> None:
    assert gzip.decompress(gzip_deterministic(data)) == data


names = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=120)
files = st.dictionaries(names, st.binary(max_size=1100), max_size=5)


@given(files, st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
def test_whatever_pythons_tarfile_writes_is_read(content: dict[str, bytes], form: int) -> None:
    assert read_all(tar(content, form=form)) == content


@given(files, st.data())
def test_a_damaged_layer_is_read_or_explained(content: dict[str, bytes], data: st.DataObject) -> None:
    layer = bytearray(tar({**content, "plugin.wasm": MODULE}))
    for _ in range(data.draw(st.integers(0, 5))):
        layer[data.draw(st.integers(0, len(layer) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(layer[: data.draw(st.integers(0, len(layer)))])
    layer_bytes = gzip.compress(cut) if data.draw(st.booleans()) else cut
    try:
        found = files_in(layer_bytes, WANTED, required="plugin.wasm")
    except ImageInvalid as error:
        assert str(error)  # noqa: PT017 - both outcomes are right
    else:
        assert set(found) <= set(WANTED)
