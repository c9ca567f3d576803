"""aiohttp's default contexts: nothing is read for them before somebody uses one, then they are as ever."""

import ssl
import subprocess
import sys

import pytest

from weft.net.library import authorities_later
from worlds.certificates import certificates

COUNT = """
import {first}
import {second}
from aiohttp import connector
contexts = connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED
print(*(len(context.get_ca_certs()) for context in contexts))
"""


def authorities(context: ssl.SSLContext) -> int:
    return context.cert_store_stats()["x509_ca"]


def begin(context: ssl.SSLContext) -> ssl.SSLObject:
    return context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="hub.example.com")


@pytest.mark.real("openssl")
class TestLater:
    """With one authority in the system."""

    @pytest.fixture(autouse=True)
    def _system(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates().authority))
        monkeypatch.setenv("SSL_CERT_DIR", "/nowhere")

    def test_the_first_connection_reads_the_authorities(self) -> None:
        with authorities_later():
            context = ssl.create_default_context()
        assert authorities(context) == 0
        begin(context)
        assert authorities(context) == 1
        begin(context)
        assert authorities(context) == 1

    def test_what_is_made_before_and_after_has_them_at_once(self) -> None:
        before = ssl.create_default_context()
        with authorities_later():
            pass
        assert authorities(before) == authorities(ssl.create_default_context()) == 1

    def test_a_failure_inside_leaves_nothing_behind(self) -> None:
        with pytest.raises(ImportError), authorities_later():
            raise ImportError
        assert "set_default_verify_paths" not in vars(ssl.SSLContext)
        assert authorities(ssl.create_default_context()) == 1

    @pytest.mark.parametrize(
        ("first", "second", "read"),
        [
            pytest.param("weft.net", "aiohttp", "0 0", id="weft imports it"),
            pytest.param("aiohttp", "weft.net", "1 1", id="somebody else did"),
        ],
    )
    def test_the_import_reads_none(self, first: str, second: str, read: str) -> None:
        script = COUNT.format(first=first, second=second)
        done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
        assert done.stdout == f"{read}\n"
