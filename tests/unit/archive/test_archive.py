"""Images in one file: what is written is read again, what others wrote too, and what is broken is named."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from weft.archive import ArchiveInvalid, ArchiveReader, ArchiveWriter
from weft.errors import NotFound, UsageError, WeftError
from weft.oci import Annotation, Descriptor, Digest, DocumentInvalid, MediaType, compact_json
from worlds.content import CONFIG, CONFIG_TYPE, blob, giving, image

MODULE = b"\0asm\1\0\0\0" * 1000
IMAGE = image(MODULE)


async def write(path: Path, *tags: str) -> None:
    """An archive with one image under ``tags``."""
    with ArchiveWriter(path, name="hub.example.com/team/f") as archive:
        await archive.put_blob(blob(CONFIG, CONFIG_TYPE), giving(CONFIG))
        await archive.put_blob(blob(MODULE), giving(MODULE))
        for tag in tags:
            await archive.put_manifest(IMAGE, tag)


async def read(archive: ArchiveReader, descriptor: Descriptor, *, verify: bool = True) -> bytes:
    return b"".join([chunk async for chunk in archive.open_blob(descriptor, verify=verify)])


async def read_all(path: Path) -> None:
    with ArchiveReader(path) as archive:
        await archive.manifest(IMAGE.digest)
        await read(archive, blob(MODULE))
        await read(archive, blob(CONFIG))


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def entry(manifest: Descriptor, **names: str) -> dict[str, object]:
    return Descriptor(manifest.media_type, manifest.digest, manifest.size, names).to_json()


def layout(path: Path, files: dict[str, bytes], *, mode: str = "w") -> Path:
    """A tar of any files, as other tools write them."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def files(*, prefix: str = "", entries: list[dict[str, object]] | None = None) -> dict[str, bytes]:
    """The files of an image layout with ``IMAGE`` in it."""
    parts = {Digest.of(data): data for data in (CONFIG, MODULE, IMAGE.raw)}
    index = {"schemaVersion": 2, "manifests": entries or [entry(IMAGE.descriptor)]}
    named = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": compact_json(index)}
    named |= {f"blobs/{digest.algorithm}/{digest.hex}": data for digest, data in parts.items()}
    return {prefix + name: data for name, data in named.items()}


async def test_an_image_comes_out_as_it_went_in(tmp_path: Path) -> None:
    await write(tmp_path / "f.tar", "v1")
    with ArchiveReader(tmp_path / "f.tar") as archive:
        assert (await archive.manifest(archive.find().digest)).raw == IMAGE.raw
        assert (await archive.manifest("v1")).raw == IMAGE.raw
        assert await read(archive, blob(MODULE)) == MODULE
        assert await read(archive, blob(MODULE), verify=False) == MODULE
        assert await read(archive, blob(CONFIG)) == CONFIG
    assert names_in(tmp_path) == ["f.tar"]


async def test_the_same_image_gives_the_same_file(tmp_path: Path) -> None:
    await write(tmp_path / "one.tar", "v1")
    await write(tmp_path / "two.tar", "v1")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


async def test_the_index_has_the_names_that_other_tools_look_for(tmp_path: Path) -> None:
    await write(tmp_path / "f.tar", "v1")
    with tarfile.open(tmp_path / "f.tar") as tar:
        file = tar.extractfile("index.json")
        assert file
        (only,) = json.load(file)["manifests"]
    assert only["annotations"] == {
        "io.containerd.image.name": "hub.example.com/team/f:v1",
        "org.opencontainers.image.ref.name": "v1",
    }


async def test_of_several_images_one_is_found_by_its_name(tmp_path: Path) -> None:
    await write(tmp_path / "f.tar", "v1", "v2")
    with ArchiveReader(tmp_path / "f.tar") as archive:
        assert archive.find("nobody", "v2").annotations[Annotation.REF_NAME] == "v2"
        found = archive.find("hub.example.com/team/f:v1")
        assert found.annotations[Annotation.REF_NAME] == "v1"
        with pytest.raises(NotFound) as caught:
            archive.find("hub.example.com/team/f:v3", "v3")
    assert str(caught.value) == (
        f"{tmp_path}/f.tar holds 2 images, and none is called hub.example.com/team/f:v3 or v3"
    )
    assert caught.value.hint == "it has hub.example.com/team/f:v1, hub.example.com/team/f:v2"


async def test_a_signature_beside_the_image_is_not_taken_for_another_image(tmp_path: Path) -> None:
    await write(tmp_path / "f.tar", f"sha256-{IMAGE.digest.hex}.sig", "v1")
    with ArchiveReader(tmp_path / "f.tar") as archive:
        assert archive.find("elsewhere:v2", "v2").annotations[Annotation.REF_NAME] == "v1"


async def test_what_refers_to_an_image_is_found(tmp_path: Path) -> None:
    signature = image(b"sig", subject=IMAGE.descriptor, artifact_type="application/vnd.sig")
    with ArchiveWriter(tmp_path / "f.tar") as archive:
        await archive.put_blob(blob(CONFIG, CONFIG_TYPE), giving(CONFIG))
        await archive.put_blob(blob(MODULE), giving(MODULE))
        await archive.put_blob(blob(b"sig"), giving(b"sig"))
        assert not await archive.has_manifest(signature.descriptor)
        await archive.put_manifest(signature)
        assert await archive.has_manifest(signature.descriptor)
        await archive.put_manifest(IMAGE, "v1")
    with ArchiveReader(tmp_path / "f.tar") as archive:
        assert archive.find().digest == IMAGE.digest
        assert [found.digest for found in await archive.referrers(IMAGE.digest)] == [signature.digest]
        assert await archive.referrers(signature.digest) == []


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda path: layout(path, files(prefix="./")), id="with ./ before every name"),
        pytest.param(
            lambda path: layout(path, dict(reversed(files().items())) | {"manifest.json": b"[]"}),
            id="as docker save: the index last, and files of its own",
        ),
        pytest.param(
            lambda path: layout(
                path, files(entries=[entry(IMAGE.descriptor, **{Annotation.REF_NAME: "latest"})])
            ),
            id="as skopeo",
        ),
    ],
)
async def test_what_others_wrote_is_read(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with ArchiveReader(make(tmp_path / "f.tar")) as archive:
        assert archive.find().digest == IMAGE.digest
        assert await read(archive, blob(MODULE)) == MODULE


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        pytest.param(lambda _: None, "there is no file {path}", id="none"),
        pytest.param(lambda path: path.mkdir(), "cannot read {path}: Is a directory", id="a folder"),
        pytest.param(
            lambda path: path.write_bytes(b"nonsense" * 100),
            "{path} cannot be read as a tar archive: ",
            id="noise",
        ),
        pytest.param(
            lambda path: path.write_bytes(b""), "{path} cannot be read as a tar archive: ", id="empty"
        ),
        pytest.param(
            lambda path: layout(path, files(), mode="w:gz"), "{path} is compressed", id="compressed"
        ),
        pytest.param(
            lambda path: layout(path, {"manifest.json": b"[]"}),
            "{path} is no OCI image layout: it has no oci-layout and index.json",
            id="an old docker save",
        ),
        pytest.param(
            lambda path: layout(path, files() | {"oci-layout": b'{"imageLayoutVersion":"2"}'}),
            "{path}: oci-layout: imageLayoutVersion must be 1.0.0, got 2",
            id="another version",
        ),
        pytest.param(
            lambda path: layout(path, files() | {"index.json": b"{"}),
            "{path}: index.json is not JSON: ",
            id="a broken index",
        ),
        pytest.param(
            lambda path: layout(path, files() | {"index.json": b'{"manifests":[{"digest":"sha256:x"}]}'}),
            "{path}: index.json: manifests[0].digest: a sha256 digest has 64 lower-case hex digits, not 'x'",
            id="a broken entry",
        ),
    ],
)
def test_what_is_no_image_layout_is_named(
    tmp_path: Path, make: Callable[[Path], object], complaint: str
) -> None:
    path = tmp_path / "f.tar"
    make(path)
    with pytest.raises(WeftError) as caught, ArchiveReader(path):
        pass
    assert str(caught.value).startswith(complaint.format(path=path))


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        pytest.param(b"x" * len(MODULE), "blob {digest} is damaged", id="other bytes"),
        pytest.param(MODULE[:-1], "blob {digest} has 7999 bytes instead of 8000", id="too few"),
        pytest.param(None, "blob {digest} is missing", id="none"),
    ],
)
async def test_a_damaged_blob_never_comes_out_whole(
    tmp_path: Path, changed: bytes | None, complaint: str
) -> None:
    digest = blob(MODULE).digest
    held = files()
    del held[f"blobs/sha256/{digest.hex}"]
    if changed is not None:
        held[f"blobs/sha256/{digest.hex}"] = changed
    with ArchiveReader(layout(tmp_path / "f.tar", held)) as archive:
        out = bytearray()
        with pytest.raises(ArchiveInvalid) as caught:  # noqa: PT012 - what came before the failure matters
            async for chunk in archive.open_blob(blob(MODULE)):
                out += chunk
    assert str(caught.value) == f"{tmp_path}/f.tar: {complaint.format(digest=digest)}"
    assert len(out) < len(MODULE)


async def test_a_damaged_manifest_is_refused(tmp_path: Path) -> None:
    held = files()
    held[f"blobs/sha256/{IMAGE.digest.hex}"] = IMAGE.raw.replace(b"2", b"3", 1)
    with ArchiveReader(layout(tmp_path / "f.tar", held)) as archive:
        with pytest.raises(ArchiveInvalid, match=r"manifest sha256:.* is damaged"):
            await archive.manifest(IMAGE.digest)
        with pytest.raises(NotFound, match="holds no manifest v9"):
            await archive.manifest("v9")


async def test_an_archive_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    whole = layout(tmp_path / "f.tar", files()).read_bytes()
    for size in range(0, len(whole.rstrip(b"\0")), 700):
        (tmp_path / "cut.tar").write_bytes(whole[:size])
        with pytest.raises(WeftError):
            await read_all(tmp_path / "cut.tar")


async def test_links_mean_nothing(tmp_path: Path) -> None:
    path = tmp_path / "f.tar"
    held = files()
    del held["oci-layout"]
    layout(path, held)
    with tarfile.open(path, "a") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo("oci-layout")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
    with pytest.raises(ArchiveInvalid, match="it has no oci-layout"), ArchiveReader(path):
        pass


async def test_a_failure_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "f.tar"
    path.write_bytes(b"precious")
    with pytest.raises(ArchiveInvalid, match="has 3 bytes, not 8000"), ArchiveWriter(path) as archive:
        await archive.put_blob(blob(MODULE), giving(b"abc"))
    assert path.read_bytes() == b"precious"
    assert names_in(tmp_path) == ["f.tar"]


async def test_what_a_killed_run_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / ".f.tar.part").write_bytes(b"x" * 100_000)
    await write(tmp_path / "f.tar", "v1")
    with ArchiveReader(tmp_path / "f.tar") as archive:
        assert await read(archive, blob(MODULE)) == MODULE
    assert names_in(tmp_path) == ["f.tar"]


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    with ArchiveWriter(tmp_path / "f.tar"):
        with pytest.raises(UsageError) as caught, ArchiveWriter(tmp_path / "f.tar"):
            pass
        assert str(caught.value) == f"another weft is writing {tmp_path}/f.tar"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeftError) as caught, ArchiveWriter(tmp_path / "nowhere/f.tar"):
        pass
    assert str(caught.value) == f"cannot write {tmp_path}/nowhere/f.tar: No such file or directory"


def test_an_index_entry_of_another_kind_is_no_reason_to_fail(tmp_path: Path) -> None:
    strange = {"mediaType": MediaType.OCI_LAYER, "digest": str(Digest.of(b"")), "size": 0}
    named = entry(IMAGE.descriptor, **{Annotation.REF_NAME: "v1"})
    with ArchiveReader(layout(tmp_path / "f.tar", files(entries=[strange, named]))) as archive:
        assert archive.find().digest == IMAGE.digest


def test_a_number_of_files_beyond_reason_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.archive.reader._MAX_FILES", 3)
    with pytest.raises(ArchiveInvalid, match="has more than 3 files"):
        ArchiveReader(layout(tmp_path / "f.tar", files())).__enter__()


def test_an_index_that_is_too_large_is_refused(tmp_path: Path) -> None:
    held = files() | {"index.json": b" " * 5_000_000}
    with pytest.raises((ArchiveInvalid, DocumentInvalid), match="is larger than 4194304 bytes"):
        ArchiveReader(layout(tmp_path / "f.tar", held)).__enter__()
