"""A digest is an algorithm and its hex digits, or nothing at all."""

import hashlib

import pytest

from weft.oci import Digest, DigestInvalid

HELLO = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def test_a_digest_is_what_the_algorithm_makes_of_the_bytes() -> None:
    assert str(Digest.of(b"hello")) == f"sha256:{HELLO}"
    assert Digest.of(b"hello", "sha512").hex == hashlib.sha512(b"hello").hexdigest()


@pytest.mark.parametrize("text", [f"sha256:{HELLO}", f"sha512:{HELLO * 2}"])
def test_a_digest_prints_as_it_was_read(text: str) -> None:
    assert str(Digest.parse(text)) == text


def test_equal_digests_are_equal_keys() -> None:
    assert {Digest.of(b"hello"), Digest.parse(f"sha256:{HELLO}")} == {Digest.of(b"hello")}


def test_a_table_shows_eight_digits() -> None:
    assert Digest.of(b"hello").short == "2cf24dba"


def test_content_fed_in_pieces_matches_or_does_not() -> None:
    digest = Digest.of(b"hello")
    hasher = digest.hasher()
    hasher.update(b"hel")
    assert not digest.matches(hasher)
    hasher.update(b"lo")
    assert digest.matches(hasher)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "not a digest: ''", id="empty"),
        pytest.param(HELLO, f"not a digest: '{HELLO}'", id="no algorithm"),
        pytest.param("md5:" + "a" * 32, "digest algorithm 'md5' is not known", id="md5"),
        pytest.param(":abc", "digest algorithm '' is not known", id="no algorithm before the colon"),
        pytest.param("sha256:abc", "a sha256 digest has 64 lower-case hex digits, not 'abc'", id="short"),
        pytest.param(
            f"sha256:{HELLO.upper()}",
            f"a sha256 digest has 64 lower-case hex digits, not '{HELLO.upper()}'",
            id="upper case",
        ),
        pytest.param(
            f"sha512:{HELLO}",
            f"a sha512 digest has 128 lower-case hex digits, not '{HELLO}'",
            id="wrong length",
        ),
        pytest.param(
            "sha256:" + "/" * 64,
            f"a sha256 digest has 64 lower-case hex digits, not '{'/' * 64}'",
            id="a path",
        ),
        pytest.param(
            "sha256:" + "a" * 9000,
            f"a sha256 digest has 64 lower-case hex digits, not '{'a' * 80}'",
            id="endless",
        ),
        pytest.param(
            "sha256:" + "٣" * 64,
            f"a sha256 digest has 64 lower-case hex digits, not '{'٣' * 64}'",
            id="not ascii",
        ),
    ],
)
def test_what_is_no_digest_is_explained(text: str, complaint: str) -> None:
    with pytest.raises(DigestInvalid) as caught:
        Digest.parse(text)
    assert str(caught.value) == complaint
