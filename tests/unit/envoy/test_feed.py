"""The files that Envoy reads filters from. What Envoy does with them: tests/real/test_watch.py."""

import hashlib
import json
from pathlib import Path

from weft.envoy import Feed
from weft.mesh import Plugin, discovery_document


def test_a_module_lies_under_its_digest_once(tmp_path: Path) -> None:
    feed = Feed(tmp_path)
    path = feed.keep(b"code")
    assert path.name == f"{hashlib.sha256(b'code').hexdigest()}.wasm"
    assert path.read_bytes() == b"code"
    before = path.stat()
    assert Feed(tmp_path).keep(b"code") == path
    assert path.stat().st_ino == before.st_ino, "the same bytes are not written again"
    assert feed.keep(b"other code") != path


def test_a_document_is_replaced_whole(tmp_path: Path) -> None:
    feed = Feed(tmp_path)
    versions = set()
    for config in ("one", "two"):
        plugin = Plugin(id="mine", module="/m", config=config)
        versions.add(feed.write(plugin))
        written = feed.document(plugin)
        assert json.loads(written.read_text()) == discovery_document(plugin)
        assert [path.name for path in written.parent.iterdir()] == ["mine.json"]
    assert len(versions) == 2


def test_modules_that_nobody_uses_are_forgotten(tmp_path: Path) -> None:
    feed = Feed(tmp_path)
    used, unused = feed.keep(b"used"), feed.keep(b"unused")
    feed.forget_modules({used})
    assert (used.exists(), unused.exists()) == (True, False)
