"""A registry's refusal: its own words, what they meant to others, and nothing secret."""

import pytest

from weft.registry.errors import Complaint, RegistryError, complaints, without_query

MANIFEST = "https://registry.example.com/v2/team/f/manifests/v1"
UPLOAD = "https://registry.example.com/v2/team/f/blobs/uploads/"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b'{"errors":[{"code":"DENIED","message":"no"}]}', ["DENIED: no"], id="one"),
        pytest.param(b'{"errors":[{"code":"A"},{"message":"b"}]}', ["A", "b"], id="several, with gaps"),
        pytest.param(
            b'{"errors":[{"code":"X","message":"m","detail":"why"}]}', ["X: m (why)"], id="detail in words"
        ),
        pytest.param(
            b'{"errors":[{"code":"X","message":"m","detail":{"Class":"image"}}]}', ["X: m"], id="a map"
        ),
        pytest.param(
            b'{"details":"incorrect username or password"}', ["incorrect username or password"], id="hub"
        ),
        pytest.param(b'{"message":"slow down"}', ["slow down"], id="message alone"),
        pytest.param(b"quota\nexceeded\x1b[31m", ["quota exceeded [31m"], id="plain text, made harmless"),
        pytest.param(b"<html>502 Bad Gateway</html>", [], id="a proxy's page"),
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"[1]", [], id="another document"),
        pytest.param(b'{"errors":"x"}', [], id="errors that are none"),
        pytest.param(b'{"errors":[1,{"code":3}]}', [""], id="entries that are none"),
        pytest.param(b"[" * 100_000, ["[" * 400], id="deep"),
    ],
)
def test_the_registry_s_words_are_found(body: bytes, expected: list[str]) -> None:
    assert [str(complaint) for complaint in complaints(body)] == expected


def test_the_message_says_what_was_asked_of_whom() -> None:
    error = RegistryError("PUT", MANIFEST, 400, (Complaint("MANIFEST_INVALID", "manifest invalid"),))
    assert str(error) == f"PUT {MANIFEST}: 400 MANIFEST_INVALID: manifest invalid"
    assert error.codes == ("MANIFEST_INVALID",)


def test_a_query_is_never_shown() -> None:
    assert without_query("https://me:pw@host:5000/v2/x?_state=secret") == "https://host:5000/v2/x"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_some_refusals_pass(status: int) -> None:
    assert RegistryError("GET", MANIFEST, status).temporary


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 501, 505])
def test_others_do_not(status: int) -> None:
    assert not RegistryError("GET", MANIFEST, status).temporary


FLAVOR = "this registry does not take wasm artifacts of this media type; try --flavor compat"


@pytest.mark.parametrize(
    ("method", "url", "status", "words", "hint"),
    [
        pytest.param("PUT", MANIFEST, 405, "", FLAVOR, id="ECR"),
        pytest.param("PUT", MANIFEST, 415, "", FLAVOR, id="quay"),
        pytest.param("PUT", MANIFEST, 400, "MANIFEST_INVALID", FLAVOR, id="others"),
        pytest.param("PUT", MANIFEST, 500, "", None, id="a failure of its own"),
        pytest.param(
            "GET",
            "https://iad.ocir.io/20180419/docker/token",
            400,
            "no scope specified for token auth challenge",
            "the repository's name must start with the tenancy: region.ocir.io/TENANCY/NAME",
            id="OCIR",
        ),
        pytest.param(
            "POST",
            UPLOAD,
            404,
            "",
            "some registries (ECR, Artifact Registry) want the repository created before the first push",
            id="no repository",
        ),
        pytest.param(
            "GET",
            MANIFEST,
            400,
            "Client sent an HTTP request to an HTTPS server.",
            "the registry speaks TLS on this port; leave out --plain-http",
            id="plain to TLS",
        ),
        pytest.param(
            "GET",
            MANIFEST,
            429,
            "TOOMANYREQUESTS",
            "the registry limits how often it is asked; log in, or try again later",
            id="rate limit",
        ),
    ],
)
def test_known_refusals_come_with_what_helped(
    method: str, url: str, status: int, words: str, hint: str | None
) -> None:
    assert RegistryError(method, url, status, (Complaint("", words),)).hint == hint
