"""The copy engine: what goes in which order, what does not go at all, and how a failure ends it."""

import pytest

from weft.errors import NotFound, WeftError
from weft.oci import Descriptor, Digest, Index, Manifest, MediaType, compact_json, parse_manifest
from weft.workflows.images.graph import read_graph
from weft.workflows.images.transfer import Outcome, Transfer
from worlds.content import CONFIG, CONFIG_TYPE, LAYER_TYPE, blob, image
from worlds.contents import Contents

A, B = image(b"module a"), image(b"module b")


def index(*children: Manifest | Index) -> Index:
    document = {
        "schemaVersion": 2,
        "mediaType": MediaType.OCI_INDEX,
        "manifests": [child.descriptor.to_json() for child in children],
    }
    parsed = parse_manifest(compact_json(document))
    assert isinstance(parsed, Index)
    return parsed


def name(data: bytes) -> str:
    return Digest.of(data).short


@pytest.fixture
def source() -> Contents:
    contents = Contents()
    contents.add(A, CONFIG, b"module a")
    contents.add(B, CONFIG, b"module b")
    contents.add(index(A, B))
    return contents


async def test_parts_go_before_what_names_them_and_the_tag_goes_last(source: Contents) -> None:
    sink = Contents()
    root = index(A, B)
    report = await Transfer(source, sink).run(await read_graph(source, root), "v1")
    assert sorted(sink.log[:3]) == sorted(
        [f"blob {name(CONFIG)}", f"blob {name(b'module a')}", f"blob {name(b'module b')}"]
    )
    assert sink.log[3:] == [
        f"manifest {A.digest.short}", f"manifest {B.digest.short}", f"manifest {root.digest.short} as v1",
    ]  # fmt: skip
    assert (sink.blobs, sink.manifests) == (source.blobs, source.manifests)
    assert report.counts == {"copied": 3, "there": 0, "mounted": 0}
    assert report.moved == len(CONFIG) + 2 * len(b"module a")


async def test_what_is_there_is_not_sent_again(source: Contents) -> None:
    sink = Contents()
    sink.blobs[Digest.of(CONFIG)] = CONFIG
    report = await Transfer(source, sink).run(await read_graph(source, A), "v1")
    assert sink.log == [f"blob {name(b'module a')}", f"manifest {A.digest.short} as v1"]
    assert report.outcomes == {Digest.of(CONFIG): Outcome.THERE, Digest.of(b"module a"): Outcome.COPIED}


async def test_below_a_manifest_that_is_there_nothing_is_looked_at(source: Contents) -> None:
    sink = Contents()
    sink.add(A)
    root = index(A, B)
    report = await Transfer(source, sink).run(await read_graph(source, root), "v1")
    assert f"blob {name(b'module a')}" not in sink.log
    assert f"manifest {A.digest.short}" not in sink.log
    assert report.counts == {"copied": 2, "there": 1, "mounted": 0}


async def test_a_second_copy_moves_nothing_but_the_tag(source: Contents) -> None:
    sink = Contents()
    graph = await read_graph(source, index(A, B))
    await Transfer(source, sink).run(graph, "v1")
    sink.log.clear()
    report = await Transfer(source, sink).run(graph, "v2")
    assert sink.log == [f"manifest {graph.root.digest.short} as v2"]
    assert (report.moved, report.counts["there"]) == (0, 3)


async def test_what_was_mounted_was_not_read(source: Contents) -> None:
    sink = Contents(mounts=True)
    report = await Transfer(source, sink).run(await read_graph(source, A), "v1")
    assert report.counts == {"copied": 0, "there": 0, "mounted": 2}
    assert (report.moved, source.verified) == (0, [])


async def test_bytes_are_verified_once(source: Contents) -> None:
    await Transfer(source, Contents(verifies=True)).run(await read_graph(source, A))
    assert source.verified == [False, False]
    await Transfer(source, Contents(verifies=False)).run(await read_graph(source, A))
    assert source.verified == [False, False, True, True]


def many(count: int) -> tuple[Contents, Manifest]:
    layers = [f"layer {number}".encode() for number in range(count)]
    described = tuple(Descriptor.of(LAYER_TYPE, layer) for layer in (*layers, *layers))
    manifest = Manifest.build(blob(CONFIG, CONFIG_TYPE), described, {})
    source = Contents()
    source.add(manifest, CONFIG, *layers)
    return source, manifest


@pytest.mark.parametrize("at_once", [1, 3, 8])
async def test_so_many_go_at_once_and_none_twice(at_once: int) -> None:
    source, manifest = many(20)
    sink = Contents()
    await Transfer(source, sink, at_once=at_once).run(await read_graph(source, manifest), "v1")
    assert sink.most_at_once == at_once
    assert len(sink.log) == len(set(sink.log)) == 22


async def test_the_first_failure_ends_it_as_it_is_and_nothing_gets_a_name() -> None:
    source, manifest = many(20)

    def trouble(descriptor: Descriptor) -> None:
        if descriptor.digest == Digest.of(b"layer 5"):
            raise WeftError("the disk is full")

    sink = Contents(trouble=trouble)
    with pytest.raises(WeftError, match=r"^the disk is full$"):
        await Transfer(source, sink).run(await read_graph(source, manifest), "v1")
    assert (sink.manifests, sink.tags) == ({}, {})
    assert len(sink.blobs) < 20


async def test_who_watches_sees_every_byte(source: Contents) -> None:
    class Watcher:
        def __init__(self) -> None:
            self.seen: list[str] = []
            self.count = 0

        def begin(self, descriptor: Descriptor) -> None:
            self.seen.append(f"begin {descriptor.digest.short}")

        def advance(self, descriptor: Descriptor, count: int) -> None:
            assert count <= descriptor.size
            self.count += count

        def end(self, descriptor: Descriptor, outcome: Outcome) -> None:
            self.seen.append(f"{outcome} {descriptor.digest.short}")

    watcher = Watcher()
    graph = await read_graph(source, A)
    report = await Transfer(source, Contents(), progress=watcher, at_once=1).run(graph)
    assert watcher.seen == [
        f"begin {name(CONFIG)}", f"copied {name(CONFIG)}",
        f"begin {name(b'module a')}", f"copied {name(b'module a')}",
    ]  # fmt: skip
    assert watcher.count == report.moved


class TestAttachments:
    """What belongs to an image comes along, ready before the image has its name."""

    async def test_they_come_before_the_root_and_after_their_subject(self, source: Contents) -> None:
        root = index(A, B)
        on_child = image(b"s1", subject=A.descriptor)
        on_root = image(b"s2", subject=root.descriptor)
        on_signature = image(b"s3", subject=on_root.descriptor)
        for attached, data in ((on_child, b"s1"), (on_root, b"s2"), (on_signature, b"s3")):
            source.add(attached, CONFIG, data)
        graph = await read_graph(source, root, attachments=True)
        order = [node.manifest.digest for node in graph.nodes]
        assert order == [
            A.digest,
            on_child.digest,
            B.digest,
            on_root.digest,
            on_signature.digest,
            root.digest,
        ]
        assert len((await read_graph(source, root)).nodes) == 3

    @pytest.mark.parametrize("suffix", [".sig", ".att", ".sbom"])
    async def test_cosign_s_tags_are_kept(self, source: Contents, suffix: str) -> None:
        signature = image(b"simple signing")
        tag = f"sha256-{A.digest.hex}{suffix}"
        source.add(signature, CONFIG, b"simple signing", tag=tag)
        sink = Contents()
        await Transfer(source, sink).run(await read_graph(source, A, attachments=True), "v1")
        assert sink.tags == {tag: signature.digest, "v1": A.digest}
        # Also when the content is there already, and only the tag is not.
        sink.tags.clear()
        await Transfer(source, sink).run(await read_graph(source, A, attachments=True), "v1")
        assert sink.tags == {tag: signature.digest, "v1": A.digest}

    async def test_a_circle_ends(self, source: Contents) -> None:
        class Circle(Contents):
            async def referrers(self, subject: Digest) -> list[Descriptor]:  # noqa: ARG002
                return [A.descriptor, B.descriptor]

        circle = Circle(manifests=source.manifests, blobs=source.blobs)
        graph = await read_graph(circle, A, attachments=True)
        assert [node.manifest.digest for node in graph.nodes] == [B.digest, A.digest]

    async def test_a_tower_is_refused(self, source: Contents) -> None:
        subject: Manifest | Index = A
        for number in range(12):
            subject = source.add(image(b"%d" % number, subject=subject.descriptor))
        with pytest.raises(WeftError) as caught:
            await read_graph(source, A, attachments=True)
        assert str(caught.value) == f"{A.digest} has too much below it: more than 8 levels or 1000 manifests"


async def test_a_child_that_is_missing_is_named(source: Contents) -> None:
    del source.manifests[B.digest]
    with pytest.raises(NotFound, match=f"no {B.digest}"):
        await read_graph(source, index(A, B))
