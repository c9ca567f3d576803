"""weft list, tag, rm and prune: what they print, what scripts get, how they fail."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import Weft
from modules.sample_images import module, sample
from weft.cli.output.sizes import human_size
from weft.image import RuntimeConfig, WasmType
from weft.image.flavors import solo
from weft.oci import Descriptor, Digest, Reference
from weft.store import Store

NOON = datetime(2021, 4, 2, 5, 6, tzinfo=UTC)
HEADER = "NAME TAG SIZE SHA UPDATED\n"


@pytest.fixture
def store(home: Path) -> Store:
    """The store the program uses, beside a cache that is not this machine's."""
    (home / "cache").unlink()
    return Store(home / "store", now=lambda: NOON)


@pytest.fixture(autouse=True)
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time as in the documents of wasme's users."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


def put(store: Store, name: str, size: int = 1000, **more: Any) -> Digest:
    return store.put(Reference.parse(name), sample(module(size), **more))


def column(table: str, name: str) -> list[str]:
    lines = [line.split() for line in table.splitlines()]
    place = lines[0].index(name)
    return [line[place] for line in lines[1:]]


def blob(store: Store, digest: Digest) -> Path:
    return store.root / "blobs" / digest.algorithm / digest.hex


def test_no_images_is_a_header_and_a_hint(weft: Weft) -> None:
    result = weft("list")
    assert (result.code, result.out, result.err) == (0, HEADER, "no images yet; `weft build` makes one\n")
    assert weft("list", "-o", "json").out == "[]\n"


def test_the_table_is_wasmes(weft: Weft, store: Store) -> None:
    # The image of solo.io's documentation; listing looks at the size of the module, not at its bytes.
    abis = (
        "v0-541b2c1155fffb15ccde92b8324f3e38f7339ba6",
        "v0-097b7f2e4cc1fb490cc1943d0d633655ac3c522f",
        "v0-4689a30309abf31aee9ae36e73d34b1bb182685f",
        "v0.2.1",
    )
    runtime = RuntimeConfig(abi_versions=abis, root_ids=("add_header",))
    config = Descriptor.of(WasmType.SOLO_CONFIG, runtime.to_bytes())
    content = Digest("sha256", "0295d929353976266ab721389ec859b2fe012d63ce2e58815469ab85c123b510")
    store.put_blob(config.digest, [runtime.to_bytes()])
    blob(store, content).write_bytes(bytes(12577))
    manifest = solo.manifest(config, Descriptor(WasmType.SOLO_MODULE, content, 12577), runtime)
    store.keep(Reference.parse("webassemblyhub.io/ilackarms/add-header:v0.1"), manifest)

    result = weft("list")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "NAME                                   TAG  SIZE    SHA      UPDATED\n"
        "webassemblyhub.io/ilackarms/add-header v0.1 12.6 kB 0295d929 02 Apr 21 13:06 CST\n"
    )


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (12577, "12.6 kB"),
        (13963, "14.0 kB"),
        (999_999, "1000.0 kB"),  # as wasme, which divides before it rounds
        (1_000_000, "1.0 MB"),
        (1_043_056, "1.0 MB"),
        (2**40, "1.1 TB"),
        (2**63, "9.2 EB"),
    ],
)
def test_sizes_are_in_powers_of_a_thousand(size: int, text: str) -> None:
    assert human_size(size) == text


def test_images_are_sorted_by_name_then_oldest_first(weft: Weft, home: Path) -> None:
    days = {"b.io/f:newer": 3, "b.io/f:older": 2, "a.io/z:v1": 4, "b.io/a:v1": 1}
    for name, day in days.items():
        store = Store(home / "store", now=lambda day=day: datetime(2026, 1, day, tzinfo=UTC))  # type: ignore[misc]
        put(store, name)
    table = weft("list").out
    assert list(zip(column(table, "NAME"), column(table, "TAG"), strict=True)) == [
        ("a.io/z", "v1"),
        ("b.io/a", "v1"),
        ("b.io/f", "older"),
        ("b.io/f", "newer"),
    ]


def test_long_tags_are_cut_unless_wide(weft: Weft, store: Store) -> None:
    put(store, "hub.io/f:" + "t" * 32)
    put(store, "hub.io/g:" + "t" * 33)
    assert column(weft("list").out, "TAG") == ["t" * 32, "t" * 32 + "..."]
    assert column(weft("list", "--wide").out, "TAG") == ["t" * 32, "t" * 33]


def test_an_image_named_by_digest_shows_it_as_its_tag(weft: Weft, store: Store) -> None:
    image = sample()
    store.put(Reference.parse(f"hub.io/f@{image.digest}"), image)
    assert column(weft("list").out, "TAG") == [f"sha256:{image.digest.hex[:25]}..."]
    (row,) = json.loads(weft("list", "-o", "json").out)
    assert (row["name"], row["tag"]) == ("hub.io/f", None)


def test_the_file_of_the_module_is_shown_on_demand(weft: Weft, store: Store) -> None:
    put(store, "hub.io/f:v1")
    expected = blob(store, Digest.of(module(1000)))
    assert column(weft("list", "-d").out, "DIRECTORY") != [str(expected)]  # UPDATED has blanks
    assert weft("list", "--show-dir").out.splitlines()[1].endswith(f" CST {expected}")
    assert expected.read_bytes() == module(1000)


def test_json_has_everything(weft: Weft, store: Store) -> None:
    image = sample(module(1000), flavor="compat")
    store.put(Reference.parse("hub.io/f:v1"), image)
    (layer,) = image.manifest.layers
    expected = {
        "reference": "hub.io/f:v1",
        "name": "hub.io/f",
        "tag": "v1",
        "digest": str(image.digest),
        "flavor": "compat",
        "module": {"digest": str(Digest.of(module(1000))), "size": 1000},
        "size": len(image.manifest.raw) + image.manifest.config.size + layer.size,
        "updated": "2021-04-02T05:06:00+00:00",
        "path": str(blob(store, layer.digest)),
        "problem": None,
    }
    assert json.loads(weft("list", "-o", "json").out) == [expected]
    assert yaml.safe_load(weft("list", "-o", "yaml").out) == [expected]


def test_a_broken_image_is_a_row_and_a_warning_beside_the_good_ones(weft: Weft, store: Store) -> None:
    put(store, "hub.io/bad:v1", 2000)
    put(store, "hub.io/good:v1", root_id="other")
    missing = Digest.of(module(2000))
    blob(store, missing).unlink()
    result = weft("list")
    assert result.code == 0
    assert [" ".join(line.split()) for line in result.out.splitlines()[1:]] == [
        "hub.io/bad v1 - broken 02 Apr 21 13:06 CST",
        f"hub.io/good v1 1.0 kB {Digest.of(module(1000)).short} 02 Apr 21 13:06 CST",
    ]
    assert result.err == f"warning: hub.io/bad:v1 is broken: blob {missing} is missing\n"
    bad, good = json.loads(weft("list", "-o", "json").out)
    assert (bad["problem"], bad["module"], bad["flavor"]) == (f"blob {missing} is missing", None, "solo")
    assert good["problem"] is None


def test_a_name_from_another_tool_cannot_command_the_terminal(weft: Weft, store: Store) -> None:
    put(store, "hub.io/f:v1")
    path = store.root / "index.json"
    path.write_text(path.read_text().replace("hub.io/f:v1", "\\u001b[2Jgone"))
    result = weft("list")
    assert "\x1b" not in result.out + result.err
    assert result.out.splitlines()[1].startswith("\\x1b[2Jgone - ")
    assert weft("rm", "\x1b[2Jgone").code == 0


def test_a_broken_index_is_one_clear_error(weft: Weft, store: Store) -> None:
    put(store, "hub.io/f:v1")
    (store.root / "index.json").write_bytes(b"{")
    result = weft("list")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"error: {store.root}/index.json is not JSON: ")
    assert "\nhint: move the file away: " in result.err


def test_tag_gives_another_name(weft: Weft, store: Store) -> None:
    digest = put(store, "hub.io/team/f:v1")
    result = weft("tag", "hub.io/team/f:v1", "f")
    assert (result.code, result.out) == (0, "")
    assert result.err == f"tagged docker.io/library/f:latest ({digest})\n"
    assert column(weft("list").out, "NAME") == ["docker.io/library/f", "hub.io/team/f"]


def test_tag_tells_scripts_what_is_named(weft: Weft, store: Store) -> None:
    digest = put(store, "hub.io/f:v1")
    result = weft("tag", f"hub.io/f@{digest}", "hub.io/f:v2", "-o", "json")
    assert json.loads(result.out) == {"reference": "hub.io/f:v2", "digest": str(digest)}
    assert result.err == ""


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        pytest.param(
            ("tag", "hub.io/f:v3", "hub.io/g"),
            4,
            "error: image hub.io/f:v3 not found\n\n"
            "hint: did you mean hub.io/f:v1? run `weft list` to see the images of this machine\n",
            id="unknown source",
        ),
        pytest.param(
            ("tag", "hub.io/f:v1", "hub.io/G"),
            2,
            "error: image reference 'hub.io/G': the repository name must be lower case\n\nhint: write g\n",
            id="bad target",
        ),
        pytest.param(
            ("tag", "hub.io/f:v1"),
            2,
            "error: Missing argument 'TARGET'.\n\nhint: weft tag --help\n",
            id="one",
        ),
        pytest.param(
            ("rm",), 2, "error: Missing argument 'REF...'.\n\nhint: weft rm --help\n", id="nothing to remove"
        ),
        pytest.param(
            ("rm", "hub.io/f:v1", "nope"),
            4,
            "error: image docker.io/library/nope:latest not found\n\n"
            "hint: run `weft list` to see the images of this machine\n",
            id="one of two unknown",
        ),
    ],
)
def test_mistakes_are_explained_and_change_nothing(
    weft: Weft, store: Store, words: tuple[str, ...], code: int, error: str
) -> None:
    put(store, "hub.io/f:v1")
    result = weft(*words)
    assert (result.code, result.out, result.err) == (code, "", error)
    assert column(weft("list").out, "NAME") == ["hub.io/f"]


def test_rm_forgets_names(weft: Weft, store: Store) -> None:
    digest = put(store, "hub.io/f:v1")
    put(store, "hub.io/f:v2")
    put(store, "f:latest", 2000)
    result = weft("rm", "f", f"hub.io/f@{digest}")
    assert (result.code, result.out) == (0, "")
    assert result.err == "removed docker.io/library/f:latest\nremoved hub.io/f:v1\nremoved hub.io/f:v2\n"
    assert weft("list").out == HEADER


def test_rm_tells_scripts_what_went(weft: Weft, store: Store) -> None:
    put(store, "hub.io/f:v1")
    assert json.loads(weft("rm", "hub.io/f:v1", "-o", "json").out) == {"removed": ["hub.io/f:v1"]}


def test_rm_removes_a_broken_image(weft: Weft, store: Store) -> None:
    put(store, "hub.io/f:v1")
    path = store.root / "index.json"
    path.write_text(path.read_text().replace('"digest"', '"gone"'))
    assert weft("rm", "hub.io/f:v1").err == "removed hub.io/f:v1\n"
    assert weft("list").out == HEADER


def test_prune_frees_what_no_image_uses(weft: Weft, store: Store) -> None:
    old = sample(module(5000))
    put(store, "hub.io/f:v1", 5000)
    put(store, "hub.io/f:v1")
    size = len(old.manifest.raw) + 5000
    gone = sorted([old.digest, Digest.of(module(5000))])
    dry = weft("prune", "--dry-run", "-o", "json")
    assert json.loads(dry.out) == {
        "deleted": [str(digest) for digest in gone],
        "leftovers": 0,
        "size": size,
        "dry_run": True,
        "caches": {"deleted": 0, "size": 0},
    }
    assert weft("prune", "--dry-run").err == "would delete 2 files, 5.8 kB\n"
    result = weft("-v", "prune")
    assert (result.code, result.out) == (0, "")
    assert result.err == f"{gone[0]}\n{gone[1]}\ndeleted 2 files, 5.8 kB\n"
    assert json.loads(weft("prune", "-o", "json").out) == {
        "deleted": [],
        "leftovers": 0,
        "size": 0,
        "dry_run": False,
        "caches": {"deleted": 0, "size": 0},
    }
    assert store.get(Reference.parse("hub.io/f:v1")) == sample(module(1000))


def test_prune_counts_one_file_as_one(weft: Weft, store: Store) -> None:
    store.put_blob(Digest.of(b"x"), [b"x"])
    assert weft("prune").err == "deleted 1 file, 1 B\n"


@pytest.mark.parametrize(("count", "whose"), [(1, "1 project"), (2, "2 projects")])
@pytest.mark.usefixtures("store")
def test_prune_says_what_builds_had_left(weft: Weft, home: Path, count: int, whose: str) -> None:
    for number in range(count):
        cache = home / f"cache/builds/f{number}-0123"
        cache.mkdir(parents=True)
        (cache / ".lock").write_text("/gone")
        (cache / "cache").mkdir()
        (cache / "cache/f.o").write_bytes(bytes(5))
    said = f"the build caches of {whose}, {5 * count} B\n"
    assert weft("prune", "--dry-run").err == f"would delete 0 files, 0 B\nwould delete {said}"
    assert weft("prune").err == f"deleted 0 files, 0 B\ndeleted {said}"
    assert weft("prune").err == "deleted 0 files, 0 B\n"


def test_another_folder_can_hold_the_store(weft: Weft, tmp_path: Path) -> None:
    put(Store(tmp_path / "elsewhere"), "hub.io/f:v1")
    assert column(weft("list", WEFT_STORE=str(tmp_path / "elsewhere")).out, "NAME") == ["hub.io/f"]
    assert weft("list").out == HEADER
