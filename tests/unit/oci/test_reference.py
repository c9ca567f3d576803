"""References are read as docker reads them, and print back whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.oci import Digest, Reference, ReferenceInvalid

DIGEST = "sha256:5643b1ce320eaeb2e481df8d8062cd166b1853939d7c0dc41029f18697e96b41"


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("add-header", "docker.io/library/add-header:latest"),
        ("add-header:v1", "docker.io/library/add-header:v1"),
        ("team/add-header", "docker.io/team/add-header:latest"),
        ("docker.io/add-header", "docker.io/library/add-header:latest"),
        ("index.docker.io/team/add-header:v1", "docker.io/team/add-header:v1"),
        ("localhost:8080/taco/tuesdays:v1", "localhost:8080/taco/tuesdays:v1"),  # wasme A04
        ("localhost:8080/taco/tuesdays", "localhost:8080/taco/tuesdays:latest"),  # wasme A04
        ("localhost/f", "localhost/f:latest"),
        ("localhost:5000/f", "localhost:5000/f:latest"),
        ("localhost:5000", "docker.io/library/localhost:5000"),
        ("127.0.0.1:5000/f:v1", "127.0.0.1:5000/f:v1"),
        ("[::1]:5000/f:v1", "[::1]:5000/f:v1"),
        ("webassemblyhub.io/ilackarms/add-header:v0.1", "webassemblyhub.io/ilackarms/add-header:v0.1"),
        ("hub.example.com/a/b/c/d:V1.2_3-4", "hub.example.com/a/b/c/d:V1.2_3-4"),
        ("hub.example.com/a__b/c.d/e---f:v1", "hub.example.com/a__b/c.d/e---f:v1"),
        (f"hub.example.com/f@{DIGEST}", f"hub.example.com/f@{DIGEST}"),
        (f"hub.example.com/f:v1@{DIGEST}", f"hub.example.com/f:v1@{DIGEST}"),
        (f"f@{DIGEST}", f"docker.io/library/f@{DIGEST}"),
    ],
)
def test_a_short_name_grows_as_docker_grows_it(text: str, whole: str) -> None:
    reference = Reference.parse(text)
    assert str(reference) == whole
    assert Reference.parse(whole) == reference


def test_a_reference_has_parts() -> None:
    reference = Reference.parse(f"localhost:5000/team/f:v1@{DIGEST}")
    assert reference == Reference("localhost:5000", "team/f", "v1", Digest.parse(DIGEST))
    assert reference.name == "localhost:5000/team/f"
    assert reference.suffix == f":v1@{DIGEST}"


def test_pinning_keeps_the_tag_for_people() -> None:
    assert str(Reference.parse("h.io/f:v1").pinned(Digest.parse(DIGEST))) == f"h.io/f:v1@{DIGEST}"


@pytest.mark.parametrize(
    ("text", "complaint", "hint"),
    [
        pytest.param("", "an image reference is empty", "write registry/team/filter:tag", id="empty"),
        pytest.param(
            "https://hub.io/f",
            "'https://hub.io/f' is a URL, not an image reference",
            "leave out https://",
            id="url",
        ),
        pytest.param(
            "oci://hub.io/f",
            "'oci://hub.io/f' is a URL, not an image reference",
            "leave out oci://",
            id="oci url",
        ),
        pytest.param(
            "hub.io/Team/f",
            "image reference 'hub.io/Team/f': the repository name must be lower case",
            "write team",
            id="upper case",
        ),
        pytest.param(
            "Team/f",
            "image reference 'Team/f': the repository name must be lower case",
            "write team",
            id="upper host",
        ),
        pytest.param(
            "hub.io//f",
            "image reference 'hub.io//f': the repository name has an empty part",
            None,
            id="empty part",
        ),
        pytest.param(
            "hub.io/",
            "image reference 'hub.io/': the repository name has an empty part",
            None,
            id="host only",
        ),
        pytest.param(
            ":v1", "image reference ':v1': the repository name has an empty part", None, id="tag only"
        ),
        pytest.param(
            "hub.io/../f",
            "image reference 'hub.io/../f': '..' cannot be part of a repository name",
            "a-z and 0-9, joined by one of . _ __ or by -",
            id="dots",
        ),
        pytest.param(
            "hub.io/f-",
            "image reference 'hub.io/f-': 'f-' cannot be part of a repository name",
            "a-z and 0-9, joined by one of . _ __ or by -",
            id="trailing dash",
        ),
        pytest.param(
            "hub.io/f\n",
            "image reference 'hub.io/f\\n': 'f\\n' cannot be part of a repository name",
            "a-z and 0-9, joined by one of . _ __ or by -",
            id="newline",
        ),
        pytest.param(
            "-hub.io/f", "image reference '-hub.io/f': '-hub.io' is not a registry host", None, id="bad host"
        ),
        pytest.param(
            "hub.io:port/f",
            "image reference 'hub.io:port/f': 'hub.io:port' is not a registry host",
            None,
            id="bad port",
        ),
        pytest.param(
            "hub.io/f:",
            "image reference 'hub.io/f:': '' cannot be a tag",
            "letters, digits, _ . and -, not starting with . or -",
            id="empty tag",
        ),
        pytest.param(
            "hub.io/f:-v1",
            "image reference 'hub.io/f:-v1': '-v1' cannot be a tag",
            "letters, digits, _ . and -, not starting with . or -",
            id="tag with a dash first",
        ),
        pytest.param(
            "hub.io/f:v1@sha256:12",
            "image reference 'hub.io/f:v1@sha256:12': a sha256 digest has 64 lower-case hex digits, not '12'",
            None,
            id="short digest",
        ),
        pytest.param(
            "hub.io/f@",
            "image reference 'hub.io/f@': not a digest: ''",
            "a digest looks like sha256:5643b1ce…",
            id="empty digest",
        ),
        pytest.param(
            "a" * 64,
            f"image reference '{'a' * 64}' is a bare hex digest, not a name",
            "write name@sha256:aaaaaaaa…",
            id="bare hex",
        ),
        pytest.param("a" * 2000, "an image reference is longer than 1024 characters", None, id="endless"),
    ],
)
def test_what_is_no_reference_is_explained(text: str, complaint: str, hint: str | None) -> None:
    with pytest.raises(ReferenceInvalid) as caught:
        Reference.parse(text)
    assert (str(caught.value), caught.value.hint) == (complaint, hint)


def test_names_and_tags_have_the_registries_limits() -> None:
    longest = "h.io/" + "a" * 250
    assert Reference.parse(f"{longest}:{'t' * 128}").name == longest
    with pytest.raises(ReferenceInvalid, match="the name is longer than 255 characters"):
        Reference.parse(longest + "a")
    with pytest.raises(ReferenceInvalid, match="the tag is longer than 128 characters"):
        Reference.parse("h.io/f:" + "t" * 129)


component = st.from_regex(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+){0,2}", fullmatch=True).filter(
    lambda part: len(part) < 40
)
host = st.sampled_from(
    ["localhost", "localhost:5000", "hub.example.com", "127.0.0.1:80", "[::1]:5000", "UPPER.io"]
)
tag = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
digest = st.binary(max_size=8).map(Digest.of)


@given(host, st.lists(component, min_size=1, max_size=4), st.none() | tag, st.none() | digest)
def test_every_valid_name_survives_printing_and_reading(
    host: str, path: list[str], tag: str | None, digest: Digest | None
) -> None:
    tag = "latest" if tag is None and digest is None else tag
    reference = Reference(host, "/".join(path), tag, digest)
    assert Reference.parse(str(reference)) == reference


@given(st.text(st.sampled_from("aA0.:/@-_ []sha256\n\udc80é"), max_size=80) | st.text(max_size=80))
def test_any_text_is_a_whole_reference_or_explained(text: str) -> None:
    try:
        reference = Reference.parse(text)
    except ReferenceInvalid:
        return
    assert Reference.parse(str(reference)) == reference
